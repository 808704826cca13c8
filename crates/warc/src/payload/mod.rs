//! Payloads: transfer and content codings taken off, with a cap on memory.

pub(crate) mod chunked;
mod inflate;
mod stream;

use std::borrow::Cow;
use std::io::Read;

use crate::deflate::{Container, Inflater, Unpacked};
use crate::http::HttpMessage;
use chunked::Chunks;
use inflate::Inflate;

pub(crate) use stream::HEAD;
pub use stream::PayloadReader;

/// How a gzip member begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Limits for decoding payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadLimits {
    /// Largest payload in bytes, at every stage of decoding. 32 MiB by default: above any page, and above
    /// all but a few pictures.
    pub bytes: usize,
    /// Most codings stacked on each other: 8 by default. Real messages have at most three.
    pub codings: usize,
}

impl Default for PayloadLimits {
    fn default() -> Self {
        Self { bytes: 32 << 20, codings: 8 }
    }
}

impl PayloadLimits {
    /// The same with another cap on bytes.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

/// A coding of HTTP bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// `chunked`
    Chunked,
    /// `gzip`, `x-gzip`
    Gzip,
    /// `deflate`: zlib, or raw as some servers send it
    Deflate,
    /// `br`
    Brotli,
    /// `zstd`
    Zstd,
}

impl Coding {
    /// The name in HTTP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunked => "chunked",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, Coding); 8] = [
            ("chunked", Coding::Chunked),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("x-deflate", Coding::Deflate),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
            ("x-zstd", Coding::Zstd),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| *coding)
    }
}

/// What is wrong with a payload. What could be decoded is in [`Payload::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadFault {
    /// The coded body ends too early.
    #[error("{} body ends too early", .0.name())]
    Truncated(Coding),
    /// The coded body cannot be decoded to its end.
    #[error("{} body is corrupt", .0.name())]
    Corrupt(Coding),
    /// The payload is above [`PayloadLimits::bytes`].
    #[error("payload is larger than the limit")]
    TooLarge,
}

impl PayloadFault {
    /// A short name in snake case, stable across versions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated(_) => "payload_truncated",
            Self::Corrupt(_) => "payload_corrupt",
            Self::TooLarge => "payload_too_large",
        }
    }
}

/// What is odd about a payload, without loss.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadNote {
    /// The header names a coding that the body does not have.
    Lie(Coding),
    /// A coding of unknown name was left as it is.
    Unknown(String),
}

impl std::fmt::Display for PayloadNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lie(coding) => write!(f, "body is not {}, as its header says", coding.name()),
            Self::Unknown(name) => write!(f, "unknown coding {name:?}"),
        }
    }
}

/// A payload: borrowed where nothing had to be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload<'a> {
    bytes: Cow<'a, [u8]>,
    fault: Option<PayloadFault>,
    notes: Vec<PayloadNote>,
}

impl<'a> Payload<'a> {
    pub(crate) fn plain(bytes: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), fault: None, notes: Vec::new() }
    }

    pub(crate) fn faulty(fault: PayloadFault) -> Self {
        Self { bytes: Cow::Borrowed(&[]), fault: Some(fault), notes: Vec::new() }
    }

    /// The decoded bytes; with a fault, those before it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The decoded bytes, borrowed from the record if possible.
    #[must_use]
    pub fn into_bytes(self) -> Cow<'a, [u8]> {
        self.bytes
    }

    /// The damage, if any.
    #[must_use]
    pub fn fault(&self) -> Option<PayloadFault> {
        self.fault
    }

    /// Oddities without loss.
    #[must_use]
    pub fn notes(&self) -> &[PayloadNote] {
        &self.notes
    }
}

/// Takes the codings named in the headers off the body of `message`.
pub(crate) fn decode<'a>(message: &HttpMessage<'a>, limits: &PayloadLimits) -> Payload<'a> {
    let mut payload = Payload::plain(message.body());
    if payload.bytes.is_empty() {
        return payload;
    }
    for coding in codings(message, limits, &mut payload.notes) {
        apply(coding, &mut payload, limits.bytes);
        if payload.fault == Some(PayloadFault::TooLarge) {
            break;
        }
    }
    payload
}

/// The codings of a message, in the order in which they are to be taken off.
fn codings(message: &HttpMessage<'_>, limits: &PayloadLimits, notes: &mut Vec<PayloadNote>) -> Vec<Coding> {
    let mut found = Vec::new();
    for header in ["Content-Encoding", "Transfer-Encoding"] {
        for value in message.headers_named(header) {
            for name in value.split(',').map(|name| name.split(';').next().unwrap_or_default().trim()) {
                let name = name.trim_matches('"');
                match Coding::from_name(name) {
                    // Named twice by mistake: a body is chunked once.
                    Some(Coding::Chunked) if found.contains(&Coding::Chunked) => {}
                    Some(coding) => found.push(coding),
                    None if name.is_empty() || name.eq_ignore_ascii_case("identity") => {}
                    None => notes.push(PayloadNote::Unknown(name.to_owned())),
                }
            }
        }
    }
    found.reverse();
    found.truncate(limits.codings);
    found
}

/// Takes one coding off. Where the header lies, the bytes stay as they are or are unpacked as what they are.
fn apply(coding: Coding, payload: &mut Payload<'_>, limit: usize) {
    let mut out = Vec::new();
    let mut outcome = unpack(coding, &payload.bytes, limit, &mut out);
    if outcome == Outcome::Lie {
        payload.notes.push(PayloadNote::Lie(coding));
        let Some(other) = sniff(&payload.bytes).filter(|other| *other != coding) else { return };
        out.clear();
        outcome = unpack(other, &payload.bytes, limit, &mut out);
    }
    let earlier = payload.fault;
    payload.fault = match outcome {
        Outcome::Whole => earlier,
        Outcome::Lie => return,
        Outcome::Truncated => earlier.or(Some(PayloadFault::Truncated(coding))),
        Outcome::Corrupt => earlier.or(Some(PayloadFault::Corrupt(coding))),
        Outcome::TooLarge => Some(PayloadFault::TooLarge),
    };
    payload.bytes = Cow::Owned(out);
}

/// The coding that the first bytes show, where they show one.
fn sniff(body: &[u8]) -> Option<Coding> {
    match body {
        [0x1f, 0x8b, 0x08, ..] => Some(Coding::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstd),
        // Zlib's two bytes may also begin a text.
        [0x78, ..] if stream::is_zlib(body) && !stream::is_text(body) => Some(Coding::Deflate),
        _ => None,
    }
}

/// How taking off a coding turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Whole,
    Lie,
    Truncated,
    Corrupt,
    TooLarge,
}

fn unpack(coding: Coding, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    match coding {
        Coding::Chunked => match chunked::decode(body, limit, out) {
            Chunks::Whole => Outcome::Whole,
            Chunks::NotChunked => Outcome::Lie,
            Chunks::Truncated => Outcome::Truncated,
            Chunks::Corrupt => Outcome::Corrupt,
            Chunks::TooLarge => Outcome::TooLarge,
        },
        Coding::Gzip => gunzip(body, limit, out),
        Coding::Deflate => inflate(body, limit, out),
        Coding::Brotli => {
            let outcome = read(stream::brotli(body), limit, out);
            lie_if_unlikely(outcome, body, out)
        }
        Coding::Zstd if !stream::is_zstd(body) => Outcome::Lie,
        Coding::Zstd => stream::zstd(body).map_or(Outcome::Corrupt, |reader| read(reader, limit, out)),
    }
}

fn gunzip(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    if !body.starts_with(&GZIP) {
        return Outcome::Lie;
    }
    let mut rest = body;
    while rest.starts_with(&GZIP) {
        match whole(Container::Gzip, rest, limit, out) {
            Some(read) => rest = &rest[read..],
            None => return read(Inflate::new(rest, Container::Gzip), limit, out),
        }
    }
    Outcome::Whole
}

/// Unpacks one whole, sound stream with libdeflate; `None` (and `out` as it was) if it is not that.
fn whole(container: Container, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut inflater = Inflater::new()?;
    let mut room = body.len().saturating_mul(6).clamp(16 << 10, 4 << 20);
    loop {
        let left = limit.saturating_sub(out.len());
        out.reserve_exact(room.min(left));
        if out.capacity() - out.len() > left {
            return None;
        }
        match inflater.unpack(container, body, out) {
            Unpacked::Done(read) => return Some(read),
            Unpacked::Space if room < left => room = room.saturating_mul(4),
            Unpacked::Space | Unpacked::Bad => return None,
        }
    }
}

/// `deflate` is zlib by its definition, and raw, gzip or a lie in practice.
fn inflate(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    if body.starts_with(&GZIP) {
        return gunzip(body, limit, out);
    }
    for container in [Container::Zlib, Container::Raw] {
        if container == Container::Zlib && !stream::is_zlib(body) {
            continue;
        }
        if whole(container, body, limit, out).is_some() {
            return Outcome::Whole;
        }
        let outcome = read(Inflate::new(body, container), limit, out);
        if container == Container::Raw {
            return lie_if_unlikely(outcome, body, out);
        }
        if outcome != Outcome::Corrupt || !out.is_empty() {
            return outcome;
        }
    }
    Outcome::Lie
}

/// Neither brotli nor raw deflate has a magic number: what breaks off at once, or was text before, is neither.
fn lie_if_unlikely(outcome: Outcome, body: &[u8], out: &[u8]) -> Outcome {
    let broken = matches!(outcome, Outcome::Corrupt | Outcome::Truncated);
    let at_once = outcome == Outcome::Corrupt && out.len() < body.len() / 8;
    if broken && (at_once || stream::is_text(body)) { Outcome::Lie } else { outcome }
}

/// Reads to the end of the source or the limit.
fn read(mut source: impl Read, limit: usize, out: &mut Vec<u8>) -> Outcome {
    let mut piece = [0_u8; 8 << 10];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Outcome::Whole,
            Ok(read) => {
                let room = limit.saturating_sub(out.len());
                out.extend_from_slice(&piece[..read.min(room)]);
                if read > room {
                    return Outcome::TooLarge;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Outcome::Truncated,
            Err(_) => return Outcome::Corrupt,
        }
    }
}

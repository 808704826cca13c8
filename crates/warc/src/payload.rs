//! Payloads: transfer and content codings taken off, with a cap on memory.

use std::borrow::Cow;
use std::io::Read;

use crate::chunked::{self, Chunks};
use crate::deflate::{Container, Inflater, Unpacked};
use crate::http::HttpMessage;

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

/// What is odd about a payload, without loss.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadNote {
    /// The header names a coding that the body does not have.
    Lie(Coding),
    /// A coding of unknown name was left as it is.
    Unknown(String),
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
    let content = codings(message, "Content-Encoding", &mut payload.notes);
    let transfer = codings(message, "Transfer-Encoding", &mut payload.notes);
    let mut chunked = false;
    for coding in transfer.into_iter().rev().chain(content.into_iter().rev()).take(limits.codings) {
        // Named twice by mistake: a body is chunked once.
        if coding == Coding::Chunked && std::mem::replace(&mut chunked, true) {
            continue;
        }
        apply(coding, &mut payload, limits.bytes);
        if payload.fault == Some(PayloadFault::TooLarge) {
            break;
        }
    }
    payload
}

fn codings(message: &HttpMessage<'_>, header: &str, notes: &mut Vec<PayloadNote>) -> Vec<Coding> {
    let mut found = Vec::new();
    for value in message.headers_named(header) {
        for name in value.split(',').map(|name| name.split(';').next().unwrap_or_default().trim()) {
            match Coding::from_name(name) {
                Some(coding) => found.push(coding),
                None if name.is_empty() || name.eq_ignore_ascii_case("identity") => {}
                None => notes.push(PayloadNote::Unknown(name.to_owned())),
            }
        }
    }
    found
}

fn apply(coding: Coding, payload: &mut Payload<'_>, limit: usize) {
    let body: &[u8] = &payload.bytes;
    let mut out = Vec::new();
    let outcome = match coding {
        Coding::Chunked => match chunked::decode(body, limit, &mut out) {
            Chunks::Whole => Outcome::Whole,
            Chunks::NotChunked => Outcome::Lie,
            Chunks::Truncated => Outcome::Truncated,
            Chunks::Corrupt => Outcome::Corrupt,
            Chunks::TooLarge => Outcome::TooLarge,
        },
        Coding::Gzip => gunzip(body, limit, &mut out),
        Coding::Deflate => inflate(body, limit, &mut out),
        Coding::Brotli => {
            let reader = brotli_decompressor::Decompressor::new(body, 8 << 10);
            lie_if_empty(read(reader, limit, &mut out), &out)
        }
        Coding::Zstd => unzstd(body, limit, &mut out),
    };
    let earlier = payload.fault;
    payload.fault = match outcome {
        Outcome::Whole => earlier,
        Outcome::Lie => {
            payload.notes.push(PayloadNote::Lie(coding));
            return;
        }
        Outcome::Truncated => earlier.or(Some(PayloadFault::Truncated(coding))),
        Outcome::Corrupt => earlier.or(Some(PayloadFault::Corrupt(coding))),
        Outcome::TooLarge => Some(PayloadFault::TooLarge),
    };
    payload.bytes = Cow::Owned(out);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Whole,
    Lie,
    Truncated,
    Corrupt,
    TooLarge,
}

fn gunzip(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    let mut rest = body;
    let mut first = true;
    while rest.starts_with(&[0x1f, 0x8b]) {
        first = false;
        match whole(Container::Gzip, rest, limit, out) {
            Some(read) => rest = &rest[read..],
            None => {
                let mut decoder = flate2::bufread::GzDecoder::new(rest);
                let outcome = read(&mut decoder, limit, out);
                rest = decoder.into_inner();
                if outcome != Outcome::Whole {
                    return outcome;
                }
            }
        }
    }
    if first { Outcome::Lie } else { Outcome::Whole }
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

fn inflate(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    let zlib = matches!(body, [cmf, flags, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flags)) % 31 == 0);
    if zlib {
        if whole(Container::Zlib, body, limit, out).is_some() {
            return Outcome::Whole;
        }
        let outcome = read(flate2::bufread::ZlibDecoder::new(body), limit, out);
        if outcome != Outcome::Corrupt || !out.is_empty() {
            return outcome;
        }
    }
    if body.starts_with(&[0x1f, 0x8b]) {
        return gunzip(body, limit, out);
    }
    if whole(Container::Raw, body, limit, out).is_some() {
        return Outcome::Whole;
    }
    let outcome = read(flate2::bufread::DeflateDecoder::new(body), limit, out);
    // Text is seldom a deflate stream, but its first bytes may look like one.
    if outcome == Outcome::Corrupt && out.len() < 64 { Outcome::Lie } else { outcome }
}

fn unzstd(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    if !body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) && body.get(1..4) != Some(&[0x2a, 0x4d, 0x18]) {
        return Outcome::Lie;
    }
    let Ok(mut decoder) = zstd::stream::read::Decoder::with_buffer(body) else { return Outcome::Corrupt };
    // RFC 9659: windows of HTTP content are at most 8 MiB.
    if decoder.window_log_max(23).is_err() {
        return Outcome::Corrupt;
    }
    read(decoder, limit, out)
}

fn lie_if_empty(outcome: Outcome, out: &[u8]) -> Outcome {
    if outcome == Outcome::Corrupt && out.is_empty() { Outcome::Lie } else { outcome }
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

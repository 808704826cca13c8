//! Decodes payloads that are held in memory.

use std::borrow::Cow;
use std::io::Read;

use super::chunked::{self, Chunks};
use super::coding::{
    Coding, PayloadFault, PayloadLimits, PayloadNote, codings, is_text, is_zlib, is_zstd, sniff,
};
use super::inflate::Inflate;
use super::stream::{brotli, zstd};
use crate::deflate::{Container, Decompressed, Inflater};
use crate::http::HttpMessage;
use crate::magic;

/// A payload, borrowed if nothing had to be decoded.
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

    /// The decoded bytes; in case of damage, those before it.
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

    /// Oddities that lose nothing.
    #[must_use]
    pub fn notes(&self) -> &[PayloadNote] {
        &self.notes
    }
}

impl<'a> HttpMessage<'a> {
    /// The body with transfer and content codings removed.
    #[must_use]
    pub fn payload(&self, limits: &PayloadLimits) -> Payload<'a> {
        decode(self, limits)
    }
}

/// Removes the codings named in the headers from the body of `message`.
fn decode<'a>(message: &HttpMessage<'a>, limits: &PayloadLimits) -> Payload<'a> {
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

/// Removes one coding. If the header lies, the bytes are decoded by the coding that they have, or left as they are.
fn apply(coding: Coding, payload: &mut Payload<'_>, limit: usize) {
    let mut out = Vec::new();
    let mut outcome = decompress(coding, &payload.bytes, limit, &mut out);
    if outcome == Outcome::Lie {
        payload.notes.push(PayloadNote::Lie(coding));
        let Some(other) = sniff(&payload.bytes).filter(|other| *other != coding) else { return };
        out.clear();
        outcome = decompress(other, &payload.bytes, limit, &mut out);
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

/// Outcome of removing a coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Whole,
    Lie,
    Truncated,
    Corrupt,
    TooLarge,
}

fn decompress(coding: Coding, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
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
            let outcome = read(brotli(body), limit, out);
            lie_if_unlikely(outcome, body, out)
        }
        Coding::Zstd if !is_zstd(body) => Outcome::Lie,
        Coding::Zstd => zstd(body).map_or(Outcome::Corrupt, |reader| read(reader, limit, out)),
    }
}

fn gunzip(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    if !body.starts_with(&magic::GZIP) {
        return Outcome::Lie;
    }
    let mut rest = body;
    while rest.starts_with(&magic::GZIP) {
        match whole(Container::Gzip, rest, limit, out) {
            Some(read) => rest = &rest[read..],
            None => return read(Inflate::new(rest, Container::Gzip), limit, out),
        }
    }
    Outcome::Whole
}

/// Decompresses one complete, valid stream with libdeflate. Otherwise returns `None` and leaves `out` unchanged.
fn whole(container: Container, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut inflater = Inflater::new()?;
    let mut room = body.len().saturating_mul(6).clamp(16 << 10, 4 << 20);
    loop {
        let left = limit.saturating_sub(out.len());
        out.reserve_exact(room.min(left));
        if out.capacity() - out.len() > left {
            return None;
        }
        match inflater.decompress(container, body, out) {
            Decompressed::Done(read) => return Some(read),
            Decompressed::Space if room < left => room = room.saturating_mul(4),
            Decompressed::Space | Decompressed::Bad => return None,
        }
    }
}

/// `deflate` is zlib by definition; in practice it may be raw, gzip or a lie.
fn inflate(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Outcome {
    if body.starts_with(&magic::GZIP) {
        return gunzip(body, limit, out);
    }
    for container in [Container::Zlib, Container::Raw] {
        if container == Container::Zlib && !is_zlib(body) {
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

/// Neither brotli nor raw deflate has a magic number. Data that fails at once, or is text, is neither of them.
fn lie_if_unlikely(outcome: Outcome, body: &[u8], out: &[u8]) -> Outcome {
    let broken = matches!(outcome, Outcome::Corrupt | Outcome::Truncated);
    let at_once = outcome == Outcome::Corrupt && out.len() < body.len() / 8;
    if broken && (at_once || is_text(body)) { Outcome::Lie } else { outcome }
}

/// Reads up to the end of the source or the limit.
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

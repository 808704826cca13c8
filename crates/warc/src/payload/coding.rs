//! Content and transfer codings, as headers name them and as content shows them.

use crate::http::HttpMessage;
use crate::magic;

/// Limits for decoding payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadLimits {
    /// Largest payload in bytes, at every stage of decoding. 32 MiB by default: more than any page and all but a few images.
    pub bytes: usize,
    /// Largest number of stacked codings. 8 by default; real messages have at most three.
    pub codings: usize,
}

impl Default for PayloadLimits {
    fn default() -> Self {
        Self { bytes: 32 << 20, codings: 8 }
    }
}

impl PayloadLimits {
    /// Sets the limit in bytes.
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

/// Damage of a payload. [`Payload::bytes`](super::Payload::bytes) holds what could be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadFault {
    /// The coded body ends too early.
    #[error("{} body ends too early", .0.name())]
    Truncated(Coding),
    /// The coded body cannot be decoded to its end.
    #[error("{} body is corrupt", .0.name())]
    Corrupt(Coding),
    /// The payload is larger than [`PayloadLimits::bytes`].
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

/// An oddity of a payload that loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadNote {
    /// The header names a coding that the body does not have.
    Lie(Coding),
    /// A coding with an unknown name was not removed.
    Unknown(String),
}

impl std::fmt::Display for PayloadNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lie(coding) => write!(f, "body is not {}, although its header says so", coding.name()),
            Self::Unknown(name) => write!(f, "unknown coding {name:?}"),
        }
    }
}

/// The codings of a message, in the order in which they are removed.
pub(super) fn codings(
    message: &HttpMessage<'_>,
    limits: &PayloadLimits,
    notes: &mut Vec<PayloadNote>,
) -> Vec<Coding> {
    let mut found = Vec::new();
    for header in ["Content-Encoding", "Transfer-Encoding"] {
        for value in message.headers_named(header) {
            for name in value.split(',').map(|name| name.split(';').next().unwrap_or_default().trim()) {
                let name = name.trim_matches('"');
                match Coding::from_name(name) {
                    // Named twice by mistake: a body is chunked only once.
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

/// The coding that the first bytes show, if any.
pub(super) fn sniff(body: &[u8]) -> Option<Coding> {
    match body {
        [0x1f, 0x8b, 0x08, ..] => Some(Coding::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstd),
        // A text may also start with zlib's two bytes.
        [0x78, ..] if is_zlib(body) && !is_text(body) => Some(Coding::Deflate),
        _ => None,
    }
}

pub(super) fn is_zstd(body: &[u8]) -> bool {
    body.starts_with(&magic::ZSTD) || body.get(1..4) == Some(&[0x2a, 0x4d, 0x18])
}

/// Whether the bytes start with a zlib header (RFC 1950).
pub(super) fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// Whether the first bytes are text. Compressed data soon has a control character.
pub(super) fn is_text(body: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    !body.iter().take(64).any(control)
}

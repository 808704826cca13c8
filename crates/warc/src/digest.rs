//! Digests of records: sha1, sha256, sha512, md5; base32 or hexadecimal.

pub(crate) mod streamed;

use ::digest::{Digest as _, DynDigest};
use data_encoding::{BASE32, BASE32_NOPAD, HEXLOWER_PERMISSIVE};

use crate::head::RecordType;
use crate::http::HttpMessage;
use crate::payload::chunked::{self, Chunks};

/// A hash function named in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-1, which almost all crawlers write.
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
    /// MD5
    Md5,
}

impl Algorithm {
    /// The name in WARC headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Md5 => "md5",
        }
    }

    /// The hash of `data`.
    #[must_use]
    pub fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
            Self::Md5 => md5::Md5::digest(data).to_vec(),
        }
    }

    fn hasher(self) -> Box<dyn DynDigest + Send> {
        match self {
            Self::Sha1 => Box::new(sha1::Sha1::default()),
            Self::Sha256 => Box::new(sha2::Sha256::default()),
            Self::Sha512 => Box::new(sha2::Sha512::default()),
            Self::Md5 => Box::new(md5::Md5::default()),
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        let name: Vec<u8> = name.iter().filter(|byte| **byte != b'-').map(u8::to_ascii_lowercase).collect();
        [Self::Sha1, Self::Sha256, Self::Sha512, Self::Md5]
            .into_iter()
            .find(|algorithm| algorithm.name().as_bytes() == name)
    }

    fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
            Self::Md5 => 16,
        }
    }
}

/// Hashes data in pieces; also a sink for [`std::io::copy`].
pub struct Hasher(Box<dyn DynDigest + Send>);

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Creates a hasher without data.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(algorithm.hasher())
    }

    /// Adds the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The hash of all bytes added.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.finalize().into_vec()
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A digest from a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Digest {
    /// A known algorithm and its value.
    Known(Algorithm, Vec<u8>),
    /// Anything else.
    Unknown,
}

impl Digest {
    /// Parses `algorithm:value`. The value may be base32 or hexadecimal, in any case.
    #[must_use]
    pub fn parse(field: &[u8]) -> Self {
        let parse = || {
            let colon = memchr::memchr(b':', field)?;
            let algorithm = Algorithm::from_name(field[..colon].trim_ascii())?;
            let value = field[colon + 1..].trim_ascii();
            let upper = value.to_ascii_uppercase();
            [HEXLOWER_PERMISSIVE.decode(value), BASE32.decode(&upper), BASE32_NOPAD.decode(&upper)]
                .into_iter()
                .flatten()
                .find(|bytes| bytes.len() == algorithm.len())
                .map(|bytes| Self::Known(algorithm, bytes))
        };
        parse().unwrap_or(Self::Unknown)
    }

    /// Whether `data` has this digest; `None` if the digest cannot be checked.
    #[must_use]
    pub fn check(&self, data: &[u8]) -> Option<bool> {
        match self {
            Self::Known(algorithm, value) => Some(algorithm.hash(data) == *value),
            Self::Unknown => None,
        }
    }
}

/// The SHA-1 digest as crawlers write it: `sha1:` and the hash in base32.
#[must_use]
pub fn sha1_base32(data: &[u8]) -> String {
    format!("sha1:{}", BASE32.encode(&Algorithm::Sha1.hash(data)))
}

/// Result of checking the digests of a record. `None` means that the field is missing, its algorithm unknown, or that
/// there is nothing to compare it with (a truncated or streamed body, or the payload of a revisit record).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DigestCheck {
    /// Whether `WARC-Block-Digest` matches.
    pub block: Option<bool>,
    /// Whether `WARC-Payload-Digest` matches.
    pub payload: Option<bool>,
}

impl DigestCheck {
    /// Whether no digest mismatches.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.block != Some(false) && self.payload != Some(false)
    }

    pub(crate) fn of(
        block: Option<Digest>,
        payload: Option<Digest>,
        body: Option<&[u8]>,
        http: Option<HttpMessage<'_>>,
        kind: RecordType,
    ) -> Self {
        let Some(body) = body else { return Self::default() };
        let block = block.and_then(|digest| digest.check(body));
        // The payload of a revisit record is that of the record it refers to.
        let payload = payload.filter(|_| kind != RecordType::Revisit).and_then(|digest| match http {
            None => digest.check(body),
            Some(message) => check_http(&digest, &message),
        });
        Self { block, payload }
    }
}

/// Checks both readings, because writers disagree on whether the transfer coding belongs to the payload.
fn check_http(digest: &Digest, message: &HttpMessage<'_>) -> Option<bool> {
    if digest.check(message.body())? {
        return Some(true);
    }
    if !is_chunked(message) {
        return Some(false);
    }
    let mut data = Vec::new();
    let whole = chunked::decode(message.body(), usize::MAX, &mut data) == Chunks::Whole;
    Some(whole && digest.check(&data) == Some(true))
}

fn is_chunked(message: &HttpMessage<'_>) -> bool {
    message.headers_named("Transfer-Encoding").any(|value| value.to_ascii_lowercase().contains("chunked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_forms() {
        let hash = Algorithm::Sha1.hash(b"abc");
        for field in [
            "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5",
            "SHA-1:vgmt4nsha2awvor6evyxqugcnsonbwe5",
            "sha1: A9993E364706816ABA3E25717850C26C9CD0D89D",
        ] {
            assert_eq!(
                Digest::parse(field.as_bytes()),
                Digest::Known(Algorithm::Sha1, hash.clone()),
                "{field}"
            );
        }
        assert_eq!(Digest::parse(b"md5:900150983cd24fb0d6963f7d28e17f72").check(b"abc"), Some(true));
        assert_eq!(Digest::parse(b"sha256:00").check(b"abc"), None);
        assert_eq!(sha1_base32(b"abc"), "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5");
    }
}

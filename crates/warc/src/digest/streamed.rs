//! Digests of a body that comes in pieces, in bounded memory.

use std::io::{BufReader, Cursor, Read};

use super::{Digest, DigestCheck, Hasher, is_chunked};
use crate::head::RecordType;
use crate::http::HttpMessage;
use crate::payload::{HEAD, chunked::Unchunk};
use crate::record::BodyReader;

/// The digests that a record's header gives, and what its body must be for them to count.
pub(crate) struct Given {
    pub(crate) block: Option<Digest>,
    pub(crate) payload: Option<Digest>,
    /// How the body is read as an HTTP message.
    pub(crate) kind: Option<RecordType>,
    /// Bytes of a whole body; others are not checked.
    pub(crate) length: u64,
}

/// Reads the body once and checks both digests.
pub(crate) fn check(given: Given, body: BodyReader<'_>) -> std::io::Result<DigestCheck> {
    let running = |digest: &Option<Digest>| digest.as_ref().and_then(Running::new);
    let mut body = Watched { body, read: 0, block: running(&given.block), message: None };
    let mut start = Vec::new();
    body.by_ref().take(HEAD).read_to_end(&mut start)?;
    let message = given.kind.and_then(|kind| HttpMessage::of(kind, &start));
    let skip = message.map_or(0, |message| start.len() - message.body().len());
    let chunked = message.is_some_and(|message| is_chunked(&message));
    start.drain(..skip);
    body.message = running(&given.payload);
    if let Some(message) = &mut body.message {
        message.hasher.update(&start);
    }
    let mut payload_unchunked = None;
    if let Some(mut content) = running(&given.payload).filter(|_| chunked) {
        let source = BufReader::new(Cursor::new(start).chain(&mut body));
        let whole = std::io::copy(&mut Unchunk::new(source), &mut content.hasher).is_ok();
        payload_unchunked = Some(whole && content.matches());
    }
    std::io::copy(&mut body, &mut std::io::sink())?;
    if body.read != given.length {
        return Ok(DigestCheck::default());
    }
    let payload = body.message.map(|message| message.matches() || payload_unchunked == Some(true));
    Ok(DigestCheck { block: body.block.map(Running::matches), payload })
}

/// A hash being taken, and what it has to be.
struct Running {
    hasher: Hasher,
    value: Vec<u8>,
}

impl Running {
    fn new(digest: &Digest) -> Option<Self> {
        match digest {
            Digest::Known(algorithm, value) => {
                Some(Self { hasher: Hasher::new(*algorithm), value: value.clone() })
            }
            Digest::Unknown => None,
        }
    }

    fn matches(self) -> bool {
        self.hasher.finish() == self.value
    }
}

/// A body whose bytes are hashed as they are read.
struct Watched<'a> {
    body: BodyReader<'a>,
    read: u64,
    block: Option<Running>,
    message: Option<Running>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(buf)?;
        self.read += read as u64;
        for running in [&mut self.block, &mut self.message].into_iter().flatten() {
            running.hasher.update(&buf[..read]);
        }
        Ok(read)
    }
}

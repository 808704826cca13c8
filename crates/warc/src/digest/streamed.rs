//! Checks the digests of a streamed body in bounded memory.

use std::io::{BufReader, Cursor, Read};

use super::{Digest, DigestCheck, Hasher, is_chunked};
use crate::head::RecordType;
use crate::http::HttpMessage;
use crate::payload::{HEAD, chunked::Unchunk};

/// The digests in a record's header, and what its body must be for them to be checked.
pub(crate) struct Given {
    pub(crate) block: Option<Digest>,
    pub(crate) payload: Option<Digest>,
    /// The record type by which the body is parsed as an HTTP message.
    pub(crate) kind: Option<RecordType>,
    /// Length of the complete body in bytes. A body of another length is not checked.
    pub(crate) length: u64,
}

/// Reads the body once and checks both digests.
pub(crate) fn check(given: Given, body: impl Read) -> std::io::Result<DigestCheck> {
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

/// A hash in progress and its expected value.
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

/// A body that hashes its bytes as they are read.
struct Watched<R> {
    body: R,
    read: u64,
    block: Option<Running>,
    message: Option<Running>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(buf)?;
        self.read += read as u64;
        for running in [&mut self.block, &mut self.message].into_iter().flatten() {
            running.hasher.update(&buf[..read]);
        }
        Ok(read)
    }
}

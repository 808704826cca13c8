//! Reads the body of a record.

use std::io::Read;
use std::ops::Range;

/// A body that is larger than [`Options::buffer_limit`](crate::Options::buffer_limit) and decoded in pieces.
pub(crate) trait StreamedBody {
    /// Reads bytes of the body into `buf`, taking more of the archive from `source` if needed. `piece` holds what is
    /// left of the present piece, as indexes into the decoder's memory.
    fn read_body(
        &mut self,
        source: &mut dyn Read,
        piece: &mut Range<usize>,
        buf: &mut [u8],
    ) -> std::io::Result<usize>;
}

/// A streamed body and the source of its bytes.
pub(crate) struct Stream<'a> {
    pub(crate) body: &'a mut dyn StreamedBody,
    pub(crate) source: &'a mut dyn Read,
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

/// Reads the body of one record.
#[derive(Debug)]
pub struct BodyReader<'a> {
    whole: &'a [u8],
    piece: Range<usize>,
    stream: Option<Stream<'a>>,
}

impl<'a> BodyReader<'a> {
    /// Reads a body held in memory, or else a streamed one.
    pub(crate) fn new(whole: &'a [u8], stream: Option<Stream<'a>>) -> Self {
        Self { whole, piece: 0..0, stream }
    }
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.stream {
            _ if !self.whole.is_empty() => self.whole.read(buf),
            Some(Stream { body, source }) => body.read_body(*source, &mut self.piece, buf),
            None => Ok(0),
        }
    }
}

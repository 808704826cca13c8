//! The chunked transfer coding, decoded leniently.

use std::io::{BufRead, ErrorKind, Read};

/// Longest line with a chunk size and its extensions.
const LINE: usize = 4096;

/// Outcome of decoding a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// Complete, including the last chunk.
    Whole,
    /// Not chunked: the header lies.
    NotChunked,
    /// Ends before its last chunk.
    Truncated,
    /// A chunk does not end where it should. The rest is kept as it is.
    Corrupt,
    /// Larger than the limit.
    TooLarge,
}

/// Appends the data of the chunks in `body` to `out`.
pub(crate) fn decode(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Chunks {
    let mut rest = body;
    let mut first = true;
    loop {
        let Some(end) = memchr::memchr(b'\n', &rest[..rest.len().min(LINE)]) else {
            return cut(rest, first, limit, out);
        };
        let Some(size) = size(&rest[..end]) else {
            return if first { Chunks::NotChunked } else { raw(rest, limit, out) };
        };
        let data = &rest[end + 1..];
        if size == 0 {
            return Chunks::Whole;
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(chunk) = data.get(..size) else {
            if first && !rest[..end].ends_with(b"\r") {
                // A line of text that happens to be a number.
                return Chunks::NotChunked;
            }
            let fits = append(data, limit, out);
            return if fits { Chunks::Truncated } else { Chunks::TooLarge };
        };
        let (behind, next) = match &data[size..] {
            [b'\r', b'\n', next @ ..] | [b'\n', next @ ..] => (Behind::Chunk, next),
            [] | [b'\r'] => (Behind::End, &[][..]),
            _ => (Behind::Other, &[][..]),
        };
        // If the size of a chunk is wrong, it is unknown which bytes belong to it.
        if behind == Behind::Other {
            return if first { Chunks::NotChunked } else { raw(rest, limit, out) };
        }
        if !append(chunk, limit, out) {
            return Chunks::TooLarge;
        }
        if behind == Behind::End {
            return Chunks::Truncated;
        }
        rest = next;
        first = false;
    }
}

/// What follows the data of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// A line end, as required.
    Chunk,
    /// Nothing.
    End,
    /// Something else.
    Other,
}

/// Handles a missing line end after a chunk size.
fn cut(rest: &[u8], first: bool, limit: usize, out: &mut Vec<u8>) -> Chunks {
    let trimmed = rest.trim_ascii();
    if size(trimmed) == Some(0) {
        return Chunks::Whole;
    }
    if first && !trimmed.is_empty() {
        return Chunks::NotChunked;
    }
    if trimmed.is_empty() || size(trimmed).is_some() {
        return Chunks::Truncated;
    }
    raw(rest, limit, out)
}

fn raw(rest: &[u8], limit: usize, out: &mut Vec<u8>) -> Chunks {
    if append(rest, limit, out) { Chunks::Corrupt } else { Chunks::TooLarge }
}

fn append(data: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
    let room = limit.saturating_sub(out.len());
    out.extend_from_slice(&data[..data.len().min(room)]);
    data.len() <= room
}

/// The size in a chunk's first line; extensions after `;` are ignored.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    // `from_str_radix` accepts a sign; a chunk size has none.
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Whether a body starts with the size of a chunk.
pub(super) fn begins(body: &[u8]) -> bool {
    let line = &body[..body.len().min(LINE)];
    memchr::memchr(b'\n', line).is_some_and(|end| size(&line[..end]).is_some())
}

/// Streams a chunked body up to its end or to a damaged chunk.
///
/// Errors are [`ErrorKind::UnexpectedEof`] if the body is truncated and [`ErrorKind::InvalidData`] if it is damaged.
pub(crate) struct Unchunk<R> {
    source: R,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Over,
}

impl<R: BufRead> Unchunk<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, state: State::Size }
    }

    fn size(&mut self) -> std::io::Result<State> {
        let mut line = Vec::new();
        self.source.by_ref().take(LINE as u64).read_until(b'\n', &mut line)?;
        match size(line.trim_ascii()) {
            Some(0) => Ok(State::Over),
            Some(_) if !line.ends_with(b"\n") => Err(ErrorKind::UnexpectedEof.into()),
            Some(size) => Ok(State::Data(size)),
            None if line.trim_ascii().is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            None => Err(ErrorKind::InvalidData.into()),
        }
    }

    fn data_end(&mut self) -> std::io::Result<State> {
        let mut byte = [0];
        for end in [b'\r', b'\n'] {
            let next = self.source.fill_buf()?.first().copied();
            match next {
                None => return Err(ErrorKind::UnexpectedEof.into()),
                Some(next) if next == end => self.source.read_exact(&mut byte)?,
                Some(b'\n') => {}
                Some(_) => return Err(ErrorKind::InvalidData.into()),
            }
        }
        Ok(State::Size)
    }
}

impl<R: BufRead> Read for Unchunk<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match self.state {
                State::Size => self.size()?,
                State::Data(0) => State::DataEnd,
                State::DataEnd => self.data_end()?,
                State::Over => return Ok(0),
                State::Data(left) => {
                    let most = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let read = self.source.read(&mut buf[..most])?;
                    if read == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    self.state = State::Data(left - read as u64);
                    return Ok(read);
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], expected: (Chunks, &[u8])) {
        let mut out = Vec::new();
        let chunks = decode(body, 100, &mut out);
        assert_eq!((chunks, &out[..]), expected, "{:?}", body.escape_ascii().to_string());
    }

    #[test]
    fn reads_chunks() {
        check(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", (Chunks::Whole, b"abcde"));
        check(b"3;name=value\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", (Chunks::Whole, b"abc"));
        check(b"3\nabc\n0\n\n", (Chunks::Whole, b"abc"));
        check(b"003  \r\nabc\r\n0", (Chunks::Whole, b"abc"));
        check(b"<html>\r\n", (Chunks::NotChunked, b""));
        check(b"<html>", (Chunks::NotChunked, b""));
        check(b"3\r\nabc\r\nfff\r\nde", (Chunks::Truncated, b"abcde"));
        check(b"3\r\nabc\r\n", (Chunks::Truncated, b"abc"));
        check(b"3\r\nabcdefg\r\n", (Chunks::NotChunked, b""));
        check(b"2\r\nde\r\n3\r\nabcdefg\r\n", (Chunks::Corrupt, b"de3\r\nabcdefg\r\n"));
        check(b"42\nis a number", (Chunks::NotChunked, b""));
        check(b"f\r\nabc", (Chunks::Truncated, b"abc"));
        check(b"3\r\nabc\r\nwhat\r\n", (Chunks::Corrupt, b"abcwhat\r\n"));
        check(b"ffffffffffffffffff\r\nabc\r\n", (Chunks::NotChunked, b""));
        let mut out = Vec::new();
        assert_eq!(decode(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", 4, &mut out), Chunks::TooLarge);
        assert_eq!(out, b"abcd");
    }
    #[test]
    fn reads_chunks_piece_by_piece() {
        let read = |body: &[u8]| {
            let mut out = Vec::new();
            let result = Unchunk::new(body).read_to_end(&mut out);
            (out, result.map_err(|error| error.kind()).err())
        };
        assert_eq!(read(b"3;x\r\nabc\r\n2\nde\n0\r\nT: x\r\n\r\n"), (b"abcde".to_vec(), None));
        assert_eq!(read(b"3\r\nab"), (b"ab".to_vec(), Some(ErrorKind::UnexpectedEof)));
        assert_eq!(read(b"3\r\nabc\r\n"), (b"abc".to_vec(), Some(ErrorKind::UnexpectedEof)));
        assert_eq!(read(b"3\r\nabcd\r\n"), (b"abc".to_vec(), Some(ErrorKind::InvalidData)));
        assert_eq!(read(b"3\r\nabc\r\nxyz\r\n"), (b"abc".to_vec(), Some(ErrorKind::InvalidData)));
    }
}

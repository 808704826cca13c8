//! The chunked transfer coding, read leniently.

/// How a chunked body turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// Whole, up to and including the last chunk.
    Whole,
    /// Not chunked at all: the header lies.
    NotChunked,
    /// Ends before its last chunk.
    Truncated,
    /// A chunk does not end where it should; the rest is taken as it is.
    Corrupt,
    /// More than the limit.
    TooLarge,
}

/// Appends the data of the chunks in `body` to `out`.
pub(crate) fn decode(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Chunks {
    let mut rest = body;
    let mut first = true;
    loop {
        let Some(end) = memchr::memchr(b'\n', &rest[..rest.len().min(4096)]) else {
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
            let fits = append(data, limit, out);
            return if fits { Chunks::Truncated } else { Chunks::TooLarge };
        };
        if !append(chunk, limit, out) {
            return Chunks::TooLarge;
        }
        let after = &data[size..];
        rest = match after {
            [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
            [] | [b'\r'] => return Chunks::Truncated,
            _ => return raw(after, limit, out),
        };
        first = false;
    }
}

/// No line end where a chunk size should be.
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
    // `from_str_radix` takes a sign; a chunk size has none.
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
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
        check(b"3\r\nabcdefg\r\n", (Chunks::Corrupt, b"abcdefg\r\n"));
        check(b"3\r\nabc\r\nwhat\r\n", (Chunks::Corrupt, b"abcwhat\r\n"));
        check(b"ffffffffffffffffff\r\nabc\r\n", (Chunks::NotChunked, b""));
        let mut out = Vec::new();
        assert_eq!(decode(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", 4, &mut out), Chunks::TooLarge);
        assert_eq!(out, b"abcd");
    }
}

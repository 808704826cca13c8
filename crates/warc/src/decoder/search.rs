//! Where header blocks end and where the next record may begin.

/// Where a header block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadEnd {
    /// Bytes of the block, and bytes up to the body.
    At { block: usize, body: usize },
    /// No blank line yet; search again from here.
    None { scanned: usize },
}

/// Finds the blank line that ends the header block at the start of `data`, from index `from` on.
/// A line that begins another record ends the block too.
pub(super) fn head_end(data: &[u8], from: usize) -> HeadEnd {
    for newline in memchr::memchr_iter(b'\n', &data[from..]).map(|at| at + from) {
        let rest = &data[newline + 1..];
        if rest.starts_with(b"\n") {
            return HeadEnd::At { block: newline + 1, body: newline + 2 };
        }
        if rest.starts_with(b"\r\n") {
            return HeadEnd::At { block: newline + 1, body: newline + 3 };
        }
        if is_version(rest) {
            return HeadEnd::At { block: newline + 1, body: newline + 1 };
        }
        if rest.len() < 8 {
            return HeadEnd::None { scanned: newline };
        }
    }
    HeadEnd::None { scanned: data.len() }
}

/// Whether `bytes` begin with `WARC/` and a digit.
pub(super) fn is_version(bytes: &[u8]) -> bool {
    bytes.len() > 5 && bytes[..5].eq_ignore_ascii_case(b"WARC/") && bytes[5].is_ascii_digit()
}

/// Whether a version line and a header field follow each other here: a record, not words of a text.
fn is_plausible(bytes: &[u8]) -> bool {
    if !is_version(bytes) {
        return false;
    }
    let window = &bytes[..bytes.len().min(512)];
    let Some(end) = memchr::memchr(b'\n', window) else { return false };
    if end > 16 {
        return false;
    }
    let next = &window[end + 1..];
    let name = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
    memchr::memchr(b':', name).is_some_and(|colon| {
        colon > 0 && name[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}

/// Index of the first record that begins a line in `data`, from `from` on (a record at `from` itself counts).
pub(super) fn next_record(data: &[u8], from: usize, arc: bool) -> Option<usize> {
    let rest = data.get(from..)?;
    if is_plausible(rest) || (arc && crate::arc::is_header_line(rest)) {
        return Some(from);
    }
    let warc = memchr::memmem::find_iter(rest, b"WARC/")
        .find(|&at| at > 0 && rest[at - 1] == b'\n' && is_plausible(&rest[at..]));
    if !arc {
        return warc.map(|at| at + from);
    }
    let line = memchr::memchr_iter(b'\n', rest)
        .map(|at| at + 1)
        .take_while(|at| warc.is_none_or(|warc| *at <= warc))
        .find(|at| crate::arc::is_header_line(&rest[*at..]));
    line.or(warc).map(|at| at + from)
}

/// `data[..end]` without the blank line before a record: at most two line ends.
pub(super) fn without_separator(data: &[u8], end: usize) -> usize {
    let mut end = end;
    for _ in 0..2 {
        let Some(shorter) = data[..end].strip_suffix(b"\n") else { break };
        end = shorter.strip_suffix(b"\r").unwrap_or(shorter).len();
    }
    end
}

/// Bytes of padding (line ends, zeros) at the start of `data`.
pub(super) fn padding(data: &[u8]) -> usize {
    data.iter().position(|byte| !matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_a_block() {
        assert_eq!(head_end(b"WARC/1.0\r\nA: b\r\n\r\nbody", 0), HeadEnd::At { block: 16, body: 18 });
        assert_eq!(head_end(b"WARC/1.0\nA: b\n\nbody", 0), HeadEnd::At { block: 14, body: 15 });
        assert_eq!(head_end(b"WARC/1.0\nA: b\nWARC/1.0\n", 0), HeadEnd::At { block: 14, body: 14 });
        assert_eq!(head_end(b"WARC/1.0\nA: b\n", 0), HeadEnd::None { scanned: 8 });
    }

    #[test]
    fn finds_records_but_not_words() {
        let data = b"x WARC/1.0 \nWARC/1.0 is a format\n\nWARC/1.0\r\nWARC-Type: x\r\n";
        assert_eq!(next_record(data, 0, false), Some(34));
        assert_eq!(without_separator(b"body\r\n\r\n", 8), 4);
        assert_eq!(without_separator(b"body\n\n\n", 7), 5);
    }
}

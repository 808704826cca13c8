//! Finds the ends of header blocks and the starts of records.

/// Whether these bytes start a WARC record or, if `arc`, an ARC record.
pub(crate) fn is_record_start(bytes: &[u8], arc: bool) -> bool {
    bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"WARC/"))
        || (arc && (bytes.starts_with(b"filedesc:") || crate::arc::is_header_line(bytes)))
}

/// Where a header block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadEnd {
    /// Bytes of the block, and bytes up to the body.
    At { block: usize, body: usize },
    /// No blank line yet. Search again from here.
    None { scanned: usize },
}

/// Finds the blank line that ends the header block at the start of `data`, from index `from` on.
/// A line that starts another record also ends the block, and so does a line that another record cuts short.
pub(crate) fn head_end(data: &[u8], from: usize) -> HeadEnd {
    let mut scanned = from;
    for newline in memchr::memchr_iter(b'\n', &data[from..]).map(|at| at + from) {
        scanned = newline;
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
        if let Some(at) = glued_record(data, newline) {
            return HeadEnd::At { block: at, body: at };
        }
    }
    HeadEnd::None { scanned }
}

/// Index of a record whose version line ends at `newline` but does not start its line.
fn glued_record(data: &[u8], newline: usize) -> Option<usize> {
    let from = newline.saturating_sub(16);
    let at = memchr::memmem::find(&data[from..newline], b"WARC/")? + from;
    let before = data[at.checked_sub(1)?];
    let glued = !matches!(before, b' ' | b'\t' | b'\n') && likeness(&data[at..]) == Likeness::Sure;
    glued.then_some(at)
}

/// Whether `bytes` start with `WARC/` and a digit.
pub(crate) fn is_version(bytes: &[u8]) -> bool {
    bytes.len() > 5 && bytes[..5].eq_ignore_ascii_case(b"WARC/") && bytes[5].is_ascii_digit()
}

/// Bytes needed after a position to decide whether a record starts there.
pub(crate) const LOOK_AHEAD: usize = 512;

/// How certain it is that a record starts at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Not a record.
    No,
    /// A version line and something like a header field: a record if it starts a line.
    Likely,
    /// A version line and a field that only records have: a record at any position.
    Sure,
}

/// Whether a version line and a header field follow each other here, as in a record and not in text.
fn likeness(bytes: &[u8]) -> Likeness {
    if !is_version(bytes) {
        return Likeness::No;
    }
    let window = &bytes[..bytes.len().min(LOOK_AHEAD)];
    let Some(end) = memchr::memchr(b'\n', window).filter(|end| *end <= 16) else { return Likeness::No };
    let next = &window[end + 1..];
    let line = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
    let Some(colon) = memchr::memchr(b':', line) else { return Likeness::No };
    let name = line[..colon].trim_ascii_end();
    if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
        return Likeness::No;
    }
    let own = [&b"WARC-"[..], b"Content-"]
        .iter()
        .any(|start| name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start)));
    if own { Likeness::Sure } else { Likeness::Likely }
}

/// Whether `bytes` certainly start a record.
pub(crate) fn is_sure(bytes: &[u8]) -> bool {
    likeness(bytes) == Likeness::Sure
}

/// Index of the first record in `data` that starts at or after `from`. Records are expected at the index `origin` and after
/// line ends; elsewhere only certain ones count.
pub(crate) fn next_record(data: &[u8], from: usize, origin: usize, arc: bool) -> Option<usize> {
    let begins_line = |at: usize| at == origin || at.checked_sub(1).is_some_and(|at| data[at] == b'\n');
    let rest = data.get(from..)?;
    let warc = memchr::memmem::find_iter(rest, b"WARC/").map(|at| at + from).find(|&at| {
        let likeness = likeness(&data[at..]);
        likeness == Likeness::Sure || (likeness == Likeness::Likely && begins_line(at))
    });
    if !arc {
        return warc;
    }
    let first = begins_line(from).then_some(from);
    let line = first
        .into_iter()
        .chain(memchr::memchr_iter(b'\n', rest).map(|at| at + from + 1))
        .take_while(|at| warc.is_none_or(|warc| *at <= warc))
        .find(|at| crate::arc::is_header_line(&data[*at..]));
    line.or(warc)
}

/// Index of the first record that starts a line in `data` at or after `from`, for reading from the middle of a plain
/// archive.
pub(crate) fn record_in_text(data: &[u8], from: usize, arc: bool) -> Option<usize> {
    next_record(data, from, usize::MAX, arc)
}

/// The end of `data[..end]` without the blank line before a record, which is at most two line ends.
pub(crate) fn without_separator(data: &[u8], end: usize) -> usize {
    let mut end = end;
    for _ in 0..2 {
        let Some(shorter) = data[..end].strip_suffix(b"\n") else { break };
        end = shorter.strip_suffix(b"\r").unwrap_or(shorter).len();
    }
    end
}

/// Number of padding bytes (line ends, zeros) at the start of `data`.
pub(crate) fn padding(data: &[u8]) -> usize {
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
        assert_eq!(head_end(b"WARC/1.0\nA: b\n", 0), HeadEnd::None { scanned: 13 });
        let cut = b"WARC/1.0\nContent-TyWARC/1.0\nWARC-Type: x\n\n";
        assert_eq!(head_end(cut, 0), HeadEnd::At { block: 19, body: 19 });
        let whole = b"WARC/1.0\nX: like WARC/1.0\nWARC-Type: x\n\n";
        assert_eq!(head_end(whole, 0), HeadEnd::At { block: 39, body: 40 });
    }

    #[test]
    fn finds_records_but_not_words() {
        let data = b"x WARC/1.0 \nWARC/1.0 is a format\n\nWARC/1.0\r\nX-Type: x\r\n";
        assert_eq!(next_record(data, 0, 0, false), Some(34));
        let glued = b"half a bodyWARC/1.0\r\nwarc-type: x\r\n";
        assert_eq!(next_record(glued, 0, 0, false), Some(11));
        assert_eq!(next_record(b"seeWARC/1.0\r\nNote: x\r\n", 0, 0, false), None);
        assert_eq!(next_record(&data[34..], 0, 0, false), Some(0));
        assert_eq!(without_separator(b"body\r\n\r\n", 8), 4);
        assert_eq!(without_separator(b"body\n\n\n", 7), 5);
    }
}

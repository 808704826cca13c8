//! ARC 1 and 2: one line of fields before each record.

use std::ops::Range;

use crate::magic;

/// Longest line accepted as an ARC header.
pub(crate) const LINE_LIMIT: usize = 64 << 10;

/// The fields of an ARC record line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArcLine<'a> {
    pub(crate) url: &'a [u8],
    pub(crate) ip: &'a [u8],
    pub(crate) date: &'a [u8],
    pub(crate) mime: &'a [u8],
    /// As written. Some writers wrote -1.
    pub(crate) length: &'a [u8],
    /// Length of the line in bytes, including its end.
    pub(crate) len: usize,
}

/// Whether `bytes` start with a complete ARC record line.
pub(crate) fn is_header_line(bytes: &[u8]) -> bool {
    parse(bytes).is_some()
}

/// Parses the line at the start of `bytes`. Fields are counted from the end, because URLs may contain spaces:
/// `URL IP date mime length` (version 1) or
/// `URL IP date mime status checksum location offset filename length` (version 2).
pub(crate) fn parse(bytes: &[u8]) -> Option<ArcLine<'_>> {
    let end = memchr::memchr(b'\n', bytes.get(..LINE_LIMIT.min(bytes.len()))?)?;
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    if !is_text(line) {
        return None;
    }
    let spaces: Vec<usize> = memchr::memrchr_iter(b' ', line).take(16).collect();
    let field = |from_end: usize| -> Option<Range<usize>> {
        let start = spaces.get(from_end)? + 1;
        let end = if from_end == 0 { line.len() } else { *spaces.get(from_end - 1)? };
        (start <= end).then_some(start..end)
    };
    let get = |from_end: usize| field(from_end).map(|range| &line[range]).unwrap_or_default();
    // A URL starts with its scheme.
    let scheme = memchr::memchr(b':', line).is_some_and(|end| {
        end > 0 && line[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
    });
    // Position of the date from the end: version 1, then version 2. An invalid date is recognised by the address before
    // it and the type after it.
    let usual = [2, 7]
        .into_iter()
        .find(|&at| scheme && (is_date(get(at)) || (is_address(get(at + 1)) && get(at - 1).contains(&b'/'))));
    // A type with spaces, or a URL without scheme: address, date and length must all be valid.
    let odd = || {
        let length = get(0);
        let number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
        (2..14).find(|&at| number && is_date(get(at)) && is_address(get(at + 1)))
    };
    let date_at = usual.or_else(odd)?;
    let url_end = *spaces.get(date_at + 1)?;
    // Version 1 has only the type between date and length.
    let mime_end = if date_at >= 7 { field(date_at - 1)?.end } else { field(1)?.end };
    Some(ArcLine {
        url: &line[..url_end],
        ip: &line[field(date_at + 1)?],
        date: &line[field(date_at)?],
        mime: line.get(field(date_at - 1)?.start..mime_end)?,
        length: &line[field(0)?],
        len: end + 1,
    })
}

/// Whether a line is text rather than compressed data: it has no control characters except tabs and charset shifts, and
/// no zstd frame starts in it. So an incomplete line is ruled out as soon as a compressed member starts in it.
fn is_text(line: &[u8]) -> bool {
    !line.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | 0x1b))
        && memchr::memmem::find(line, &magic::ZSTD).is_none()
}

/// Whether a field is an IPv4 or IPv6 address.
fn is_address(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| text.parse::<std::net::IpAddr>().is_ok())
}

/// Whether a field is a date. Dates have 14 digits; some old writers wrote fewer, some faulty ones more.
fn is_date(field: &[u8]) -> bool {
    (8..=18).contains(&field.len()) && field.iter().all(u8::is_ascii_digit)
}

/// The record line converted to a WARC header block.
pub(crate) fn as_head(line: &ArcLine<'_>, raw: &[u8]) -> Vec<u8> {
    let kind: &[u8] = if line.url.starts_with(b"filedesc:") { b"warcinfo" } else { b"response" };
    let mut out = raw[..line.len].trim_ascii_end().to_vec();
    let date = iso_date(line.date);
    let fields: [(&[u8], &[u8]); 6] = [
        (b"WARC-Type", kind),
        (b"WARC-Target-URI", line.url),
        (b"WARC-Date", &date),
        (b"WARC-IP-Address", line.ip),
        (b"Content-Type", line.mime),
        (b"Content-Length", line.length),
    ];
    for (name, value) in fields {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
    }
    out
}

fn iso_date(digits: &[u8]) -> Vec<u8> {
    let part = |range: Range<usize>| digits.get(range.clone()).unwrap_or(&b"0000"[..range.len()]);
    [
        part(0..4),
        b"-",
        part(4..6),
        b"-",
        part(6..8),
        b"T",
        part(8..10),
        b":",
        part(10..12),
        b":",
        part(12..14),
        b"Z",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions_and_urls_with_spaces() {
        let one = parse(b"http://a.test/x y 1.2.3.4 20080430204825 text/html 42\nHTTP").unwrap();
        assert_eq!((one.url, one.ip, one.length), (&b"http://a.test/x y"[..], &b"1.2.3.4"[..], &b"42"[..]));
        let two = parse(b"http://a.test/ 1.2.3.4 20080430204825 text/html 200 - - 123 a.arc 7\r\n").unwrap();
        assert_eq!((two.mime, two.length, two.len), (&b"text/html"[..], &b"7"[..], 69));
        assert_eq!(parse(b"http://a.test/ 1.2.3.4 null text/html -1\n").unwrap().length, b"-1");
        let typed = parse(b"http://a.test/ 1.2.3.4 20080430204825 text/html; charset=utf-8 42\n").unwrap();
        assert_eq!((typed.url, typed.mime), (&b"http://a.test/"[..], &b"text/html; charset=utf-8"[..]));
        let bare = parse(b"www.a.test/ 1.2.3.4 20080430204825 text/html 42\n").unwrap();
        assert_eq!((bare.url, bare.length), (&b"www.a.test/"[..], &b"42"[..]));
        assert_eq!(parse(b"http://a.test/\x1f\x8b\x08 1.2.3.4 20080430204825 text/html 42\n"), None);
        assert_eq!(parse(b"Content-Type: text/html 12\n"), None);
        assert_eq!(parse(b"Date: Mon, 1 Jan 2024 10:00:00 5\n"), None);
        assert_eq!(iso_date(b"20080430204825"), b"2008-04-30T20:48:25Z");
        assert_eq!(iso_date(b"20080430"), b"2008-04-30T00:00:00Z");
    }
}

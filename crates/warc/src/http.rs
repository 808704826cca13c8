//! HTTP messages as crawlers stored them, parsed leniently and without copies.

use std::borrow::Cow;

use crate::head::{RecordType, text};

/// An HTTP message in a record's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpMessage<'a> {
    start_line: &'a [u8],
    fields: &'a [u8],
    body: &'a [u8],
    status: Option<u16>,
}

impl<'a> HttpMessage<'a> {
    /// Parses a response and skips interim ones before it (100 Continue and other 1xx). Returns `None` if the bytes start
    /// neither with a status line nor with HTTP header fields up to a blank line.
    #[must_use]
    pub fn parse_response(bytes: &'a [u8]) -> Option<Self> {
        let mut bytes = bytes;
        loop {
            let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
            let rest = &bytes[start..];
            if !is_status_line(rest) {
                return Self::without_status(rest);
            }
            let mut message = Self::split(rest);
            message.status = status(message.start_line);
            let interim = message.status.is_some_and(|status| (100..200).contains(&status) && status != 101);
            let follows = message.body.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/"));
            if !(interim && follows) {
                return Some(message);
            }
            bytes = message.body;
        }
    }

    /// Parses a response without a status line: only header fields before a blank line, at least one of them an HTTP one.
    fn without_status(bytes: &'a [u8]) -> Option<Self> {
        let (mut at, mut known) = (0, false);
        loop {
            let rest = &bytes[at..];
            let line = &rest[..memchr::memchr(b'\n', rest)?];
            let next = at + line.len() + 1;
            if line.trim_ascii().is_empty() {
                let message =
                    Self { start_line: &[], fields: &bytes[..at], body: &bytes[next..], status: None };
                return known.then_some(message);
            }
            if !is_field(line) {
                return None;
            }
            let name = line[..memchr::memchr(b':', line).unwrap_or(0)].trim_ascii();
            known |= OF_RESPONSES.iter().any(|field| name.eq_ignore_ascii_case(field.as_bytes()));
            at = next;
        }
    }

    /// Parses a request. Returns `None` if the bytes do not start with a request line.
    #[must_use]
    pub fn parse_request(bytes: &'a [u8]) -> Option<Self> {
        let method = bytes.iter().position(|byte| !byte.is_ascii_uppercase() && *byte != b'-')?;
        (method > 0 && bytes.get(method) == Some(&b' ')).then(|| Self::split(bytes))
    }

    /// Parses the message in the body of a record of this type.
    pub(crate) fn of(kind: RecordType, bytes: &'a [u8]) -> Option<Self> {
        match kind {
            RecordType::Request => Self::parse_request(bytes),
            _ => Self::parse_response(bytes),
        }
    }

    /// Splits at the blank line after the header, or, without one, where the lines stop being header fields.
    fn split(bytes: &'a [u8]) -> Self {
        let first = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let start_line = bytes[..first].trim_ascii();
        let message = |end: usize, body| Self {
            start_line,
            fields: &bytes[first..end],
            body: &bytes[body..],
            status: None,
        };
        let mut at = first;
        // Start and number of consecutive lines that are not header fields, and whether one is surely content.
        let (mut odd, mut count) = (None, 0);
        loop {
            let rest = &bytes[at..];
            if rest.starts_with(b"\r\n") {
                return message(at, at + 2);
            }
            if rest.starts_with(b"\n") {
                return message(at, at + 1);
            }
            let end = memchr::memchr(b'\n', rest);
            let line = &rest[..end.unwrap_or(rest.len())];
            if is_field(line) {
                (odd, count) = (None, 0);
            } else if !line.is_empty() {
                odd = odd.or(Some(at));
                count += 1;
            }
            // The blank line is missing if markup, binary data or several lines of text follow.
            let body = odd.filter(|_| end.is_none() || count == ODD_LINES || is_content(line));
            match (body, end) {
                (Some(body), _) => return message(body, body),
                (None, Some(end)) => at += end + 1,
                (None, None) => return message(bytes.len(), bytes.len()),
            }
        }
    }

    /// The status code of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The status or request line.
    #[must_use]
    pub fn start_line(&self) -> Cow<'a, str> {
        text(self.start_line)
    }

    /// The value of the first header field with this name (in any case), with folded lines joined.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.headers_named(name).next()
    }

    /// The values of all header fields with this name, in order.
    pub fn headers_named<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'n> {
        self.headers()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// All header fields, with names as bytes and values as text.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, str>)> + use<'a> {
        Fields(self.fields)
    }

    /// The body as it was transferred.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// Whether bytes start with a status line: `HTTP/`, or another protocol name with a version and a status code, as some
/// servers write it.
fn is_status_line(bytes: &[u8]) -> bool {
    if bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/")) {
        return true;
    }
    let line = &bytes[..bytes.len().min(32)];
    let Some(space) = memchr::memchr(b' ', line) else { return false };
    let (name, rest) = (&line[..space], &line[space + 1..]);
    let known = name.eq_ignore_ascii_case(b"ICY") || name.iter().filter(|byte| **byte == b'/').count() == 1;
    let code = rest.len() > 3 && rest[..3].iter().all(u8::is_ascii_digit) && !rest[3].is_ascii_alphanumeric();
    known && code && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/.".contains(byte))
}

/// Fields that distinguish an HTTP header from other lines with colons.
const OF_RESPONSES: [&str; 10] = [
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Transfer-Encoding",
    "Server",
    "Last-Modified",
    "Set-Cookie",
    "Cache-Control",
    "ETag",
    "Connection",
];

/// If this many consecutive lines are not header fields, they are the body.
const ODD_LINES: usize = 3;

/// Whether a line that is not a header field is surely content.
fn is_content(line: &[u8]) -> bool {
    line.starts_with(b"<") || line.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\r'))
}

/// Whether a line is a header field, or continues one.
fn is_field(line: &[u8]) -> bool {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return true;
    }
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end();
    !name.is_empty()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line()?;
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let mut value = text(line[colon + 1..].trim_ascii());
            while matches!(self.0.first(), Some(b' ' | b'\t')) {
                let more = self.line().unwrap_or_default().trim_ascii();
                let joined = value.to_mut();
                if !joined.is_empty() && !more.is_empty() {
                    joined.push(' ');
                }
                joined.push_str(&text(more));
            }
            return Some((line[..colon].trim_ascii(), value));
        }
    }
}

impl<'a> Fields<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0).map_or(self.0.len(), |at| at + 1);
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}

/// The first three-digit number after the version.
fn status(line: &[u8]) -> Option<u16> {
    let code = line.split(|byte| byte.is_ascii_whitespace()).skip(1).find(|part| !part.is_empty())?;
    let digits = code.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lenient_responses() {
        let lf = HttpMessage::parse_response(b"HTTP/1.1 200\nA: b\n c\nX: caf\xe9\n\nbody").unwrap();
        assert_eq!((lf.status(), lf.body()), (Some(200), &b"body"[..]));
        assert_eq!(lf.header("a").unwrap(), "b c");
        assert_eq!(lf.header("x").unwrap(), "café");
        let two = HttpMessage::parse_response(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/2 404\r\n\r\nx").unwrap();
        assert_eq!((two.status(), two.body()), (Some(404), &b"x"[..]));
        assert!(HttpMessage::parse_response(b"<html>").is_none());
        let headless = HttpMessage::parse_response(b"HTTP/1.0 200 OK\r\nA: b").unwrap();
        assert_eq!((headless.header("A").unwrap(), headless.body()), ("b".into(), &b""[..]));
        let glued = HttpMessage::parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\n<p>\r\n\r\nc").unwrap();
        assert_eq!((glued.header("A").unwrap(), glued.body()), ("b".into(), &b"<p>\r\n\r\nc"[..]));
        let text =
            HttpMessage::parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\nSome text: it goes\r\non").unwrap();
        assert_eq!(text.body(), b"Some text: it goes\r\non");
        let junk = HttpMessage::parse_response(b"HTTP/1.1 200 OK\r\njunk line\r\nA: b\r\n\r\nc").unwrap();
        assert_eq!((junk.header("A").unwrap(), junk.body()), ("b".into(), &b"c"[..]));
        let request = HttpMessage::parse_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!((request.status(), request.header("HOST").unwrap()), (None, "a".into()));
    }
}

//! HTTP messages as crawlers stored them: lenient, without copies.

use std::borrow::Cow;

use crate::head::text;
use crate::payload::{Payload, PayloadLimits, decode};

/// An HTTP message in a record's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpMessage<'a> {
    start_line: &'a [u8],
    fields: &'a [u8],
    body: &'a [u8],
    status: Option<u16>,
}

impl<'a> HttpMessage<'a> {
    /// Reads a response. Interim responses (100 Continue and other 1xx) before the final one are skipped.
    /// `None` if the bytes do not begin with a status line.
    #[must_use]
    pub fn parse_response(bytes: &'a [u8]) -> Option<Self> {
        let mut bytes = bytes;
        loop {
            let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
            let rest = &bytes[start..];
            if !rest.get(..5)?.eq_ignore_ascii_case(b"HTTP/") {
                return None;
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

    /// Reads a request. `None` if the bytes do not begin with a request line.
    #[must_use]
    pub fn parse_request(bytes: &'a [u8]) -> Option<Self> {
        let method = bytes.iter().position(|byte| !byte.is_ascii_uppercase() && *byte != b'-')?;
        (method > 0 && bytes.get(method) == Some(&b' ')).then(|| Self::split(bytes))
    }

    fn split(bytes: &'a [u8]) -> Self {
        let first = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let start_line = bytes[..first].trim_ascii();
        let mut at = first;
        loop {
            let rest = &bytes[at..];
            if rest.starts_with(b"\r\n") {
                return Self { start_line, fields: &bytes[first..at], body: &rest[2..], status: None };
            }
            if rest.starts_with(b"\n") {
                return Self { start_line, fields: &bytes[first..at], body: &rest[1..], status: None };
            }
            match memchr::memchr(b'\n', rest) {
                Some(end) => at += end + 1,
                None => return Self { start_line, fields: &bytes[first..], body: &[], status: None },
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

    /// The first header field of this name, in any case; folded lines are joined.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        self.headers_named(name).next()
    }

    /// All header fields of this name, in order.
    pub fn headers_named<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'n> {
        self.headers()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// All header fields: name as bytes, value as text.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, str>)> + use<'a> {
        Fields(self.fields)
    }

    /// The body as it was transferred.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The body with transfer and content codings taken off.
    #[must_use]
    pub fn payload(&self, limits: &PayloadLimits) -> Payload<'a> {
        decode(self, limits)
    }
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

/// The first number of three digits after the version.
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
        let request = HttpMessage::parse_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!((request.status(), request.header("HOST").unwrap()), (None, "a".into()));
    }
}

//! Requests as the server receives them.

use std::io::BufRead;
use std::time::Instant;

use serde_json::Value;

/// A request as the server received it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Requests that the server received before this one.
    pub number: usize,
    /// Earlier requests for the same target at the same host.
    pub repeat: usize,
    /// When it was received.
    pub at: Instant,
    /// Method, such as `GET`.
    pub method: String,
    /// Target as the client wrote it: path and query.
    pub target: String,
    /// Header fields in their order.
    pub headers: Vec<(String, String)>,
    /// Body; empty without `Content-Length` or chunks.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header field, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.header("host").unwrap_or_default();
        authority.rsplit_once(':').map_or(authority, |(host, _)| host)
    }

    /// First and last byte of a requested range; no last byte means up to the end.
    #[must_use]
    pub fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }

    /// The body as JSON; `null` if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// First line and header fields.
pub(crate) type Head = (String, Vec<(String, String)>);

/// Reads first line and header fields; `None` if the connection ends before them.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Option<Head> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let first = lines.next()?;
    let headers = lines.filter_map(|line| {
        line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
    });
    Some((first, headers.collect()))
}

/// Reads a body: chunks, or `Content-Length` bytes.
pub(crate) fn read_body(reader: &mut impl BufRead, headers: &[(String, String)]) -> Option<Vec<u8>> {
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return read_chunks(reader);
    }
    let mut body = vec![0; header("content-length").map_or(Some(0), |length| length.parse().ok())?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

/// Reads chunks up to the empty one, and the trailer after it.
fn read_chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let size = line.trim_end().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..]).ok()?;
        line.clear();
        reader.read_line(&mut line).ok()?;
    }
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 || line.trim_end().is_empty() {
            return Some(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_in_chunks_or_by_length() {
        let headers = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        let mut chunks = &b"4\r\nab\r\n\r\n3;x=y\r\ncde\r\n0\r\nTrailer: 1\r\n\r\nnext"[..];
        let body = read_body(&mut chunks, &headers("Transfer-Encoding", "chunked"));
        assert_eq!((body.as_deref(), chunks), (Some(&b"ab\r\ncde"[..]), &b"next"[..]));
        let mut plain = &b"abcdef"[..];
        assert_eq!(read_body(&mut plain, &headers("content-length", "4")).unwrap(), b"abcd");
        assert_eq!(read_body(&mut plain, &[]).unwrap(), b"");
    }
}

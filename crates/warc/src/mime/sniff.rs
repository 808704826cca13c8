//! Recognises types by their first bytes, by the tables of the WHATWG MIME Sniffing standard.

/// Bytes that are looked at.
const HEADER: usize = 1445;

/// Beginnings of HTML, in upper case. Behind each stands a space or `>`.
const TAGS: [&[u8]; 16] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
];

/// First bytes of other types, in the order of the standard: documents, byte order marks, images, audio and video,
/// archives. A question mark stands for any byte.
const PATTERNS: [(&[u8], &str); 24] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff??", "text/plain"),
    (b"\xff\xfe??", "text/plain"),
    (b"\xef\xbb\xbf?", "text/plain"),
    (b"\0\0\x01\0", "image/x-icon"),
    (b"\0\0\x02\0", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF????WEBPVP", "image/webp"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"FORM????AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\0", "application/ogg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"RIFF????AVI ", "video/avi"),
    (b"RIFF????WAVE", "audio/wave"),
    (b"????ftyp", "video/mp4"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07", "application/x-rar-compressed"),
];

/// The type of a payload of which no header says what it is.
///
/// ```
/// use tsumugi_warc::sniff;
///
/// assert_eq!(sniff(b"\n <!doctype html><p>"), "text/html");
/// assert_eq!(sniff(b"<?xml version='1.0'?><rss>"), "text/xml");
/// assert_eq!(sniff(b"%PDF-1.7"), "application/pdf");
/// assert_eq!(sniff("山の話です。".as_bytes()), "text/plain");
/// assert_eq!(sniff(b"\0\x01\x02"), "application/octet-stream");
/// ```
#[must_use]
pub fn sniff(payload: &[u8]) -> &'static str {
    let header = &payload[..payload.len().min(HEADER)];
    let text = trim_start(header);
    let is_html = |tag: &&[u8]| {
        text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
            && matches!(text.get(tag.len()), Some(b' ' | b'>'))
    };
    if TAGS.iter().any(is_html) || text.starts_with(b"<!--") {
        return "text/html";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml";
    }
    let fits = |pattern: &[u8]| {
        header.len() >= pattern.len()
            && pattern.iter().zip(header).all(|(wanted, byte)| *wanted == b'?' || wanted == byte)
    };
    if let Some((_, found)) = PATTERNS.iter().find(|(pattern, _)| fits(pattern)) {
        return found;
    }
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if header.iter().any(is_binary) { "application/octet-stream" } else { "text/plain" }
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let start = bytes.iter().position(|byte| !is_space(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The rest from the name of the root element, behind a byte order mark, comments, declarations and instructions.
fn root(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    loop {
        rest = trim_start(rest).strip_prefix(b"<")?;
        let end: &[u8] = if rest.starts_with(b"!--") {
            b"-->"
        } else if rest.starts_with(b"?") {
            b"?>"
        } else if rest.starts_with(b"!") {
            b">"
        } else {
            return Some(rest);
        };
        rest = &rest[memchr::memmem::find(rest, end)? + end.len()..];
    }
}

/// Whether what is served as HTML is a feed: RSS, Atom, or RSS 1.0 in RDF.
pub(crate) fn is_feed(payload: &[u8]) -> bool {
    let header = &payload[..payload.len().min(HEADER)];
    let Some(root) = root(header) else { return false };
    let has = |part: &[u8]| memchr::memmem::find(root, part).is_some();
    root.starts_with(b"rss")
        || root.starts_with(b"feed")
        || (root.starts_with(b"rdf:RDF")
            && has(b"http://purl.org/rss/1.0/")
            && has(b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"))
}

/// Whether the root element of XML is that of XHTML.
pub(crate) fn root_is_html(payload: &[u8]) -> bool {
    root(payload).is_some_and(|root| {
        let name = root.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')).next();
        name.and_then(|name| name.rsplit(|byte| *byte == b':').next())
            .is_some_and(|name| name.eq_ignore_ascii_case(b"html"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_table() {
        for (payload, expected) in [
            (&b"<html>"[..], "text/html"),
            (b" \r\n\t<HTML lang=ja>", "text/html"),
            (b"<!-- x --><center>", "text/html"),
            (b"<p>", "text/html"),
            (b"<pre>", "text/plain"),
            (b"<html\n>", "text/plain"),
            (b"<!DOCTYPE html>", "text/html"),
            (b"<!DOCTYPE rss>", "text/plain"),
            (b"<?xml version", "text/xml"),
            (b"<?php", "text/plain"),
            (b"\xef\xbb\xbf<html>", "text/plain"),
            (b"\xff\xfe<\0h\0", "text/plain"),
            (b"\x1b$B", "text/plain"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x20ftypavif", "video/mp4"),
            (b"\x1f\x8b\x08\0", "application/x-gzip"),
            (b"PK\x03\x04", "application/zip"),
            (b"ab\0", "application/octet-stream"),
            (b"", "text/plain"),
        ] {
            assert_eq!(sniff(payload), expected, "{:?}", String::from_utf8_lossy(payload));
        }
        assert_eq!(sniff(&[&[b'a'; HEADER][..], b"\0"].concat()), "text/plain");
    }

    #[test]
    fn finds_the_root() {
        for (payload, feed, html) in [
            (&b"<rss version='2.0'>"[..], true, false),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- c --><feed xmlns='x'>", true, false),
            (b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>", true, false),
            (b"<rdf:RDF xmlns:foaf='http://xmlns.com/foaf/0.1/'>", false, false),
            (b"<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'>", false, true),
            (b"<?xml version='1.0'?><h:html xmlns:h='x'/>", false, true),
            (b"<htmlx>", false, false),
            (b"<!-- no end", false, false),
            (b"text", false, false),
        ] {
            assert_eq!((is_feed(payload), root_is_html(payload)), (feed, html), "{:?}", String::from_utf8_lossy(payload));
        }
    }
}

//! Files that rows name.

use std::path::PathBuf;

/// The path that a row gives as a path or as a `file:` URL; nothing for URLs of other schemes and of other hosts.
///
/// ```
/// use std::path::Path;
/// use tsumugi_record::local_path;
///
/// assert_eq!(local_path("./a.jpg").as_deref(), Some(Path::new("./a.jpg")));
/// assert_eq!(local_path("file:///data/a%20b.jpg").as_deref(), Some(Path::new("/data/a b.jpg")));
/// assert_eq!(local_path("https://example.org/a.jpg"), None);
/// ```
#[must_use]
pub fn local_path(text: &str) -> Option<PathBuf> {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    if scheme.eq_ignore_ascii_case("file") && rest.starts_with('/') {
        let path = match rest.strip_prefix("//") {
            Some(rest) => {
                &rest[rest.find('/').filter(|&host| matches!(&rest[..host], "" | "localhost"))?..]
            }
            None => rest,
        };
        return String::from_utf8(unescaped(path)).ok().map(PathBuf::from);
    }
    let is_url = rest.starts_with("//") || scheme.eq_ignore_ascii_case("data");
    (scheme.is_empty() || !is_url).then(|| PathBuf::from(text))
}

/// A text without percent-encoding.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls() {
        for (text, expected) in [
            ("a.jpg", Some("a.jpg")),
            ("/data/a:b.jpg", Some("/data/a:b.jpg")),
            ("10:30.jpg", Some("10:30.jpg")),
            ("100%20.jpg", Some("100%20.jpg")),
            ("file:/data/a.jpg", Some("/data/a.jpg")),
            ("FILE:///data/%E7%8C%AB%.jpg", Some("/data/猫%.jpg")),
            ("file://localhost/a.jpg", Some("/a.jpg")),
            ("file://elsewhere/a.jpg", None),
            ("file://", None),
            ("http://example.org/a.jpg", None),
            ("data:image/png;base64,AAAA", None),
        ] {
            assert_eq!(local_path(text), expected.map(PathBuf::from), "{text}");
        }
    }
}

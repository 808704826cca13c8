//! Path patterns and the form in which paths are compared.

use memchr::memmem;

/// Octets that RFC 3986 (2.3) calls unreserved.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Octets that RFC 3986 (2.2) calls reserved.
fn is_reserved(octet: u8) -> bool {
    b":/?#[]@!$&'()*+,;=".contains(&octet)
}

/// Whether an escaped octet means something else than the octet itself, because that would separate two parts.
fn separates(octet: u8, in_query: bool) -> bool {
    match octet {
        b'#' => true,
        b'/' | b'?' => !in_query,
        b'&' | b'=' | b'+' => in_query,
        _ => false,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Writes paths octet by octet in the form in which they are compared.
#[derive(Default)]
struct Encoder {
    out: Vec<u8>,
    in_query: bool,
}

impl Encoder {
    /// Writes the first octet or escape of `rest`, which must not be empty, and returns its length.
    fn write(&mut self, rest: &[u8]) -> usize {
        let first = rest[0];
        if first == b'%'
            && let [_, high, low, ..] = *rest
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            let octet = (high << 4) | low;
            let is_same = is_unreserved(octet) || is_reserved(octet) && !separates(octet, self.in_query);
            if is_same {
                self.out.push(octet)
            } else {
                self.escape(octet)
            }
            return 3;
        }
        if first == b'?' {
            self.in_query = true;
        }
        if first == b'%' || is_unreserved(first) || is_reserved(first) {
            self.out.push(first);
        } else {
            self.escape(first);
        }
        1
    }

    fn escape(&mut self, octet: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.out.extend([b'%', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
}

/// Puts a path with its query into the form in which RFC 9309 (2.2.2) compares paths, so that equivalent spellings become
/// equal.
///
/// Escapes of unreserved characters are resolved, all other octets outside of the reserved characters are escaped with
/// upper-case digits, and reserved characters stand for themselves unless their escape means something else: `%2F` is no
/// separator of a path, and `%26` none of a query.
///
/// ```
/// use tsumugi_robots::comparable_path;
///
/// assert_eq!(comparable_path("/%7euser/\u{5199}%e7%9c%9f(1).jpg"), "/~user/%E5%86%99%E7%9C%9F(1).jpg");
/// assert_eq!(comparable_path("/a%2fb%28?to=http%3A%2F%2Fa.test%26x"), "/a%2Fb(?to=http://a.test%26x");
/// ```
#[must_use]
pub fn comparable_path(path: &str) -> String {
    // The encoder writes ASCII only.
    String::from_utf8(comparable(path.as_bytes())).unwrap_or_default()
}

fn comparable(path: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder { out: Vec::with_capacity(path.len()), in_query: false };
    let mut at = 0;
    while at < path.len() {
        at += encoder.write(&path[at..]);
    }
    encoder.out
}

/// A pattern of paths with the wildcards `*` (any octets) and `$` (the end, if it is last).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands between the wildcards; never empty.
    parts: Vec<Vec<u8>>,
    to_the_end: bool,
    octets: usize,
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn new(text: &[u8]) -> Self {
        let to_the_end = text.ends_with(b"$");
        let text = if to_the_end { &text[..text.len() - 1] } else { text };
        let mut encoder = Encoder::default();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if text[at] == b'*' {
                parts.push(std::mem::take(&mut encoder.out));
                at += 1;
            } else {
                at += encoder.write(&text[at..]);
            }
        }
        parts.push(encoder.out);
        let octets = parts.iter().map(Vec::len).sum::<usize>() + parts.len() - 1 + usize::from(to_the_end);
        Self { parts, to_the_end, octets }
    }

    /// The number of octets: of several patterns that match, the longest counts.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// Whether the pattern matches a path from its first octet on.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        let Some((first, others)) = self.parts.split_first() else { return false };
        let Some(mut rest) = path.0.strip_prefix(first.as_slice()) else { return false };
        let Some((last, middle)) = others.split_last() else { return !self.to_the_end || rest.is_empty() };
        // The leftmost place of each part leaves the most room for those after it.
        for part in middle {
            let Some(at) = memmem::find(rest, part) else { return false };
            rest = &rest[at + part.len()..];
        }
        if self.to_the_end { rest.ends_with(last) } else { memmem::find(rest, last).is_some() }
    }
}

/// The path and query of a URL in the form in which patterns are compared with it.
pub(crate) struct Path(Vec<u8>);

impl Path {
    /// Takes path and query out of an absolute URL, or takes a path that starts with `/`.
    pub(crate) fn of(url: &str) -> Self {
        let path = match url.split_once("://") {
            _ if url.starts_with('/') => url,
            Some((_, rest)) => rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]),
            None => url.find(['/', '?', '#']).map_or("", |at| &url[at..]),
        };
        let path = path.split('#').next().unwrap_or_default();
        let root = if path.starts_with('/') { "" } else { "/" };
        Self(comparable(format!("{root}{path}").as_bytes()))
    }

    pub(crate) fn is_robots_txt(&self) -> bool {
        self.0 == b"/robots.txt"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_path_and_query_of_a_url() {
        for (url, path) in [
            ("", "/"),
            ("http://a.test", "/"),
            ("http://a.test?b", "/?b"),
            ("http://a.test/b/?c=d&e#f", "/b/?c=d&e"),
            ("http://a.test#/b", "/"),
            ("http://a.test/b?c=http://d.test/", "/b?c=http://d.test/"),
            ("/b//c", "/b//c"),
            ("//b/c", "//b/c"),
            ("a.test/b", "/b"),
        ] {
            assert_eq!(Path::of(url).0, path.as_bytes(), "{url}");
        }
    }

    #[test]
    fn equivalent_spellings_are_equal() {
        for (one, other) in [
            ("/%e5%86%99", "/\u{5199}"),
            ("/%E5%86%99", "/%e5%86%99"),
            ("/~u", "/%7Eu"),
            ("/~u", "/%7eu"),
            ("/baz", "/%62%61%7A"),
            ("/a b", "/a%20b"),
            ("/a|b", "/a%7cb"),
            ("/a[1]", "/a%5B1%5d"),
            ("/a(1)", "/a%281%29"),
            ("/a*$", "/a%2a%24"),
            ("/a:@,;b", "/a%3A%40%2C%3Bb"),
            ("/q?a=http://b/?c", "/q?a=http%3A%2F%2Fb%2F%3Fc"),
            ("/\u{e4}", "/%C3%A4"),
            ("/%zz%", "/%zz%"),
        ] {
            assert_eq!(comparable_path(one), comparable_path(other), "{one} {other}");
        }
        for (one, other) in [
            ("/a/b", "/a%2Fb"),
            ("/a?b", "/a%3Fb"),
            ("/a", "/A"),
            ("/q?a&b", "/q?a%26b"),
            ("/q?a=b", "/q?a%3Db"),
            ("/q?a+b", "/q?a%2Bb"),
            ("/a%25b", "/a%b"),
        ] {
            assert_ne!(comparable_path(one), comparable_path(other), "{one} {other}");
        }
    }

    /// Whether a pattern matches, found by trying everything.
    fn tried(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|at| tried(rest, &path[at..])),
            [first, rest @ ..] => path.first() == Some(first) && tried(rest, &path[1..]),
        }
    }

    proptest::proptest! {
        #[test]
        fn matches_what_trying_everything_matches(pattern in "[ab*]{0,8}\\$?", path in "[ab]{0,12}") {
            let found = Pattern::new(pattern.as_bytes()).matches(&Path(path.clone().into_bytes()));
            proptest::prop_assert_eq!(found, tried(pattern.as_bytes(), path.as_bytes()));
        }

        #[test]
        fn comparing_twice_changes_nothing(path in "\\PC{0,40}") {
            let once = comparable_path(&path);
            proptest::prop_assert_eq!(comparable_path(&once), once);
        }
    }
}

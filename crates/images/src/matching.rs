//! Which URLs name the same image.
//!
//! Pages, crawlers and archives write one URL in several ways. Under [`match_key`], equivalent spellings are equal;
//! [`match_keys`] adds those that are worth a second try.

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_1252};
use tsumugi_robots::comparable_path;
use url::Url;

use crate::address::canonical_url;

/// Encodings in which old clients escaped paths, whatever the URL standard says: those of pages before UTF-8.
const ENCODINGS: [&Encoding; 6] = [SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR, WINDOWS_1252];

/// Characters that separate parts of a path or query, so that their escapes mean something else.
const SEPARATORS: [char; 6] = ['/', '&', '=', '+', ';', ','];

/// The key of a URL: equal for URLs that differ only in the case of scheme, host and hex digits, in escapes of characters
/// that do not need one, in a default port, a fragment, question marks at the end or the dot at the end of a host. `None` unless
/// it is an absolute `http` or `https` URL.
///
/// ```
/// use tsumugi_images::match_key;
///
/// let key = match_key("http://a.test/%7eu/a%5B1%5D.jpg?");
/// assert_eq!(key, match_key("HTTP://A.test:80/~u/a[1].jpg#top"));
/// assert_ne!(key, match_key("http://a.test/~u/a[2].jpg"));
/// ```
#[must_use]
pub fn match_key(url: &str) -> Option<String> {
    let canonical = canonical_url(url)?;
    let (scheme, rest) = canonical.split_once("://")?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (host, port) = authority.rsplit_once(':').map_or((authority, ""), |(host, port)| {
        // The colons of an IPv6 address are inside of brackets.
        if port.ends_with(']') { (authority, "") } else { (host, port) }
    });
    let host = host.trim_end_matches('.');
    let colon = if port.is_empty() { "" } else { ":" };
    let path = comparable_path(path.trim_end_matches('?'));
    Some(format!("{scheme}://{host}{colon}{port}{path}"))
}

/// The keys under which an archive may have the image at a URL, best first: its own; with the path or query escaped in an
/// encoding of old clients instead of UTF-8, or the reverse; and all of these with `https` for `http` or the reverse, if
/// the port is the default one.
///
/// ```
/// use tsumugi_images::{match_key, match_keys};
///
/// let keys = match_keys("http://a.test/\u{5199}\u{771f}.jpg");
/// assert!(keys.contains(&match_key("http://a.test/%8E%CA%90%5E.jpg").unwrap()));
/// assert_eq!(keys[1..].contains(&keys[0]), false);
/// assert!(keys.contains(&match_key("https://a.test/%E5%86%99%E7%9C%9F.jpg").unwrap()));
/// ```
#[must_use]
pub fn match_keys(url: &str) -> Vec<String> {
    let Some(key) = match_key(url) else { return Vec::new() };
    let mut keys = vec![key.clone()];
    let start = key.find("://").map_or(0, |at| at + 3);
    let path_at = key[start..].find('/').map_or(key.len(), |at| start + at);
    let (site, path) = key.split_at(path_at);
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    for path in spellings(path) {
        for query in query.map_or(vec![None], |query| spellings(query).into_iter().map(Some).collect()) {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            keys.push(format!("{site}{path}{query}"));
        }
    }
    let has_port = Url::parse(&key).is_ok_and(|url| url.port().is_some());
    if !has_port {
        let other = |key: &String| match key.strip_prefix("http://") {
            Some(rest) => format!("https://{rest}"),
            None => key.replacen("https://", "http://", 1),
        };
        keys.extend(keys.iter().map(other).collect::<Vec<_>>());
    }
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    keys
}

/// A path or query as it is, and as it would be in other encodings.
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![text.to_owned()];
    let parts: Vec<(Vec<u8>, &str)> = text
        .split_inclusive(SEPARATORS)
        .map(|part| unescaped(part.trim_end_matches(SEPARATORS), part))
        .collect();
    let octets: Vec<u8> = parts.iter().flat_map(|(octets, _)| octets.iter().copied()).collect();
    if octets.is_ascii() {
        return spellings;
    }
    let is_utf8 = std::str::from_utf8(&octets).is_ok();
    for encoding in ENCODINGS {
        let recoded = parts.iter().map(|(octets, end)| {
            let octets = if is_utf8 { encoded(octets, encoding) } else { decoded(octets, encoding) }?;
            Some(format!("{}{end}", escaped(&octets)))
        });
        if let Some(recoded) = recoded.collect::<Option<String>>() {
            spellings.push(recoded);
        }
    }
    spellings
}

/// The octets of a part without its escapes, and the separator at its end.
fn unescaped<'a>(part: &str, whole: &'a str) -> (Vec<u8>, &'a str) {
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| first == b'%');
        let octet = digits.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        octets.push(octet.unwrap_or(first));
        rest = if octet.is_some() { &tail[2..] } else { tail };
    }
    (octets, &whole[part.len()..])
}

/// UTF-8 text in another encoding, if that has all of its characters.
fn encoded<'a>(octets: &'a [u8], encoding: &'static Encoding) -> Option<Cow<'a, [u8]>> {
    let (octets, _, has_errors) = encoding.encode(std::str::from_utf8(octets).ok()?);
    (!has_errors).then_some(octets)
}

/// Text of another encoding in UTF-8, if it is valid.
fn decoded<'a>(octets: &'a [u8], encoding: &'static Encoding) -> Option<Cow<'a, [u8]>> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(octets)?;
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// Octets with every one escaped that is not a letter or digit, in the form of keys.
fn escaped(octets: &[u8]) -> String {
    let escape = |octet: &u8| {
        if octet.is_ascii_alphanumeric() { char::from(*octet).to_string() } else { format!("%{octet:02X}") }
    };
    comparable_path(&octets.iter().map(escape).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_urls_have_one_key() {
        for (one, other) in [
            ("http://a.test/%e5%86%99.jpg", "http://a.test/\u{5199}.jpg"),
            ("http://a.test/~u/a.jpg", "http://a.test/%7Eu/a.jpg"),
            ("http://a.test/a[1].jpg", "http://a.test/a%5B1%5d.jpg"),
            ("http://a.test/a(1).jpg", "http://a.test/a%281%29.jpg"),
            ("http://a.test/a|b.jpg", "http://a.test/a%7Cb.jpg"),
            ("http://a.test/a'b,c.jpg", "http://a.test/a%27b%2Cc.jpg"),
            ("http://a.test/a b.jpg", "http://a.test/a%20b.jpg"),
            ("http://a.test/a@b:c!d$e*f;g", "http://a.test/a%40b%3Ac%21d%24e%2Af%3Bg"),
            ("http://a.test:80/a.jpg", "http://a.test/a.jpg"),
            ("https://a.test:443/a.jpg", "https://a.test/a.jpg"),
            ("http://A.TEST./a.jpg#x", "http://a.test/a.jpg"),
            ("http://a.test/a.jpg?", "http://a.test/a.jpg"),
            ("http://a.test", "http://a.test/"),
            ("http://a.test/./b/../a.jpg", "http://a.test/a.jpg"),
            ("http://name:secret@a.test/a.jpg", "http://a.test/a.jpg"),
            ("http://\u{65e5}\u{672c}.test/a.jpg", "http://xn--wgv71a.test/a.jpg"),
            ("http://a.test/x?u=http://b/", "http://a.test/x?u=http%3a%2f%2fb%2f"),
            ("http://[::1]:80/a.jpg", "http://[0::1]/a.jpg"),
        ] {
            assert_eq!(match_key(one), match_key(other), "{one} {other}");
        }
        for (one, other) in [
            ("http://a.test/a%2Fb.jpg", "http://a.test/a/b.jpg"),
            ("http://a.test/a.jpg?x=1%26y", "http://a.test/a.jpg?x=1&y"),
            ("http://a.test/A.jpg", "http://a.test/a.jpg"),
            ("http://a.test:8080/a.jpg", "http://a.test/a.jpg"),
            ("http://a.test/a.jpg", "https://a.test/a.jpg"),
            ("http://a.test/a%3F.jpg", "http://a.test/a?.jpg"),
        ] {
            assert_ne!(match_key(one), match_key(other), "{one} {other}");
        }
        assert_eq!(match_key("data:image/png;base64,"), None);
    }

    #[test]
    fn other_spellings_are_tried_after_it() {
        for (url, archived) in [
            ("http://a.test/a.jpg", "https://a.test/a.jpg"),
            ("https://a.test/a.jpg", "http://a.test:80/a.jpg"),
            ("http://a.test/\u{5199}\u{771f}.jpg", "http://a.test/%8E%CA%90%5E.jpg"),
            ("http://a.test/\u{5199}\u{771f}.jpg", "http://a.test/%8e%ca%90%5e.jpg"),
            ("http://a.test/\u{5199}\u{771f}.jpg", "https://a.test/%8E%CA%90%5E.jpg"),
            ("http://a.test/\u{5199}\u{771f}.jpg", "http://a.test/%BC%CC%BF%BF.jpg"),
            ("http://a.test/%8E%CA%90%5E.jpg", "http://a.test/\u{5199}\u{771f}.jpg"),
            ("http://a.test/%BC%CC%BF%BF.jpg", "http://a.test/%E5%86%99%E7%9C%9F.jpg"),
            ("http://a.test/\u{30a2}\u{8868}/(1).jpg", "http://a.test/%83A%95%5C/(1).jpg"),
            ("http://a.test/\u{30a2}\u{8868}/(1).jpg", "http://a.test/%83%41%95%5c/%281%29.jpg"),
            ("http://a.test/x.cgi?f=%8E%CA%90%5E&n=1", "http://a.test/x.cgi?f=%E5%86%99%E7%9C%9F&n=1"),
            ("http://a.test/\u{5199}?f=%8E%CA", "http://a.test/%8E%CA?f=%8E%CA"),
            ("http://a.test/caf\u{e9}.jpg", "http://a.test/caf%E9.jpg"),
            ("http://a.test/\u{56fe}.jpg", "http://a.test/%CD%BC.jpg"),
        ] {
            let key = match_key(archived).unwrap();
            assert!(match_keys(url).contains(&key), "{url} {archived}: {:?}", match_keys(url));
            assert_eq!(match_keys(url)[0], match_key(url).unwrap());
        }
        for (url, other) in [
            ("http://a.test:8080/a.jpg", "https://a.test:8080/a.jpg"),
            ("http://a.test/a.jpg", "http://b.test/a.jpg"),
            ("http://a.test/a%2Fb.jpg", "http://a.test/a/b.jpg"),
        ] {
            assert!(!match_keys(url).contains(&match_key(other).unwrap()), "{url} {other}");
        }
        assert_eq!(match_keys("http://a.test/a.jpg").len(), 2);
        assert_eq!(match_key("http://a.test/??").unwrap(), "http://a.test/");
        assert!(match_keys("data:,").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn a_key_is_its_own_key(path in "\\PC{0,30}") {
            let key = match_key(&format!("http://a.test/{path}")).unwrap();
            proptest::prop_assert_eq!(match_key(&key).unwrap(), key.clone());
            proptest::prop_assert_eq!(&match_keys(&key)[0], &key);
        }
    }
}

//! Lines of a `robots.txt`.

/// Octets of a line that count; Google's reader has this limit, eight times the longest URL of old browsers.
const MAX_LINE: usize = 2083 * 8 - 1;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    ContentSignal,
    ContentUsage,
}

/// Spellings of keys, in lower case. RFC 9309 (2.2.4) lets crawlers accept common misspellings; these are the ones that
/// Google's reader accepts. A key counts if it starts with one of them.
const KEYS: [(&str, Key); 15] = [
    ("user-agent", Key::UserAgent),
    ("useragent", Key::UserAgent),
    ("user agent", Key::UserAgent),
    ("allow", Key::Allow),
    ("disallow", Key::Disallow),
    ("dissallow", Key::Disallow),
    ("dissalow", Key::Disallow),
    ("disalow", Key::Disallow),
    ("diasllow", Key::Disallow),
    ("disallaw", Key::Disallow),
    ("crawl-delay", Key::CrawlDelay),
    ("crawldelay", Key::CrawlDelay),
    ("crawl delay", Key::CrawlDelay),
    ("content-signal", Key::ContentSignal),
    ("content-usage", Key::ContentUsage),
];

impl Key {
    fn of(text: &[u8]) -> Option<Self> {
        let starts = |with: &str| {
            text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
        };
        KEYS.iter().find(|(spelling, _)| starts(spelling)).map(|(_, key)| *key)
    }
}

/// The lines that say something, as key and value. Lines end with CR, LF or both.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (Key, &[u8])> {
    without_mark(bytes).split(|octet| matches!(octet, b'\n' | b'\r')).filter_map(line)
}

/// Leaves out a UTF-8 byte order mark, and also one that was cut off.
fn without_mark(bytes: &[u8]) -> &[u8] {
    let mark = b"\xef\xbb\xbf";
    &bytes[bytes.iter().zip(mark).take_while(|(octet, of_mark)| octet == of_mark).count()..]
}

fn line(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = &line[..line.len().min(MAX_LINE)];
    let line = line.split(|octet| *octet == b'#').next().unwrap_or_default().trim_ascii();
    if let Some(colon) = memchr::memchr(b':', line) {
        return Some((Key::of(line[..colon].trim_ascii())?, line[colon + 1..].trim_ascii()));
    }
    // The colon is missing where two words stand alone.
    let space = line.iter().position(u8::is_ascii_whitespace)?;
    let value = line[space..].trim_ascii();
    let is_alone = !value.iter().any(u8::is_ascii_whitespace);
    Some((Key::of(&line[..space]).filter(|_| is_alone)?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_as_people_write_them() {
        for (text, expected) in [
            ("Disallow: /a", Some((Key::Disallow, "/a"))),
            (" DISALLOW\t:\t/a # why", Some((Key::Disallow, "/a"))),
            ("Disallow /a", Some((Key::Disallow, "/a"))),
            ("Disallow /a b", None),
            ("Disallow:", Some((Key::Disallow, ""))),
            ("Disalow: /a", Some((Key::Disallow, "/a"))),
            ("User agent: x", Some((Key::UserAgent, "x"))),
            ("useragent: x", Some((Key::UserAgent, "x"))),
            ("Crawl-Delay: 3", Some((Key::CrawlDelay, "3"))),
            ("Content-signal: search=yes", Some((Key::ContentSignal, "search=yes"))),
            ("# Disallow: /a", None),
            ("Sitemap: http://a.test/", None),
            ("<p>Disallow: /a", None),
            ("", None),
        ] {
            let expected = expected.map(|(key, value)| (key, value.as_bytes()));
            assert_eq!(lines(text.as_bytes()).next(), expected, "{text}");
        }
    }

    #[test]
    fn lines_end_with_cr_lf_or_both() {
        let text = b"User-agent: a\rDisallow: /b\r\nAllow: /c\n\nAllow: /d";
        let values: Vec<&[u8]> = lines(text).map(|(_, value)| value).collect();
        assert_eq!(values, [&b"a"[..], b"/b", b"/c", b"/d"]);
    }

    #[test]
    fn a_byte_order_mark_counts_at_the_beginning_only() {
        let count = |text: &[u8]| lines(text).count();
        assert_eq!(count(b"\xef\xbb\xbfUser-agent: a\nAllow: /"), 2);
        assert_eq!(count(b"\xef\xbbUser-agent: a\nAllow: /"), 2);
        assert_eq!(count(b"\xefUser-agent: a\nAllow: /"), 2);
        assert_eq!(count(b"\xef\x11\xbfUser-agent: a\nAllow: /"), 1);
        assert_eq!(count(b"User-agent: a\n\xef\xbb\xbfAllow: /"), 1);
    }
}

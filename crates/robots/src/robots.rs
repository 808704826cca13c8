//! `robots.txt`.

use std::time::Duration;

use crate::lines::{Key, lines};
use crate::pattern::{Path, Pattern};
use crate::signal::{Signal, forbids_training};

/// Octets of a `robots.txt` that are read: the 500 KiB that RFC 9309 (2.5) requires at least.
pub const MAX_ROBOTS_TXT: usize = 500 * 1024;

/// The rules of a `robots.txt` for one program.
///
/// Rules are read and compared as RFC 9309 says; where it leaves a choice, Google's reader decides. Its published test
/// cases are part of this crate's tests. The fields `Crawl-delay`, `Content-Signal` and `Content-Usage` are read as well.
///
/// ```
/// use tsumugi_robots::Robots;
///
/// let robots = Robots::parse(b"User-agent: *\nDisallow: /%7eu/\nAllow: /~u/*.png$\nCrawl-delay: 2.5", "tsumugi");
/// assert!(!robots.is_allowed("http://a.test/~u/a.jpg"));
/// assert!(robots.is_allowed("http://a.test/~u/a.png"));
/// assert_eq!(robots.crawl_delay().map(|delay| delay.as_millis()), Some(2500));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Robots {
    rules: Vec<Rule>,
    delay: Option<Duration>,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Rule {
    allows: bool,
    pattern: Pattern,
}

/// A preference about training.
#[derive(Debug, Clone)]
struct Statement {
    signal: Signal,
    forbids: bool,
    pattern: Pattern,
}

impl Robots {
    /// Reads the rules for a program from the octets of a file, of which the first [`MAX_ROBOTS_TXT`] count.
    ///
    /// `agent` is the program's product token, of letters, `-` and `_`, in any case; a version behind it does not matter.
    /// Groups that name it are merged; without any, those for `*` apply.
    #[must_use]
    pub fn parse(bytes: &[u8], agent: &str) -> Self {
        let mut reader = Reader::new(agent);
        for (key, value) in lines(&bytes[..bytes.len().min(MAX_ROBOTS_TXT)]) {
            reader.line(key, value);
        }
        reader.finish()
    }

    /// Whether the program may request a URL, or a path that starts with `/`.
    ///
    /// Of the rules that match, the longest counts, and `Allow` of two that are equally long. `/robots.txt` is always
    /// allowed.
    #[must_use]
    pub fn is_allowed(&self, url: &str) -> bool {
        let path = Path::of(url);
        let longest = |allows: bool| {
            let rules = self.rules.iter().filter(|rule| rule.allows == allows && rule.pattern.matches(&path));
            rules.map(|rule| rule.pattern.octets()).max().unwrap_or(0)
        };
        path.is_robots_txt() || longest(false) <= longest(true)
    }

    /// The wait between two requests that the file asks for (`Crawl-delay`, which RFC 9309 does not define). Of several
    /// the longest.
    #[must_use]
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Whether the file forbids training on what is at a URL, by `Content-Signal` or `Content-Usage` (`signal`).
    ///
    /// A statement may have a path; of those that match, the longest counts, and the one that forbids of two that are
    /// equally long. Statements outside of groups count for all programs.
    #[must_use]
    pub fn forbids_training(&self, signal: Signal, url: &str) -> bool {
        let path = Path::of(url);
        let matching =
            |statement: &&Statement| statement.signal == signal && statement.pattern.matches(&path);
        let statements = self.statements.iter().filter(matching);
        statements
            .max_by_key(|statement| (statement.pattern.octets(), statement.forbids))
            .is_some_and(|statement| statement.forbids)
    }
}

/// Collects the groups that name the program, and those for all programs.
struct Reader<'a> {
    agent: &'a [u8],
    named: Robots,
    for_all: Robots,
    outside: Vec<Statement>,
    /// Whether a group has named the program.
    is_named: bool,
    /// Whether the current group names the program, and all programs.
    in_named: bool,
    in_all: bool,
    /// Whether there was a user agent at all.
    in_group: bool,
    /// Whether the current group has rules, so that the next user agent begins another one.
    has_rules: bool,
}

impl<'a> Reader<'a> {
    fn new(agent: &'a str) -> Self {
        Self {
            agent: agent.split('/').next().unwrap_or_default().trim().as_bytes(),
            named: Robots::default(),
            for_all: Robots::default(),
            outside: Vec::new(),
            is_named: false,
            in_named: false,
            in_all: false,
            in_group: false,
            has_rules: false,
        }
    }

    fn line(&mut self, key: Key, value: &[u8]) {
        match key {
            Key::UserAgent => self.user_agent(value),
            Key::Allow | Key::Disallow => {
                // An empty pattern matches nothing. Rules before the first group belong to nobody.
                self.has_rules = true;
                if !value.is_empty() {
                    let rule = Rule { allows: key == Key::Allow, pattern: Pattern::new(value) };
                    self.add(|robots| robots.rules.push(rule.clone()));
                }
            }
            Key::CrawlDelay => {
                if let Some(delay) = seconds(value) {
                    self.add(|robots| robots.delay = robots.delay.max(Some(delay)));
                }
            }
            Key::ContentSignal => self.statement(Signal::ContentSignal, value),
            Key::ContentUsage => self.statement(Signal::ContentUsage, value),
        }
    }

    fn user_agent(&mut self, value: &[u8]) {
        self.in_group = true;
        if self.has_rules {
            (self.in_named, self.in_all, self.has_rules) = (false, false, false);
        }
        let is_for_all = matches!(value, [b'*'] | [b'*', b' ' | b'\t', ..]);
        let is_named = !self.agent.is_empty()
            && tokens(value).iter().any(|token| token.eq_ignore_ascii_case(self.agent));
        self.in_all |= is_for_all;
        self.in_named |= is_named;
        self.is_named |= is_named;
    }

    fn statement(&mut self, signal: Signal, value: &[u8]) {
        let (path, said) = match value.first() {
            Some(b'/' | b'*') => value.split_at(value.iter().position(u8::is_ascii_whitespace).unwrap_or(0)),
            _ => (&b"/"[..], value),
        };
        let Some(forbids) = forbids_training(said) else { return };
        let statement = Statement { signal, forbids, pattern: Pattern::new(path) };
        if self.in_group {
            self.add(|robots| robots.statements.push(statement.clone()));
        } else {
            self.outside.push(statement);
        }
    }

    /// Adds to the groups that are open.
    fn add(&mut self, mut add: impl FnMut(&mut Robots)) {
        if self.in_named {
            add(&mut self.named);
        }
        if self.in_all {
            add(&mut self.for_all);
        }
    }

    fn finish(self) -> Robots {
        let mut robots = if self.is_named { self.named } else { self.for_all };
        robots.statements.extend(self.outside);
        robots
    }
}

/// The product tokens that a user agent may mean: up to its version or a space, and also up to the first character that
/// RFC 9309 (2.2.1) does not allow in a token.
fn tokens(value: &[u8]) -> [&[u8]; 2] {
    let until = |ends: fn(&u8) -> bool| &value[..value.iter().position(ends).unwrap_or(value.len())];
    [
        until(|octet| octet.is_ascii_whitespace() || matches!(octet, b'/' | b'(' | b';')),
        until(|octet| !octet.is_ascii_alphabetic() && !matches!(octet, b'-' | b'_')),
    ]
}

/// A number of seconds, whole or not, at most a day.
fn seconds(value: &[u8]) -> Option<Duration> {
    let end = value.iter().position(|octet| !octet.is_ascii_digit() && *octet != b'.').unwrap_or(value.len());
    let seconds: f64 = std::str::from_utf8(&value[..end]).ok()?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds.min(86_400.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_groups_of_a_program() {
        let text = b"User-agent: Tsumugi/0.2\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n\n\
            User-agent: other\nUser-agent: TSUMUGI (a crawler)\nDisallow: /c\nCrawl-delay: 7\n";
        for agent in ["tsumugi", "Tsumugi/9"] {
            let robots = Robots::parse(text, agent);
            let refused = ["/a", "/b", "/c"].map(|path| !robots.is_allowed(path));
            assert_eq!(refused, [true, false, true], "{agent}");
            assert_eq!(robots.crawl_delay(), Some(Duration::from_secs(7)));
        }
        for agent in ["tsumugibot", "tsu", "third", ""] {
            let robots = Robots::parse(text, agent);
            assert_eq!(
                ["/a", "/b", "/c"].map(|path| !robots.is_allowed(path)),
                [false, true, false],
                "{agent}"
            );
            assert_eq!(robots.crawl_delay(), None);
        }
    }

    #[test]
    fn other_records_end_no_group() {
        let text = b"User-agent: a\nSitemap: http://a.test/s\nCrawl-delay: 1\nUser-agent: b\nDisallow: /x\n";
        for (agent, delay) in [("a", Some(Duration::from_secs(1))), ("b", None)] {
            let robots = Robots::parse(text, agent);
            assert!(!robots.is_allowed("/x"), "{agent}");
            assert_eq!(robots.crawl_delay(), delay, "{agent}");
        }
    }

    #[test]
    fn reads_500_kib() {
        let mut text = b"User-agent: *\n".to_vec();
        text.resize(MAX_ROBOTS_TXT - b"Disallow: /a\n".len(), b'\n');
        text.extend(b"Disallow: /a\nDisallow: /b\n");
        let robots = Robots::parse(&text, "tsumugi");
        assert!(!robots.is_allowed("/a"));
        assert!(robots.is_allowed("/b"));
    }

    #[test]
    fn reads_waits() {
        for (text, expected) in [
            ("3", Some(3.0)),
            ("0.5", Some(0.5)),
            ("10s", Some(10.0)),
            ("1e300", Some(1.0)),
            ("99999999999", Some(86_400.0)),
            ("-1", None),
            ("soon", None),
            ("1.2.3", None),
        ] {
            let found = Robots::parse(format!("User-agent: *\nCrawl-delay: {text}").as_bytes(), "tsumugi");
            assert_eq!(found.crawl_delay().map(|delay| delay.as_secs_f64()), expected, "{text}");
        }
    }

    #[test]
    fn reads_preferences() {
        use Signal::{ContentSignal, ContentUsage};
        for (text, signal, refused) in [
            ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /", ContentSignal, [true, true]),
            ("User-agent: *\nContent-Signal: search=yes\nAllow: /", ContentSignal, [false, false]),
            (
                "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /open/ train-ai=y",
                ContentUsage,
                [true, false],
            ),
            (
                "User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: /open train-ai=n",
                ContentUsage,
                [false, true],
            ),
            (
                "User-agent: *\nContent-Usage: /open train-ai=n\nContent-Usage: /open train-ai=y",
                ContentUsage,
                [false, true],
            ),
            ("Content-Usage: train-ai=n", ContentUsage, [true, true]),
            ("User-agent: *\nContent-Usage: train-ai=n", ContentSignal, [false, false]),
            ("User-agent: other\nContent-Usage: train-ai=n", ContentUsage, [false, false]),
            (
                "User-agent: *\nContent-Usage: train-ai=n\nAllow: /\nUser-agent: tsumugi\nAllow: /",
                ContentUsage,
                [false, false],
            ),
        ] {
            let robots = Robots::parse(text.as_bytes(), "tsumugi");
            assert_eq!(
                ["/a", "/open/a"].map(|path| robots.forbids_training(signal, path)),
                refused,
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(text: Vec<u8>, url in "\\PC{0,30}") {
            let robots = Robots::parse(&text, "tsumugi");
            let _ = (robots.is_allowed(&url), robots.crawl_delay());
        }
    }
}

//! MIME types of payloads: what headers say, and what the bytes say where headers say nothing.

mod sniff;

pub use sniff::sniff;
pub(crate) use sniff::{is_feed, root_is_html};

/// A MIME type as the WHATWG MIME Sniffing standard parses it.
///
/// ```
/// use tsumugi_warc::MediaType;
///
/// let html = MediaType::parse("Text/HTML; charset=\"utf-8\"").unwrap();
/// assert_eq!((html.essence(), html.charset()), ("text/html", Some("utf-8")));
/// // Without the semicolon there is no type.
/// assert_eq!(MediaType::parse("text/html charset=utf-8"), None);
/// // Of several the last that can be parsed counts, as the Fetch standard has it.
/// let last = MediaType::from_headers(["text/plain, text/html;charset=euc-jp", "text/html, */*"]).unwrap();
/// assert_eq!((last.essence(), last.charset()), ("text/html", Some("euc-jp")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    charset: Option<String>,
}

impl MediaType {
    /// Parses a type with its parameters. Returns `None` unless it has the form `type/subtype`, made of token characters.
    /// Stricter than the standard in one thing: a value in single quotes is not a type, as one in double quotes is none.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = trim(value);
        let (kind, rest) = value.split_once('/')?;
        let (subtype, parameters) = rest.split_once(';').unwrap_or((rest, ""));
        let subtype = subtype.trim_end_matches(is_space);
        if !is_token(kind) || !is_token(subtype) || kind.starts_with('\'') {
            return None;
        }
        Some(Self {
            essence: format!("{kind}/{subtype}").to_ascii_lowercase(),
            charset: charset_of(parameters),
        })
    }

    /// The type that several header fields give together. Each may hold several types, separated by commas.
    #[must_use]
    pub fn from_headers<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut found: Option<Self> = None;
        for value in values {
            for part in split(value.as_ref()) {
                let Some(mut next) = Self::parse(part).filter(|next| next.essence != "*/*") else { continue };
                if let Some(before) = found.take().filter(|before| before.essence == next.essence) {
                    next.charset = next.charset.or(before.charset);
                }
                found = Some(next);
            }
        }
        found
    }

    /// `type/subtype` in lower case, without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The first parameter `charset`, as written.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// Whether the type says nothing, so that the bytes decide: `unknown/unknown`, `application/unknown`, `*/*`.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.essence.as_str(), "unknown/unknown" | "application/unknown" | "*/*")
    }

    /// Whether it is HTML or XHTML.
    #[must_use]
    pub fn is_html(&self) -> bool {
        matches!(self.essence.as_str(), "text/html" | "application/xhtml+xml")
    }

    /// Whether it is XML of any kind.
    #[must_use]
    pub fn is_xml(&self) -> bool {
        matches!(self.essence.as_str(), "text/xml" | "application/xml") || self.essence.ends_with("+xml")
    }

    fn of_essence(essence: &str) -> Self {
        Self { essence: essence.to_owned(), charset: None }
    }
}

/// The computed type of a payload whose header declares `declared` and for which the crawler found `identified`.
///
/// Where the header says nothing, the bytes decide; where the bytes are text of no known form, the crawler does. HTML that
/// is a feed is a feed, and XML whose root element is `html` is XHTML.
pub(crate) fn computed(
    declared: Option<MediaType>,
    identified: Option<MediaType>,
    payload: &[u8],
) -> MediaType {
    let found = declared.filter(|declared| !declared.is_unknown()).unwrap_or_else(|| {
        let sniffed = MediaType::of_essence(sniff(payload));
        let is_vague = sniffed.essence == "text/plain";
        identified.filter(|identified| is_vague && !identified.is_unknown()).unwrap_or(sniffed)
    });
    if found.essence == "text/html" && is_feed(payload) {
        return MediaType::of_essence("application/rss+xml");
    }
    if found.is_xml() && !found.is_html() && root_is_html(payload) {
        return MediaType { essence: "application/xhtml+xml".to_owned(), ..found };
    }
    found
}

/// Splits a header value at the commas outside of quoted strings.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |c| {
        let escaped = std::mem::take(&mut is_escaped);
        match c {
            '"' if !escaped => is_quoted = !is_quoted,
            '\\' if is_quoted && !escaped => is_escaped = true,
            _ => {}
        }
        c == ',' && !is_quoted
    })
}

/// The value of the first parameter `charset`.
fn charset_of(parameters: &str) -> Option<String> {
    let mut rest = parameters;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(is_space);
        let end = rest.find([';', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(after) = after.strip_prefix('=') else {
            rest = after.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let (value, next) = parameter_value(after);
        rest = next;
        if name.eq_ignore_ascii_case("charset") && !value.is_empty() {
            return Some(value);
        }
    }
    None
}

/// The value at the beginning, and what stands behind its semicolon.
fn parameter_value(text: &str) -> (String, &str) {
    let behind = |text: &str, at: usize| text[at..].find(';').map_or(text.len(), |end| at + end + 1);
    let Some(quoted) = text.strip_prefix('"') else {
        let end = behind(text, 0);
        let value = text[..end].trim_end_matches(';').trim_end_matches(is_space);
        return (value.to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    let mut end = quoted.len();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => {
                end = at + 1;
                break;
            }
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, &quoted[behind(quoted, end)..])
}

fn trim(value: &str) -> &str {
    value.trim_matches(is_space)
}

/// White space of HTTP.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_types() {
        for (value, essence, charset) in [
            ("text/html", "text/html", None),
            (" TEXT/HTML \t;", "text/html", None),
            ("text/html;charset=UTF-8", "text/html", Some("UTF-8")),
            ("text/html; Charset = x ;charset=Shift_JIS", "text/html", Some("Shift_JIS")),
            ("text/html; charset=\"euc\\-jp\"x; a=b", "text/html", Some("euc-jp")),
            ("text/html; a; b=\"c;charset=d\"; charset='e'", "text/html", Some("'e'")),
            ("text/html;text/html; charset=utf-8", "text/html", Some("utf-8")),
            ("*/*", "*/*", None),
        ] {
            let found = MediaType::parse(value).unwrap();
            assert_eq!((found.essence(), found.charset()), (essence, charset), "{value}");
        }
        for value in [
            "",
            "text",
            "html",
            "/",
            "text/",
            "/html",
            "text/html charset=utf-8",
            "text/html, text/html",
            "text/htmltext/html",
            "\"text/html\"",
            "'text/html; charset=utf-8'x y/z",
            "text /html",
            "text: html",
            "Content-Type: text/html",
            "テキスト/html",
        ] {
            assert_eq!(MediaType::parse(value), None, "{value}");
        }
    }

    #[test]
    fn joins_headers() {
        for (values, expected) in [
            (&["text/html, text/html; charset=utf-8"][..], Some(("text/html", Some("utf-8")))),
            (&["text/html; charset=utf-8", "text/html"], Some(("text/html", Some("utf-8")))),
            (&["text/html; charset=utf-8", "text/plain"], Some(("text/plain", None))),
            (&["text/plain", "text/html"], Some(("text/html", None))),
            (&["text/html", "*/*"], Some(("text/html", None))),
            (&["text/html", "nonsense"], Some(("text/html", None))),
            (&["text/html; a=\",text/plain\""], Some(("text/html", None))),
            (&["nonsense", ""], None),
            (&[], None),
        ] {
            let found = MediaType::from_headers(values);
            let found = found.as_ref().map(|found| (found.essence(), found.charset()));
            assert_eq!(found, expected, "{values:?}");
        }
    }

    #[test]
    fn bytes_decide_where_nothing_is_declared() {
        let html = b"<html><p>x";
        let feed = b"<?xml version='1.0'?><rss version='2.0'>";
        let xhtml =
            b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'>\n<html xmlns='x'>";
        for (declared, identified, payload, expected) in [
            ("", "", &html[..], "text/html"),
            ("unknown/unknown", "", html, "text/html"),
            ("application/unknown", "", html, "text/html"),
            ("*/*", "text/plain", html, "text/html"),
            ("text/html charset=utf-8", "text/html", html, "text/html"),
            ("\"text/html\"", "", html, "text/html"),
            // A part of a page shows nothing; the crawler's tool may have seen more.
            ("", "text/html", "山の話です。".as_bytes(), "text/html"),
            ("", "application/xhtml+xml", b"<center>x", "application/xhtml+xml"),
            ("", "unknown/unknown", b"<center>x", "text/plain"),
            ("", "", b"<center>x", "text/plain"),
            ("", "text/html", b"\x89PNG\r\n\x1a\n", "image/png"),
            ("", "", xhtml, "application/xhtml+xml"),
            ("application/xml", "", xhtml, "application/xhtml+xml"),
            ("text/xml", "text/html", feed, "text/xml"),
            ("", "", feed, "text/xml"),
            ("text/html", "", feed, "application/rss+xml"),
            // What is declared counts, whatever the bytes and the crawler say.
            ("text/html", "text/plain", b"plain", "text/html"),
            ("text/plain", "text/html", html, "text/plain"),
            ("image/png", "text/html", html, "image/png"),
        ] {
            let found = computed(MediaType::from_headers([declared]), MediaType::parse(identified), payload);
            assert_eq!(
                found.essence(),
                expected,
                "{declared} {identified} {:?}",
                String::from_utf8_lossy(payload)
            );
        }
    }
}

//! Selections of captures.

use std::fmt;
use std::str::FromStr;

use super::cdx::Capture;
use super::surt;
use crate::error::Error;

/// Selects captures: every key that is given must match, by any of its values.
///
/// Written as comma-separated `key=value` terms: `language=jpn,mime=text/html,status=200,domain=example.jp`. Keys:
/// - `language`: ISO 639-3 code; matches if the index lists it among the languages of the page;
/// - `mime`: media type, as detected by the crawler if the index records that, otherwise as declared; `text/*` matches
///   all of `text`;
/// - `domain`: the host itself or any host below it, so that `jp` is all of `.jp`;
/// - `status`: HTTP status;
/// - `charset`: as the index writes it, in any case.
///
/// ```
/// use tsumugi_warc_remote::index::Selection;
///
/// let selection: Selection = "language=jpn,mime=text/html,mime=application/xhtml+xml".parse()?;
/// assert_eq!(selection.to_string(), "language=jpn,mime=text/html,mime=application/xhtml+xml");
/// assert!("lang=jpn".parse::<Selection>().is_err());
/// # Ok::<(), tsumugi_warc_remote::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub(super) languages: Vec<String>,
    pub(super) mimes: Vec<String>,
    pub(super) domains: Vec<Domain>,
    pub(super) statuses: Vec<u16>,
    pub(super) charsets: Vec<String>,
}

/// A domain as given, and in the form of index keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) surt: String,
}

impl Domain {
    /// Whether a host is this domain or below it.
    pub(super) fn has(&self, host: &str) -> bool {
        let Some(start) = host.len().checked_sub(self.name.len()) else { return false };
        host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(&self.name))
            && (start == 0 || host.as_bytes().get(start - 1) == Some(&b'.'))
    }
}

impl FromStr for Selection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |term: &str, reason| Error::Selection { term: term.to_owned(), reason, source: None };
        let mut selection = Self::default();
        for term in text.split(',').map(str::trim).filter(|term| !term.is_empty()) {
            let (key, value) = term.split_once('=').ok_or_else(|| invalid(term, "write key=value"))?;
            let value = value.trim();
            match key.trim() {
                _ if value.is_empty() => return Err(invalid(term, "the value is empty")),
                "language" => {
                    if value.len() != 3 || !value.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                        return Err(invalid(term, "give a three-letter ISO 639-3 code (jpn, zho, kor, eng)"));
                    }
                    selection.languages.push(value.to_ascii_lowercase());
                }
                "mime" => selection.mimes.push(value.to_ascii_lowercase()),
                "domain" => {
                    let name = url::Host::parse(value.trim_matches('.')).map_err(|error| {
                        let term = term.to_owned();
                        Error::Selection { term, reason: "this is not a host name", source: Some(error) }
                    })?;
                    let name = name.to_string();
                    selection.domains.push(Domain { surt: surt::of_domain(&name), name });
                }
                "status" => {
                    let status = value.parse().map_err(|_| invalid(term, "give a number such as 200"))?;
                    selection.statuses.push(status);
                }
                "charset" => selection.charsets.push(value.to_ascii_lowercase()),
                _ => return Err(invalid(term, "the keys are language, mime, domain, status and charset")),
            }
        }
        Ok(selection)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |key: &'static str, values: &[String]| -> Vec<String> {
            values.iter().map(|value| format!("{key}={value}")).collect()
        };
        let domains: Vec<String> = self.domains.iter().map(|domain| domain.name.clone()).collect();
        let statuses: Vec<String> = self.statuses.iter().map(u16::to_string).collect();
        let terms = [
            named("language", &self.languages),
            named("mime", &self.mimes),
            named("domain", &domains),
            named("status", &statuses),
            named("charset", &self.charsets),
        ];
        f.write_str(&terms.concat().join(","))
    }
}

impl Selection {
    /// Whether captures with this key (`jp,example)/`) may be wanted. Cheap, and checked before parsing the rest.
    pub(super) fn may_want_key(&self, key: &str) -> bool {
        self.domains.is_empty() || self.domains.iter().any(|domain| surt::is_within(key, &domain.surt))
    }

    /// Whether keys from `first` to `last` may be wanted.
    pub(super) fn may_want_keys(&self, first: &str, last: Option<&str>) -> bool {
        self.domains.is_empty()
            || self.domains.iter().any(|domain| surt::may_include(first, last, &domain.surt))
    }

    pub(super) fn wants(&self, capture: &Capture<'_>) -> bool {
        self.wants_status(capture.status)
            && self.wants_mime(capture.mime_detected.as_deref().or(capture.mime.as_deref()))
            && self.wants_language(capture.languages.as_deref())
            && self.wants_charset(capture.charset.as_deref())
            && self.wants_host(capture.url.as_deref().and_then(host))
    }

    pub(super) fn wants_status(&self, status: Option<u16>) -> bool {
        self.statuses.is_empty() || status.is_some_and(|status| self.statuses.contains(&status))
    }

    pub(super) fn wants_mime(&self, mime: Option<&str>) -> bool {
        let matches = |mime: &str| {
            let mime = mime.split(';').next().unwrap_or_default().trim();
            self.mimes.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(start) => mime.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)),
                None => mime.eq_ignore_ascii_case(wanted),
            })
        };
        self.mimes.is_empty() || mime.is_some_and(matches)
    }

    pub(super) fn wants_language(&self, languages: Option<&str>) -> bool {
        let matches = |languages: &str| {
            languages.split(',').any(|language| {
                self.languages.iter().any(|wanted| language.trim().eq_ignore_ascii_case(wanted))
            })
        };
        self.languages.is_empty() || languages.is_some_and(matches)
    }

    pub(super) fn wants_charset(&self, charset: Option<&str>) -> bool {
        let matches = |charset: &str| self.charsets.iter().any(|wanted| charset.eq_ignore_ascii_case(wanted));
        self.charsets.is_empty() || charset.is_some_and(matches)
    }

    pub(super) fn wants_host(&self, host: Option<&str>) -> bool {
        self.domains.is_empty() || host.is_some_and(|host| self.domains.iter().any(|domain| domain.has(host)))
    }
}

/// The host of a URL, with or without a scheme.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some(host.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(text: &str) -> Selection {
        text.parse().unwrap()
    }

    #[test]
    fn explains_invalid_terms() {
        for (text, part) in [
            ("language=ja", "ISO 639-3"),
            ("mime", "key=value"),
            ("status=ok", "number"),
            ("domain=", "empty"),
            ("lang=jpn", "language, mime"),
            ("domain=a b", "not a host name"),
        ] {
            let error = text.parse::<Selection>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn matches_hosts_types_and_languages() {
        let domain = selection("domain=example.jp,domain=例え.jp");
        for url in [
            "http://example.jp/",
            "https://a.b.EXAMPLE.jp:80/x",
            "http://u@example.jp",
            "http://xn--r8jz45g.jp/",
        ] {
            assert!(domain.wants_host(host(url)), "{url}");
        }
        for url in ["http://badexample.jp/", "http://example.jp.evil.test/", "http://jp/"] {
            assert!(!domain.wants_host(host(url)), "{url}");
        }
        assert!(domain.may_want_key("jp,example,a)/") && !domain.may_want_key("jp,examples)/"));
        let mime = selection("mime=text/*,mime=application/pdf");
        assert!(mime.wants_mime(Some("text/HTML; charset=x")) && mime.wants_mime(Some("application/pdf")));
        assert!(!mime.wants_mime(Some("application/json")) && !mime.wants_mime(None));
        let language = selection("language=JPN");
        assert!(language.wants_language(Some("eng,jpn")) && !language.wants_language(Some("eng")));
        assert!(Selection::default().wants_language(None));
    }
}

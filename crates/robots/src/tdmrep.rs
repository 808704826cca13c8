//! `tdmrep.json`.

use serde_json::Value;

use crate::pattern::{Path, Pattern};

/// The file `/.well-known/tdmrep.json` of a site, in which it reserves its content from text and data mining (TDM Reservation
/// Protocol, Final Community Group Report of 2024).
///
/// ```
/// use tsumugi_robots::TdmRep;
///
/// let file = br#"[
///     {"location": "/press/*.jpg$", "tdm-reservation": 0},
///     {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://a.test/policy.json"}
/// ]"#;
/// let tdmrep = TdmRep::parse(file)?;
/// assert!(tdmrep.is_reserved("https://a.test/news/a.jpg"));
/// assert!(!tdmrep.is_reserved("https://a.test/press/a.jpg"));
/// # Ok::<(), tsumugi_robots::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TdmRep {
    rules: Vec<(Pattern, bool)>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `tdmrep.json` is not JSON, as where a server answers with a page.
    #[error("tdmrep.json is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// A `tdmrep.json` is neither a list of rules nor one rule.
    #[error("tdmrep.json has no list of rules")]
    NoRules,
}

impl TdmRep {
    /// Reads a file. Rules without a `tdm-reservation` of 0 or 1 are left out, as the protocol says; one rule instead of a
    /// list is taken, and a rule without `location` holds for the whole site.
    ///
    /// # Errors
    /// [`Error`] if the file is not JSON or has no rules.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let rules = match serde_json::from_slice(bytes).map_err(Error::NotJson)? {
            Value::Array(rules) => rules.iter().filter_map(rule).collect(),
            one @ Value::Object(_) => rule(&one).into_iter().collect(),
            _ => return Err(Error::NoRules),
        };
        Ok(Self { rules })
    }

    /// Whether the file reserves what is at a URL, or at a path that starts with `/`. The first rule that matches counts.
    #[must_use]
    pub fn is_reserved(&self, url: &str) -> bool {
        let path = Path::of(url);
        self.rules.iter().find(|(pattern, _)| pattern.matches(&path)).is_some_and(|(_, reserved)| *reserved)
    }
}

fn rule(value: &Value) -> Option<(Pattern, bool)> {
    let is_reserved = match value.get("tdm-reservation")? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Bool(reserved) => f64::from(u8::from(*reserved)),
        _ => return None,
    };
    let is_reserved = match is_reserved {
        0.0 => false,
        1.0 => true,
        _ => return None,
    };
    let location = value.get("location").and_then(Value::as_str).unwrap_or("/");
    // The protocol takes the special characters of robots.txt, also the comment.
    let location = location.split('#').next().unwrap_or_default().trim();
    let path = match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None if location.is_empty() => "/",
        None => location,
    };
    Some((Pattern::new(path.as_bytes()), is_reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_counts() {
        for (text, reserved) in [
            (r#"[{"location": "/", "tdm-reservation": 1}]"#, [true, true, true]),
            (r#"[{"location": "/", "tdm-reservation": 0}]"#, [false, false, false]),
            (r#"[{"location": "/a", "tdm-reservation": 1}]"#, [true, true, false]),
            (r#"[{"location": "/a/*.png$", "tdm-reservation": 1}]"#, [false, true, false]),
            (r#"[{"location": "*.jpg", "tdm-reservation": 1}]"#, [true, false, false]),
            (
                r#"[{"location": "/a/b.jpg$", "tdm-reservation": 0}, {"location": "*", "tdm-reservation": 1}]"#,
                [false, true, true],
            ),
            (
                r#"[{"location": "*", "tdm-reservation": 1}, {"location": "/a/", "tdm-reservation": 0}]"#,
                [true, true, true],
            ),
            (r#"[{"location": "/%61/", "tdm-reservation": 1}]"#, [true, true, false]),
            (r#"[{"location": "/a/ # images", "tdm-reservation": 1}]"#, [true, true, false]),
            (r#"[{"location": "https://a.test/a/", "tdm-reservation": 1}]"#, [true, true, false]),
            (r#"[{"location": "/", "tdm-reservation": 2}]"#, [false, false, false]),
            (r#"[{"location": "/", "tdm-reservation": "1"}]"#, [true, true, true]),
            (r#"[{"location": "/"}, 7, null, {"tdm-reservation": 1}]"#, [true, true, true]),
            (r#"{"tdm-reservation": 1, "tdm-policy": "https://a.test/"}"#, [true, true, true]),
            ("\u{feff}[]", [false, false, false]),
        ] {
            let file = TdmRep::parse(text.as_bytes()).unwrap();
            let found = ["/a/b.jpg", "http://a.test/a/b.png", "/c"].map(|url| file.is_reserved(url));
            assert_eq!(found, reserved, "{text}");
        }
    }

    #[test]
    fn tells_what_is_no_such_file() {
        assert!(matches!(TdmRep::parse(b"<!DOCTYPE html>"), Err(Error::NotJson(_))));
        assert!(matches!(TdmRep::parse(b"17"), Err(Error::NoRules)));
    }
}

//! What revisit records repeat: records without a body, because an equal one was captured before.

use tsumugi_images::match_key;
use tsumugi_warc::Record;

/// The reason in the rows that the first phase writes for revisits, one for each [`Target`] (in `final_url`). It never
/// comes into the step's own table.
pub(super) const REVISIT: &str = "revisit";

/// A way in which a revisit names what it repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `WARC-Refers-To`: the ID of a record.
    Record(String),
    /// `WARC-Refers-To-Target-URI` and `WARC-Refers-To-Date`.
    Capture { date: String, key: String },
    /// `WARC-Payload-Digest`.
    Digest(String),
    /// `WARC-Refers-To-Target-URI`, or the revisit's own URL: whatever was captured there.
    Url(String),
}

impl Target {
    /// All ways in which a revisit of a URL names its target, the surest first.
    pub(super) fn of(record: &Record<'_>, url: &str) -> Vec<Target> {
        let field = |name: &str| {
            let value = record.header(name)?;
            let value = value.trim().trim_matches(['<', '>']);
            (!value.is_empty()).then(|| value.to_owned())
        };
        let key = match_key(&field("WARC-Refers-To-Target-URI").unwrap_or_else(|| url.to_owned()));
        let mut targets: Vec<Target> = field("WARC-Refers-To").map(Target::Record).into_iter().collect();
        if let (Some(date), Some(key)) = (field("WARC-Refers-To-Date"), &key) {
            targets.push(Target::Capture { date, key: key.clone() });
        }
        targets.extend(field("WARC-Payload-Digest").map(|digest| Target::Digest(plain_digest(&digest))));
        targets.extend(key.map(Target::Url));
        targets
    }

    /// All names under which a revisit may know a captured record.
    pub(super) fn names_of(record: &Record<'_>, key: &str) -> Vec<String> {
        let field =
            |name: &str| record.header(name).map(|value| value.trim().trim_matches(['<', '>']).to_owned());
        let id = field("WARC-Record-ID").map(Target::Record);
        let capture = field("WARC-Date").map(|date| Target::Capture { date, key: key.to_owned() });
        let digest = field("WARC-Payload-Digest").map(|digest| Target::Digest(plain_digest(&digest)));
        let names = [id, capture, digest].into_iter().flatten().map(|target| target.name());
        names.chain([key.to_owned()]).collect()
    }

    /// The name in tables. That of a URL is its key.
    pub(super) fn name(&self) -> String {
        match self {
            Target::Record(id) => format!("record {id}"),
            Target::Capture { date, key } => format!("capture {date} {key}"),
            Target::Digest(digest) => format!("digest {digest}"),
            Target::Url(key) => key.clone(),
        }
    }

    /// Reads a name.
    pub(super) fn named(name: &str) -> Option<Target> {
        Some(match name.split_once(' ') {
            Some(("record", id)) => Target::Record(id.to_owned()),
            Some(("capture", rest)) => {
                let (date, key) = rest.split_once(' ')?;
                Target::Capture { date: date.to_owned(), key: key.to_owned() }
            }
            Some(("digest", digest)) => Target::Digest(digest.to_owned()),
            _ => Target::Url(name.to_owned()),
        })
    }

    /// All names under which an archive may have it.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Target::Url(key) => tsumugi_images::match_keys(key),
            _ => vec![self.name()],
        }
    }

    /// Whether it names one record.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Target::Record(_) | Target::Capture { .. })
    }
}

/// A digest with its algorithm in lower case and the rest in upper case, as base32 is written; hexadecimal digits follow.
fn plain_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, value)) => {
            format!("{}:{}", algorithm.trim().to_ascii_lowercase(), value.trim().to_ascii_uppercase())
        }
        None => digest.to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for target in [
            Target::Record("urn:uuid:1".into()),
            Target::Capture { date: "2024-05-01T00:00:00Z".into(), key: "http://a.test/a.jpg".into() },
            Target::Digest("sha1:ABC".into()),
            Target::Url("http://a.test/a.jpg".into()),
        ] {
            assert_eq!(Target::named(&target.name()), Some(target));
        }
        assert_eq!(plain_digest("SHA1: abc2"), "sha1:ABC2");
    }
}

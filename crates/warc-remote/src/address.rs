//! Locations of archives and indexes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use crate::error::{Cause, Error, RemoteError, RemoteFault};

/// The location of an archive, an index or a list of archives.
///
/// ```
/// use tsumugi_warc_remote::Address;
///
/// let address = Address::parse("s3://commoncrawl/crawl-data/a.warc.gz")?;
/// assert_eq!(address.name(), "a.warc.gz");
/// // User names and queries may hold keys and are never shown.
/// let address = Address::parse("https://user:secret@example.test/a.warc?signature=secret")?;
/// assert_eq!(address.to_string(), "https://example.test/a.warc?...");
/// # Ok::<(), tsumugi_warc_remote::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A local file or folder.
    File(PathBuf),
    /// Standard input, written `-`.
    StandardInput,
    /// `https://` or `http://`.
    Http(HttpAddress),
    /// `s3://BUCKET/KEY`.
    S3 {
        /// Name of the bucket.
        bucket: String,
        /// Key of the object. An empty key, or one that ends with `/`, names all objects below it.
        key: String,
    },
}

/// The URL of an [`Address`]. Its `Display` and `Debug` forms leave out user names and queries, which may hold keys.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpAddress(pub(crate) Url);

impl fmt::Debug for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "{}{}", url.path(), if url.query().is_some() { "?..." } else { "" })
    }
}

impl Address {
    /// Parses an address: a path, `-`, or a URL with the scheme `https`, `http`, `s3` (also `s3a`) or `file`.
    ///
    /// # Errors
    /// [`Error::Remote`] for other schemes and invalid URLs.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::File(text.into())) };
        let invalid = |reason: &'static str, error: Option<url::ParseError>| -> Error {
            // The rest of the text may hold keys.
            let source = error.map(|error| Arc::new(error) as Cause);
            RemoteError::new(format!("{scheme}://..."), RemoteFault::Address { reason, source }).into()
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Ok(Self::File(
                Url::parse(text).ok().and_then(|url| url.to_file_path().ok()).unwrap_or(rest.into()),
            )),
            "http" | "https" => match Url::parse(text) {
                Ok(url) if url.has_host() => Ok(Self::Http(HttpAddress(url))),
                Ok(_) => Err(invalid("the URL has no host", None)),
                Err(error) => Err(invalid("the URL is invalid", Some(error))),
            },
            "s3" | "s3a" => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(invalid("the bucket is missing; give s3://BUCKET/KEY", None));
                }
                Ok(Self::S3 { bucket: bucket.into(), key: key.into() })
            }
            _ => Err(invalid("the scheme is not supported; give a path, https://, http:// or s3://", None)),
        }
    }

    /// Parses an address given as a path. A path that is not UTF-8 is a local file.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn of_path(path: &Path) -> Result<Self, Error> {
        path.to_str().map_or_else(|| Ok(Self::File(path.to_owned())), Self::parse)
    }

    /// Whether the bytes come over the network.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Http(_) | Self::S3 { .. })
    }

    /// Whether this is an S3 prefix rather than a single object.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        matches!(self, Self::S3 { key, .. } if key.is_empty() || key.ends_with('/'))
    }

    /// The last component of the path, without the query.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::StandardInput => "-".into(),
            Self::Http(url) => url.0.path().rsplit('/').next().unwrap_or_default().into(),
            Self::S3 { key, .. } => key.rsplit('/').next().unwrap_or_default().into(),
        }
    }

    /// Resolves `relative` against this address as a folder. Absolute paths and URLs are returned as they are.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn join(&self, relative: &str) -> Result<Self, Error> {
        if relative.contains("://") || Path::new(relative).is_absolute() {
            return Self::parse(relative);
        }
        Ok(match self {
            Self::File(path) => Self::File(path.join(relative)),
            Self::StandardInput => Self::File(relative.into()),
            Self::S3 { bucket, key } => {
                let slash = if key.is_empty() || key.ends_with('/') { "" } else { "/" };
                Self::S3 { bucket: bucket.clone(), key: format!("{key}{slash}{relative}") }
            }
            Self::Http(HttpAddress(url)) => {
                let mut url = url.clone();
                let path = format!("{}/{relative}", url.path().trim_end_matches('/'));
                url.set_path(&path);
                Self::Http(HttpAddress(url))
            }
        })
    }

    /// The folder that contains this address.
    #[must_use]
    pub fn parent(&self) -> Self {
        let cut = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
        match self {
            Self::File(path) => Self::File(path.parent().map(Path::to_owned).unwrap_or_default()),
            Self::StandardInput => Self::File(PathBuf::new()),
            Self::S3 { bucket, key } => Self::S3 { bucket: bucket.clone(), key: cut(key) },
            Self::Http(HttpAddress(url)) => {
                let mut url = url.clone();
                let path = cut(url.path());
                url.set_path(&path);
                Self::Http(HttpAddress(url))
            }
        }
    }
}

/// The address as a user writes it, without user name and query.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::StandardInput => f.write_str("standard input"),
            Self::Http(url) => url.fmt(f),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match Address::parse(text) {
            Ok(address) => format!("{address} | {}", address.name()),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn tells_paths_from_urls() {
        for (text, expected) in [
            ("a/b.warc", "a/b.warc | b.warc"),
            ("-", "standard input | -"),
            ("file:///a/b%20c.warc", "/a/b c.warc | b c.warc"),
            ("s3://bucket/a/b c%20d.warc", "s3://bucket/a/b c%20d.warc | b c%20d.warc"),
            ("S3a://bucket", "s3://bucket/ | "),
            (
                "https://h.test:8443/a/b.warc.gz?X-Amz-Signature=abc",
                "https://h.test:8443/a/b.warc.gz?... | b.warc.gz",
            ),
        ] {
            assert_eq!(parsed(text), expected);
        }
        for text in ["ftp://h.test/a", "s3:///key", "https://", "https://user:pass word@"] {
            let shown = parsed(text);
            assert!(shown.starts_with("error: ") && !shown.contains("pass"), "{shown}");
        }
    }

    #[test]
    fn joins_and_finds_parents() {
        for (base, relative, expected) in [
            ("https://data.test/", "crawl-data/a.gz", "https://data.test/crawl-data/a.gz"),
            ("https://data.test/x?sig=1", "a.gz", "https://data.test/x/a.gz?..."),
            ("s3://bucket", "crawl-data/a.gz", "s3://bucket/crawl-data/a.gz"),
            ("s3://bucket/p/", "a.gz", "s3://bucket/p/a.gz"),
            ("folder", "a.gz", "folder/a.gz"),
            ("folder", "/a.gz", "/a.gz"),
            ("folder", "s3://other/a.gz", "s3://other/a.gz"),
        ] {
            let base = Address::parse(base).unwrap();
            assert_eq!(base.join(relative).unwrap().to_string(), expected);
        }
        for (address, parent) in [
            ("https://h.test/a/b.gz", "https://h.test/a"),
            ("s3://b/a/c", "s3://b/a"),
            ("a/b", "a"),
            ("s3://b/c", "s3://b/"),
        ] {
            assert_eq!(Address::parse(address).unwrap().parent().to_string(), parent);
        }
    }

    #[test]
    fn shows_no_keys_in_debug_output_either() {
        let address = Address::parse("https://me:secret@h.test/a?token=secret").unwrap();
        assert!(!format!("{address:?} {address}").contains("secret"));
    }
}

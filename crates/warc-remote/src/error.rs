//! Errors of reading remote objects and indexes.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error as ThisError;

/// An error of another crate that caused a [`RemoteFault`]. Shared, so that a fault can be cloned.
pub type Cause = Arc<dyn StdError + Send + Sync>;

/// Why an object, a local file in its place, or an index cannot be read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A remote object cannot be read.
    #[error(transparent)]
    Remote(Box<RemoteError>),
    /// A local file cannot be opened.
    #[error("cannot open {path}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A local file, standard input or the compressed content of an object cannot be read to its end.
    #[error("cannot read {address}")]
    Read {
        /// The file or object.
        address: String,
        /// The system's or the decompressor's reason.
        source: std::io::Error,
    },
    /// An index cannot be read.
    #[error("cannot read the index {index}: {reason}")]
    Index {
        /// The index.
        index: String,
        /// What is wrong with it, and what to give instead.
        reason: String,
        /// The error of the reader, if there was one.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// A term of a selection is invalid.
    #[error("invalid selection `{term}`: {reason}")]
    Selection {
        /// The term.
        term: String,
        /// What is wrong with it, and what to write instead.
        reason: &'static str,
        /// The URL parser's reason, for a domain.
        source: Option<url::ParseError>,
    },
    /// The archive itself cannot be read. None of this crate's functions returns this: it lets `?` serve both for
    /// opening an archive and for reading its records.
    #[error(transparent)]
    Archive(#[from] tsumugi_warc::Error),
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        Self::Remote(Box::new(error))
    }
}

impl Error {
    /// Wraps an error of a reader: the [`RemoteError`] inside it, if there is one.
    pub(crate) fn read(address: impl fmt::Display, source: std::io::Error) -> Self {
        match source.get_ref().and_then(|inner| inner.downcast_ref::<RemoteError>()) {
            Some(error) => error.clone().into(),
            None => Self::Read { address: address.to_string(), source },
        }
    }
}

/// A remote object that cannot be read, and why. The address leaves out user names and queries, which may hold keys.
#[derive(Debug, Clone)]
pub struct RemoteError {
    /// The object.
    pub address: String,
    /// What went wrong.
    pub fault: RemoteFault,
    /// Byte of the object at which reading stopped.
    pub offset: u64,
    /// Requests that failed in a row without making progress.
    pub attempts: u32,
}

impl RemoteError {
    pub(crate) fn new(address: impl fmt::Display, fault: RemoteFault) -> Self {
        Self { address: address.to_string(), fault, offset: 0, attempts: 0 }
    }

    pub(crate) fn at(mut self, offset: u64, attempts: u32) -> Self {
        (self.offset, self.attempts) = (offset, attempts);
        self
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.fault)?;
        if self.offset > 0 {
            write!(f, " (at byte {})", self.offset)?;
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

/// The message contains the fault, so the source is what caused the fault.
impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.fault.source()
    }
}

impl From<RemoteError> for std::io::Error {
    fn from(error: RemoteError) -> Self {
        use std::io::ErrorKind;
        let kind = match &error.fault {
            RemoteFault::NotFound => ErrorKind::NotFound,
            RemoteFault::Refused { .. } => ErrorKind::PermissionDenied,
            RemoteFault::TimedOut(_) => ErrorKind::TimedOut,
            RemoteFault::Changed { .. } => ErrorKind::InvalidData,
            RemoteFault::Cut(_) => ErrorKind::UnexpectedEof,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// What is wrong with a remote object or with the connection to it.
#[derive(Debug, Clone, ThisError)]
#[non_exhaustive]
pub enum RemoteFault {
    /// The object does not exist.
    #[error("the object does not exist (404)")]
    NotFound,
    /// The server refuses access (401 or 403).
    #[error("access is refused ({status}{}); {}", Code(.code), remedy(.signed))]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's code for it (S3 only).
        code: Option<String>,
        /// Whether the request was signed with keys; `None` for plain HTTP.
        signed: Option<bool>,
    },
    /// Any other status that is not a success.
    #[error("the server answers {status}{}", Code(.code))]
    Status {
        /// HTTP status.
        status: u16,
        /// The server's code for it (S3 only).
        code: Option<String>,
    },
    /// The object is no longer the version whose first bytes were read. The two are never mixed.
    #[error(
        "the object changed while it was read: {what} was {was} and is now {is}; read it again from its start"
    )]
    Changed {
        /// What differs: `length`, `ETag` or `Last-Modified`.
        what: &'static str,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// The connection ended before all bytes had arrived.
    #[error("the connection was cut before all bytes had arrived")]
    Cut(#[source] Option<Cause>),
    /// No byte arrived for this long.
    #[error("no byte arrived for {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] Cause),
    /// The range is not inside the object.
    #[error(
        "bytes {start} to {end} were requested, but the object has {length}; the index was not made from this object"
    )]
    OutOfRange {
        /// First byte requested.
        start: u64,
        /// Byte after the last one requested.
        end: u64,
        /// Length of the object.
        length: u64,
    },
    /// The server sends the whole object when a range is requested.
    #[error("the server ignores ranges")]
    RangesIgnored,
    /// The address is invalid.
    #[error("{reason}")]
    Address {
        /// What is wrong with it, and what to give instead.
        reason: &'static str,
        /// The parser's reason.
        source: Option<Cause>,
    },
    /// The bucket is in another region than the configured one.
    #[error("the bucket is in the region {0}; set AWS_REGION={0}")]
    Region(String),
    /// The client cannot be set up.
    #[error("the client cannot be set up")]
    Setup(#[source] Cause),
    /// The client's thread has ended.
    #[error("the client's thread has ended")]
    Stopped,
    /// Any other error of the object store.
    #[error("the object store failed")]
    Store(#[source] Cause),
}

impl RemoteFault {
    pub(crate) fn invalid_key(error: object_store::path::Error) -> Self {
        Self::Address { reason: "the key is invalid", source: Some(Arc::new(error)) }
    }

    /// Whether another attempt may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            // 501 and 505 mean that the server will never serve the request.
            Self::Status { status, .. } => {
                matches!(status, 408 | 425 | 429) || (*status >= 500 && !matches!(status, 501 | 505))
            }
            Self::Cut(_) | Self::TimedOut(_) | Self::Connection(_) => true,
            _ => false,
        }
    }
}

struct Code<'a>(&'a Option<String>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |code| write!(f, ", {code}"))
    }
}

fn remedy(signed: &Option<bool>) -> &'static str {
    match signed {
        Some(true) => "check the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and their permissions",
        Some(false) => {
            "the request was not signed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
             or use the bucket's https:// address if it has one"
        }
        None => "check the URL and whether it needs a signature",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cause of two errors with messages of their own.
    #[derive(Debug, ThisError)]
    #[error("outer cause")]
    struct Outer(#[source] Inner);

    #[derive(Debug, ThisError)]
    #[error("inner cause")]
    struct Inner;

    fn cause() -> Cause {
        Arc::new(Outer(Inner))
    }

    fn io() -> std::io::Error {
        std::io::Error::other(Outer(Inner))
    }

    fn remote(fault: RemoteFault) -> Error {
        RemoteError::new("https://a.test/b", fault).at(5, 2).into()
    }

    /// The messages of an error and of all its causes.
    fn chain(error: &Error) -> Vec<String> {
        std::iter::successors(Some(error as &dyn StdError), |error| (*error).source())
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn shows_each_cause_once() {
        let invalid = url::ParseError::EmptyHost;
        let text = || "text".to_owned();
        let with_outer: Vec<Error> = vec![
            remote(RemoteFault::Cut(Some(cause()))),
            remote(RemoteFault::Connection(cause())),
            remote(RemoteFault::Setup(cause())),
            remote(RemoteFault::Store(cause())),
            Error::Open { path: "a".into(), source: io() },
            Error::Read { address: text(), source: io() },
            Error::read("a", std::io::Error::from(RemoteError::new("a", RemoteFault::Store(cause())))),
            Error::Index { index: text(), reason: text(), source: Some(Box::new(Outer(Inner))) },
            Error::Archive(tsumugi_warc::Error::Read { offset: 3, source: io() }),
        ];
        let with_url: Vec<Error> = vec![
            remote(RemoteFault::Address { reason: "no URL", source: Some(Arc::new(invalid)) }),
            Error::Selection { term: text(), reason: "no host name", source: Some(invalid) },
        ];
        let alone: Vec<Error> = vec![
            remote(RemoteFault::NotFound),
            remote(RemoteFault::Refused { status: 403, code: Some(text()), signed: None }),
            remote(RemoteFault::Status { status: 500, code: None }),
            remote(RemoteFault::Changed { what: "ETag", was: text(), is: text() }),
            remote(RemoteFault::Cut(None)),
            remote(RemoteFault::TimedOut(Duration::from_secs(3))),
            remote(RemoteFault::OutOfRange { start: 1, end: 2, length: 1 }),
            remote(RemoteFault::RangesIgnored),
            remote(RemoteFault::Address { reason: "no URL", source: None }),
            remote(RemoteFault::Region(text())),
            remote(RemoteFault::Stopped),
            Error::Index { index: text(), reason: text(), source: None },
            Error::Selection { term: text(), reason: "empty", source: None },
        ];
        let invalid = [invalid.to_string()];
        let causes = ["outer cause".to_owned(), "inner cause".to_owned()];
        for (errors, expected) in [(with_outer, &causes[..]), (with_url, &invalid), (alone, &[])] {
            for error in errors {
                let chain = chain(&error);
                assert_eq!(&chain[1..], expected, "{error:?}");
                for pair in chain.windows(2) {
                    assert!(!pair[0].contains(&pair[1]), "{chain:?}");
                }
            }
        }
    }
}

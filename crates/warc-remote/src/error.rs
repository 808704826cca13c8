//! Errors of reading remote objects and indexes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error as ThisError;

/// Why an object, a local file in its place, or an index cannot be read.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A remote object cannot be read.
    #[error(transparent)]
    Remote(Box<RemoteError>),
    /// A local file cannot be opened.
    #[error("cannot open {path}: {source}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A local file or standard input cannot be read to its end.
    #[error("reading failed at offset {offset}: {source}")]
    Read {
        /// Bytes read before the failure.
        offset: u64,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An index cannot be read.
    #[error("{index}: not an index that can be read: {reason}")]
    Index {
        /// The index.
        index: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A term of a selection that says nothing.
    #[error("selection `{term}`: {reason}")]
    Selection {
        /// The term.
        term: String,
        /// What is wrong with it.
        reason: String,
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

/// A remote object that cannot be read, and why. The address is shown without what may hold keys.
#[derive(Debug, Clone, ThisError)]
#[error("{address}: {fault}{}", Place { offset: *.offset, attempts: *.attempts })]
pub struct RemoteError {
    /// The object.
    pub address: String,
    /// What is wrong.
    pub fault: RemoteFault,
    /// Byte of the object at which reading stopped.
    pub offset: u64,
    /// Requests that failed one after another without bringing anything new.
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

impl From<RemoteError> for std::io::Error {
    fn from(error: RemoteError) -> Self {
        use std::io::ErrorKind;
        let kind = match &error.fault {
            RemoteFault::NotFound => ErrorKind::NotFound,
            RemoteFault::Refused { .. } => ErrorKind::PermissionDenied,
            RemoteFault::TimedOut(_) => ErrorKind::TimedOut,
            RemoteFault::Changed { .. } => ErrorKind::InvalidData,
            RemoteFault::Cut => ErrorKind::UnexpectedEof,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

struct Place {
    offset: u64,
    attempts: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.offset > 0 {
            write!(f, " (at byte {})", self.offset)?;
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

/// What is wrong with a remote object or on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum RemoteFault {
    /// There is no such object.
    #[error("there is no such object (404)")]
    NotFound,
    /// The server refuses (401 or 403).
    #[error("access is refused ({status}{}); {}", Code(.code), remedy(.signed))]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's code for it (S3 only).
        code: Option<String>,
        /// Whether the request was signed with keys; none for plain HTTP.
        signed: Option<bool>,
    },
    /// Any other status that is no success.
    #[error("the server answers {status}{}", Code(.code))]
    Status {
        /// HTTP status.
        status: u16,
        /// The server's code for it (S3 only).
        code: Option<String>,
    },
    /// The object is no longer the one of which the first bytes were read: the two are not mixed.
    #[error(
        "the object has changed while it was read: {what} was {was} and is now {is}; read it again from its start"
    )]
    Changed {
        /// What differs: `length`, `ETag` or `Last-Modified`.
        what: &'static str,
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// The connection ended before all bytes had come.
    #[error("the connection was cut before all bytes had come")]
    Cut,
    /// Nothing came for so long.
    #[error("nothing came for {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// The range is not in the object.
    #[error(
        "bytes {start} to {end} are wanted and the object has {length}; it is not the one that the index was made of"
    )]
    OutOfRange {
        /// First byte wanted.
        start: u64,
        /// Byte behind the last one wanted.
        end: u64,
        /// Length of the object.
        length: u64,
    },
    /// The server sends the whole object where a range is asked for.
    #[error("the server ignores ranges")]
    RangesIgnored,
    /// The address is none.
    #[error("{0}")]
    Address(String),
    /// The configuration of the client does not hold.
    #[error("cannot be set up: {0}")]
    Setup(String),
    /// Anything else the store says.
    #[error("{0}")]
    Store(String),
}

impl RemoteFault {
    /// Whether another attempt may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            // 501 and 505 say that the server will never do it.
            Self::Status { status, .. } => {
                matches!(status, 408 | 425 | 429) || (*status >= 500 && !matches!(status, 501 | 505))
            }
            Self::Cut | Self::TimedOut(_) | Self::Connection(_) => true,
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
        Some(true) => "check the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and what they may read",
        Some(false) => {
            "the request was not signed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
             or read it over https:// where the bucket has such an address"
        }
        None => "check the URL and whether it needs a signature",
    }
}

/// An error of a reader: that of the remote object where it is one.
pub(crate) fn read_error(source: std::io::Error) -> Error {
    match source.get_ref().and_then(|inner| inner.downcast_ref::<RemoteError>()) {
        Some(error) => error.clone().into(),
        None => Error::Read { offset: 0, source },
    }
}

//! What came of asking.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::sync::OwnedSemaphorePermit;

/// What came of asking for an address.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The address that answered last, after redirects.
    pub url: String,
    /// Its HTTP status; 0 where there was no answer. Where a redirect led to an address that is refused, that of the redirect.
    pub status: u16,
    /// Its head.
    pub headers: HeaderMap,
    /// The bytes, or why there are none.
    pub body: Result<Bytes, Refusal>,
    /// Requests for the picture that were made, redirects and repetitions included.
    pub requests: u32,
    /// Kept as long as a large body is: few are held at a time.
    pub(super) room: Option<Arc<OwnedSemaphorePermit>>,
}

/// Why there are no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The address is none, or neither `http` nor `https`.
    #[error("no http address")]
    Address,
    /// The name, or the number that stands for one, belongs to a network that is not public.
    #[error("the address belongs to a private network; allow_private lets it through")]
    PrivateAddress,
    /// The name has no address.
    #[error("the host's name has no address")]
    UnknownHost,
    /// `robots.txt` forbids it.
    #[error("robots.txt forbids it")]
    Robots,
    /// `robots.txt` could not be had, which RFC 9309 counts as forbidding everything.
    #[error("robots.txt could not be read")]
    RobotsUnreachable,
    /// More redirects than are followed.
    #[error("too many redirects")]
    Redirects,
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// The caller's rule about heads, in its word.
    #[error("refused by its head: {0}")]
    Head(String),
    /// The body is packed, though it was not asked for that way.
    #[error("the body has a content encoding")]
    Encoded,
    /// More bytes than are read.
    #[error("too many bytes")]
    TooManyBytes,
    /// No connection.
    #[error("no connection")]
    Unreachable,
    /// Nothing came in time.
    #[error("the time ran out")]
    Timeout,
    /// The connection broke off before the end.
    #[error("the answer was cut off")]
    Cut,
    /// The host asks for a longer wait than the longest.
    #[error("the host asks for a long wait")]
    LongWait,
}

impl Refusal {
    /// The word under which it is counted.
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Address => "no_http_url",
            Self::PrivateAddress => "private_address",
            Self::UnknownHost => "unknown_host",
            Self::Robots => "robots_txt",
            Self::RobotsUnreachable => "robots_txt_unreachable",
            Self::Redirects => "too_many_redirects",
            Self::Status(status) => return Cow::Owned(format!("status:{status}")),
            Self::Head(reason) => return Cow::Owned(reason.clone()),
            Self::Encoded => "content_encoding",
            Self::TooManyBytes => "too_many_bytes",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Cut => "cut_off",
            Self::LongWait => "long_wait",
        })
    }

    /// Whether asking again may help.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Unreachable | Self::Timeout | Self::Cut => true,
            _ => false,
        }
    }
}

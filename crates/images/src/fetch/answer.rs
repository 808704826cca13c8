//! Results of fetching.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::sync::OwnedSemaphorePermit;
use tsumugi_robots::Signal;

/// The result of fetching a URL.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The last URL requested, after redirects.
    pub url: String,
    /// Its HTTP status; 0 without an answer. If a redirect led to a refused URL, the status of the redirect.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The bytes, or the reason why there are none.
    pub body: Result<Bytes, Refusal>,
    /// Requests sent for the image, including redirects and retries.
    pub requests: u32,
    /// Held as long as a large body, because few of them may be in memory at the same time.
    pub(super) permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// Why an image was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The URL is invalid, or its scheme is neither `http` nor `https`.
    #[error("this is not an http or https URL")]
    Address,
    /// The host has an address in a network that is not public.
    #[error("the address belongs to a private network; set allow_private to allow it")]
    PrivateAddress,
    /// The name has no address.
    #[error("the host name has no address")]
    UnknownHost,
    /// `robots.txt` forbids it.
    #[error("robots.txt forbids it")]
    Robots,
    /// `robots.txt` could not be fetched, which by RFC 9309 forbids everything.
    #[error("robots.txt could not be fetched")]
    RobotsUnreachable,
    /// The site reserves it in one of its files.
    #[error("the site forbids the use of its content ({})", .0.name())]
    OptOut(Signal),
    /// More redirects than the limit.
    #[error("too many redirects")]
    Redirects,
    /// A status other than 200.
    #[error("status {0}")]
    Status(u16),
    /// Refused by the caller because of its headers; holds the caller's reason.
    #[error("refused because of its headers: {0}")]
    Headers(String),
    /// The body has a content coding, which the request excluded, and it is not gzip or deflate, or is damaged.
    #[error("the body has a content coding that cannot be read")]
    Encoded,
    /// The body is larger than the limit.
    #[error("the body is larger than max_bytes")]
    TooManyBytes,
    /// The host cannot be reached.
    #[error("the host cannot be reached")]
    Unreachable,
    /// A connect, idle or request timeout expired.
    #[error("the request timed out")]
    Timeout,
    /// The connection ended before the body was complete.
    #[error("the answer was cut off")]
    Cut,
    /// The host requests a longer wait than the limit.
    #[error("the host requests a wait longer than longest_wait_ms")]
    LongWait,
}

impl Refusal {
    /// The word used in tables and counts.
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Address => "no_http_url",
            Self::PrivateAddress => "private_address",
            Self::UnknownHost => "unknown_host",
            Self::Robots => "robots_txt",
            Self::RobotsUnreachable => "robots_txt_unreachable",
            Self::OptOut(signal) => return Cow::Owned(format!("opt_out:{}", signal.name())),
            Self::Redirects => "too_many_redirects",
            Self::Status(status) => return Cow::Owned(format!("status:{status}")),
            Self::Headers(reason) => return Cow::Owned(reason.clone()),
            Self::Encoded => "content_encoding",
            Self::TooManyBytes => "too_many_bytes",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Cut => "cut_off",
            Self::LongWait => "long_wait",
        })
    }

    /// Whether another attempt may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Unreachable | Self::Timeout | Self::Cut => true,
            _ => false,
        }
    }
}

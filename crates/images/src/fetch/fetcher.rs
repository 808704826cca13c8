//! Fetches a URL: redirects, checks and retries.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Host as UrlHost, Url};

use super::answer::{Answer, Refusal};
use super::config::HttpConfig;
use super::hosts::{Host, Hosts, requested_wait};
use super::public::is_public;
use super::resolve::{CheckedResolver, Lookup, SystemLookup, refusal_in};
use super::robots::{self, Robots};

/// Size in bytes above which a body is large.
const LARGE: usize = 1 << 20;

/// Redirects followed from a `robots.txt` (RFC 9309, 2.3.1.2).
const ROBOTS_REDIRECTS: usize = 5;

/// The HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the HTTP client; check that `agent` and `contact` are ASCII text")]
pub struct SetupError {
    source: reqwest::Error,
}

/// Fetches images. A clone is another handle to the same connections and limits.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    config: HttpConfig,
    client: Client,
    hosts: Hosts,
    large_bodies: Arc<Semaphore>,
}

/// The purpose of a request: an image or a `robots.txt`.
struct Purpose<'a> {
    redirects: usize,
    max_bytes: u64,
    /// Whether a longer body is truncated instead of refused.
    truncate: bool,
    /// Whether `robots.txt` applies.
    robots: bool,
    accept: &'a (dyn Fn(&HeaderMap) -> Option<String> + Sync),
}

impl Fetcher {
    /// Creates a fetcher that resolves names like the operating system. It must be used inside a Tokio runtime.
    ///
    /// # Errors
    /// [`SetupError`] if the HTTP client cannot be created.
    pub fn new(config: HttpConfig) -> Result<Self, SetupError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// Creates a fetcher with its own resolver of names.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_lookup(config: HttpConfig, lookup: Arc<dyn Lookup>) -> Result<Self, SetupError> {
        // Fails if another part of the program has installed a provider already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let accept = HeaderValue::from_static("image/*,*/*;q=0.5");
        // A compressed body could decompress to any size, and images are compressed already.
        let identity = HeaderValue::from_static("identity");
        let client = Client::builder()
            .user_agent(config.user_agent())
            .default_headers([(ACCEPT, accept), (ACCEPT_ENCODING, identity)].into_iter().collect())
            // Every redirect is checked here, so the client must neither follow one itself nor connect through a proxy.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(CheckedResolver::new(lookup, &config)))
            .connect_timeout(Duration::from_millis(config.connect_ms))
            .read_timeout(Duration::from_millis(config.idle_ms))
            .pool_max_idle_per_host(config.per_host)
            .pool_idle_timeout(Duration::from_secs(15))
            .build()
            .map_err(|source| SetupError { source })?;
        let hosts = Hosts::new(config.connections, config.per_host);
        let large_bodies = Arc::new(Semaphore::new(config.large_bodies.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self(Arc::new(Inner { config, client, hosts, large_bodies })))
    }

    /// Fetches an image. `accept` sees the headers of an answer with status 200 and may return a reason not to read the
    /// body.
    pub async fn fetch(&self, url: &str, accept: &(dyn Fn(&HeaderMap) -> Option<String> + Sync)) -> Answer {
        let config = &self.0.config;
        let (redirects, max_bytes) = (config.redirects, config.max_bytes);
        let purpose = Purpose { redirects, max_bytes, truncate: false, robots: config.robots, accept };
        match Url::parse(url) {
            Ok(url) => self.0.fetch_with_retries(url, &purpose).await,
            Err(_) => answer(url, Err(Refusal::Address)),
        }
    }
}

fn answer(url: &str, body: Result<Bytes, Refusal>) -> Answer {
    Answer { url: url.to_owned(), status: 0, headers: HeaderMap::new(), body, requests: 0, permit: None }
}

impl Inner {
    /// Fetches until the answer is final or the attempts are used up.
    async fn fetch_with_retries(&self, url: Url, purpose: &Purpose<'_>) -> Answer {
        let mut requests = 0;
        let mut attempt = 1;
        loop {
            let mut answer = self.follow(url.clone(), purpose).await;
            // Without a request, the host is known to be down, and another attempt would be refused again.
            let is_transient = answer.requests > 0 && answer.body.as_ref().is_err_and(Refusal::is_transient);
            requests += answer.requests;
            answer.requests = requests;
            if !is_transient || attempt >= self.config.attempts {
                return answer;
            }
            // If the host has requested a wait, it is paused, and the permit waits for that.
            if requested_wait(&answer.headers, SystemTime::now()).is_none() {
                tokio::time::sleep(self.config.wait(attempt)).await;
            }
            attempt += 1;
        }
    }

    /// Follows redirects. If the next URL is refused, the answer has the headers of the redirect to it.
    async fn follow(&self, mut at: Url, purpose: &Purpose<'_>) -> Answer {
        let mut found = answer(at.as_str(), Err(Refusal::Redirects));
        for requests in 0..=purpose.redirects as u32 {
            let host = match self.check(&at, purpose).await {
                Ok(host) => host,
                Err(refusal) => return Answer { url: at.into(), body: Err(refusal), requests, ..found },
            };
            found = Answer { requests: requests + 1, ..self.request(&at, &host, purpose).await };
            match redirect_of(&at, &found) {
                Some(Ok(next)) => at = next,
                Some(Err(refusal)) => return Answer { body: Err(refusal), ..found },
                None => return found,
            }
        }
        Answer { url: at.into(), body: Err(Refusal::Redirects), ..found }
    }

    /// Checks whether a URL may be requested at all.
    async fn check(&self, at: &Url, purpose: &Purpose<'_>) -> Result<Arc<Host>, Refusal> {
        if !matches!(at.scheme(), "http" | "https") {
            return Err(Refusal::Address);
        }
        // Names are checked when they are resolved; literal addresses never are.
        let literal = match at.host() {
            Some(UrlHost::Ipv4(address)) => Some(address.into()),
            Some(UrlHost::Ipv6(address)) => Some(address.into()),
            Some(UrlHost::Domain(_)) => None,
            None => return Err(Refusal::Address),
        };
        let name = at.host_str().unwrap_or_default();
        if literal.is_some_and(|address| !is_public(address)) && !self.config.may_be_private(name) {
            return Err(Refusal::PrivateAddress);
        }
        let origin = at.origin().ascii_serialization();
        let host = self.hosts.get(&origin);
        if purpose.robots {
            let rules = host.robots.get_or_init(|| self.fetch_robots(&origin)).await;
            if let Some(refusal) = rules.refusal(at.as_str()) {
                return Err(refusal);
            }
        }
        Ok(host)
    }

    /// Boxed, because fetching an image calls this, and this calls the same functions.
    fn fetch_robots<'a>(&'a self, origin: &'a str) -> Pin<Box<dyn Future<Output = Robots> + Send + 'a>> {
        Box::pin(async move {
            let Ok(url) = Url::parse(&format!("{origin}/robots.txt")) else { return Robots::AllowAll };
            let (redirects, max_bytes, accept) = (ROBOTS_REDIRECTS, robots::MAX_BYTES, &|_: &HeaderMap| None);
            let purpose = Purpose { redirects, max_bytes, truncate: true, robots: false, accept };
            Robots::of(self.fetch_with_retries(url, &purpose).await, &self.config.agent)
        })
    }

    /// Sends one request.
    async fn request(&self, at: &Url, host: &Host, purpose: &Purpose<'_>) -> Answer {
        let Some(_permit) = self.hosts.permit(host).await else {
            return answer(at.as_str(), Err(Refusal::Unreachable));
        };
        let mut found = answer(at.as_str(), Err(Refusal::Timeout));
        let limit = Duration::from_millis(self.config.request_ms);
        // Status and headers stay in `found` if the body takes too long.
        let _ = tokio::time::timeout(limit, async {
            let response = match self.client.get(at.clone()).send().await {
                Ok(response) => response,
                Err(error) => {
                    found.body = Err(failure(&error, Refusal::Unreachable));
                    return;
                }
            };
            found.status = response.status().as_u16();
            found.headers = response.headers().clone();
            found.body = self.read(response, host, purpose, &mut found.permit).await;
        })
        .await;
        if found.body.is_err() {
            found.permit = None;
        }
        found
    }

    /// Reads the body of an answer, unless its status or headers rule that out.
    async fn read(
        &self,
        mut response: Response,
        host: &Host,
        purpose: &Purpose<'_>,
        permit: &mut Option<Arc<OwnedSemaphorePermit>>,
    ) -> Result<Bytes, Refusal> {
        let status = response.status().as_u16();
        if status != 200 {
            if let (408 | 429 | 503, Some(wait)) =
                (status, requested_wait(response.headers(), SystemTime::now()))
            {
                if wait > self.config.longest_wait() {
                    return Err(Refusal::LongWait);
                }
                host.pause(wait);
            }
            return Err(Refusal::Status(status));
        }
        if let Some(reason) = (purpose.accept)(response.headers()) {
            return Err(Refusal::Headers(reason));
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::Encoded);
        }
        let length = response.content_length().unwrap_or(0);
        if length > purpose.max_bytes && !purpose.truncate {
            return Err(Refusal::TooManyBytes);
        }
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body.freeze()),
                Err(error) => return Err(failure(&error, Refusal::Cut)),
            }
            if body.len() > LARGE && permit.is_none() {
                *permit = self.large_bodies.clone().acquire_owned().await.ok().map(Arc::new);
            }
            if body.len() as u64 > purpose.max_bytes {
                if purpose.truncate {
                    body.truncate(purpose.max_bytes as usize);
                    return Ok(body.freeze());
                }
                return Err(Refusal::TooManyBytes);
            }
        }
    }
}

/// The target of a redirect, if the answer is one.
fn redirect_of(at: &Url, found: &Answer) -> Option<Result<Url, Refusal>> {
    if !matches!(found.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = found.headers.get(LOCATION)?;
    // Many servers write names and paths in UTF-8 here.
    let target = String::from_utf8_lossy(target.as_bytes());
    Some(at.join(target.trim()).map_err(|_| Refusal::Address))
}

/// The refusal that an error of the HTTP client stands for.
fn failure(error: &reqwest::Error, otherwise: Refusal) -> Refusal {
    refusal_in(error).unwrap_or(if error.is_timeout() { Refusal::Timeout } else { otherwise })
}

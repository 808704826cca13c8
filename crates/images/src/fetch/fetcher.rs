//! One address after another: hops, checks, repetitions.

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
use super::hosts::{Host, Hosts, asked_wait};
use super::public::is_public;
use super::resolve::{Lookup, Names, SystemLookup, refusal_in};
use super::robots::{self, Robots};

/// Bytes above which a body is large.
const LARGE: usize = 1 << 20;

/// Redirects from a `robots.txt` that are followed (RFC 9309, 2.3.1.2).
const ROBOTS_REDIRECTS: usize = 5;

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made ({reason}); is the agent's name or the contact no ASCII text?")]
pub struct SetupError {
    reason: String,
}

/// Fetches pictures. A clone is another handle to the same connections and limits.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    config: HttpConfig,
    client: Client,
    hosts: Hosts,
    room: Arc<Semaphore>,
}

/// What a request is for.
struct Purpose<'a> {
    redirects: usize,
    most_bytes: u64,
    /// Whether a longer body is cut there instead of being refused.
    cut: bool,
    /// Whether `robots.txt` has a say.
    robots: bool,
    accept: &'a (dyn Fn(&HeaderMap) -> Option<String> + Sync),
}

impl Fetcher {
    /// A fetcher that looks names up as the operating system does. It has to be used inside a Tokio runtime.
    ///
    /// # Errors
    /// [`SetupError`] where no HTTP client can be made.
    pub fn new(config: HttpConfig) -> Result<Self, SetupError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// A fetcher with another way to look names up.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_lookup(config: HttpConfig, lookup: Arc<dyn Lookup>) -> Result<Self, SetupError> {
        // Another part of the program may have chosen a provider already: that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let accept = HeaderValue::from_static("image/*,*/*;q=0.5");
        // A packed body could unpack to any size; pictures are packed already.
        let identity = HeaderValue::from_static("identity");
        let client = Client::builder()
            .user_agent(config.user_agent())
            .default_headers([(ACCEPT, accept), (ACCEPT_ENCODING, identity)].into_iter().collect())
            // Each hop is checked here; the client follows none by itself, and asks no other machine to connect for it.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(Names::new(lookup, &config)))
            .connect_timeout(Duration::from_millis(config.connect_ms))
            .read_timeout(Duration::from_millis(config.idle_ms))
            .pool_max_idle_per_host(config.per_host)
            .pool_idle_timeout(Duration::from_secs(15))
            .build()
            .map_err(|error| SetupError { reason: error.to_string() })?;
        let hosts = Hosts::new(config.connections, config.per_host);
        let room = Arc::new(Semaphore::new(config.large_bodies.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self(Arc::new(Inner { config, client, hosts, room })))
    }

    /// Asks for a picture. `accept` sees the head of an answer with status 200 and may give a word for which its body
    /// is not read.
    pub async fn fetch(&self, url: &str, accept: &(dyn Fn(&HeaderMap) -> Option<String> + Sync)) -> Answer {
        let config = &self.0.config;
        let (redirects, most_bytes) = (config.redirects, config.max_bytes);
        let purpose = Purpose { redirects, most_bytes, cut: false, robots: config.robots, accept };
        match Url::parse(url) {
            Ok(url) => self.0.repeat(url, &purpose).await,
            Err(_) => answer(url, Err(Refusal::Address)),
        }
    }
}

fn answer(url: &str, body: Result<Bytes, Refusal>) -> Answer {
    Answer { url: url.to_owned(), status: 0, headers: HeaderMap::new(), body, requests: 0, room: None }
}

impl Inner {
    /// Asks until there is an answer that stays, or the attempts are used up.
    async fn repeat(&self, url: Url, purpose: &Purpose<'_>) -> Answer {
        let mut requests = 0;
        let mut attempt = 1;
        loop {
            let mut answer = self.follow(url.clone(), purpose).await;
            // What was refused without a request, since its host is known to be down, is refused again.
            let may_pass = answer.requests > 0 && answer.body.as_ref().is_err_and(Refusal::may_pass);
            requests += answer.requests;
            answer.requests = requests;
            if !may_pass || attempt >= self.config.attempts {
                return answer;
            }
            // A host that said how long to wait is waited for at its gate.
            if asked_wait(&answer.headers, SystemTime::now()).is_none() {
                tokio::time::sleep(self.config.wait(attempt)).await;
            }
            attempt += 1;
        }
    }

    /// Goes from redirect to redirect. Where the next address is refused, the head is that of the redirect to it.
    async fn follow(&self, mut at: Url, purpose: &Purpose<'_>) -> Answer {
        let mut found = answer(at.as_str(), Err(Refusal::Redirects));
        for requests in 0..=purpose.redirects as u32 {
            let host = match self.admit(&at, purpose).await {
                Ok(host) => host,
                Err(refusal) => return Answer { url: at.into(), body: Err(refusal), requests, ..found },
            };
            found = Answer { requests: requests + 1, ..self.ask(&at, &host, purpose).await };
            match next_hop(&at, &found) {
                Some(Ok(next)) => at = next,
                Some(Err(refusal)) => return Answer { body: Err(refusal), ..found },
                None => return found,
            }
        }
        Answer { url: at.into(), body: Err(Refusal::Redirects), ..found }
    }

    /// Whether an address may be asked for at all.
    async fn admit(&self, at: &Url, purpose: &Purpose<'_>) -> Result<Arc<Host>, Refusal> {
        if !matches!(at.scheme(), "http" | "https") {
            return Err(Refusal::Address);
        }
        // Names are checked when they are looked up; numbers never are.
        let number = match at.host() {
            Some(UrlHost::Ipv4(address)) => Some(address.into()),
            Some(UrlHost::Ipv6(address)) => Some(address.into()),
            Some(UrlHost::Domain(_)) => None,
            None => return Err(Refusal::Address),
        };
        let named = at.host_str().unwrap_or_default();
        if number.is_some_and(|number| !is_public(number)) && !self.config.may_be_private(named) {
            return Err(Refusal::PrivateAddress);
        }
        let origin = at.origin().ascii_serialization();
        let host = self.hosts.of(&origin);
        if purpose.robots {
            let rules = host.robots.get_or_init(|| self.read_robots(&origin)).await;
            if let Some(refusal) = rules.refusal(at.as_str()) {
                return Err(refusal);
            }
        }
        Ok(host)
    }

    /// Boxed, since asking for a picture asks for this, by the same functions.
    fn read_robots<'a>(&'a self, origin: &'a str) -> Pin<Box<dyn Future<Output = Robots> + Send + 'a>> {
        Box::pin(async move {
            let Ok(url) = Url::parse(&format!("{origin}/robots.txt")) else { return Robots::All };
            let (redirects, most_bytes, accept) =
                (ROBOTS_REDIRECTS, robots::MOST_BYTES, &|_: &HeaderMap| None);
            let purpose = Purpose { redirects, most_bytes, cut: true, robots: false, accept };
            Robots::of(self.repeat(url, &purpose).await, &self.config.agent)
        })
    }

    /// One request.
    async fn ask(&self, at: &Url, host: &Host, purpose: &Purpose<'_>) -> Answer {
        let Some(_turn) = self.hosts.turn(host).await else {
            return answer(at.as_str(), Err(Refusal::Unreachable));
        };
        let mut found = answer(at.as_str(), Err(Refusal::Timeout));
        let whole = Duration::from_millis(self.config.whole_ms);
        // Status and head stay in `found` where the body takes too long.
        let _ = tokio::time::timeout(whole, async {
            let response = match self.client.get(at.clone()).send().await {
                Ok(response) => response,
                Err(error) => {
                    found.body = Err(failure(&error, Refusal::Unreachable));
                    return;
                }
            };
            found.status = response.status().as_u16();
            found.headers = response.headers().clone();
            found.body = self.read(response, host, purpose, &mut found.room).await;
        })
        .await;
        if found.body.is_err() {
            found.room = None;
        }
        found
    }

    /// The body of an answer, as far as its head lets it be read.
    async fn read(
        &self,
        mut response: Response,
        host: &Host,
        purpose: &Purpose<'_>,
        room: &mut Option<Arc<OwnedSemaphorePermit>>,
    ) -> Result<Bytes, Refusal> {
        let status = response.status().as_u16();
        if status != 200 {
            if let (408 | 429 | 503, Some(wait)) = (status, asked_wait(response.headers(), SystemTime::now()))
            {
                if wait > self.config.longest_wait() {
                    return Err(Refusal::LongWait);
                }
                host.rest(wait);
            }
            return Err(Refusal::Status(status));
        }
        if let Some(reason) = (purpose.accept)(response.headers()) {
            return Err(Refusal::Head(reason));
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::Encoded);
        }
        let length = response.content_length().unwrap_or(0);
        if length > purpose.most_bytes && !purpose.cut {
            return Err(Refusal::TooManyBytes);
        }
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body.freeze()),
                Err(error) => return Err(failure(&error, Refusal::Cut)),
            }
            if body.len() > LARGE && room.is_none() {
                *room = self.room.clone().acquire_owned().await.ok().map(Arc::new);
            }
            if body.len() as u64 > purpose.most_bytes {
                if purpose.cut {
                    body.truncate(purpose.most_bytes as usize);
                    return Ok(body.freeze());
                }
                return Err(Refusal::TooManyBytes);
            }
        }
    }
}

/// Where an answer leads on to, if it does.
fn next_hop(at: &Url, found: &Answer) -> Option<Result<Url, Refusal>> {
    if !matches!(found.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = found.headers.get(LOCATION)?;
    // Many servers write their names and paths in UTF-8 here.
    let target = String::from_utf8_lossy(target.as_bytes());
    Some(at.join(target.trim()).map_err(|_| Refusal::Address))
}

fn failure(error: &reqwest::Error, otherwise: Refusal) -> Refusal {
    refusal_in(error).unwrap_or(if error.is_timeout() { Refusal::Timeout } else { otherwise })
}

//! Fetches a URL: redirects, checks and retries.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::Client;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tsumugi_robots::{Robots, Signal, TdmRep, requested_wait};
use url::{Host as UrlHost, Url};

use super::answer::{Answer, Refusal};
use super::body::{self, Clock, Limits};
use super::config::HttpConfig;
use super::hosts::{Host, Hosts};
use super::public::is_public;
use super::resolve::{CheckedResolver, Lookup, SystemLookup};
use super::site::{self, Reservations, Rules, Site};

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

/// The purpose of a request: an image, or a file in which a site says what is allowed.
struct Purpose<'a> {
    redirects: usize,
    max_bytes: u64,
    /// Whether it is such a file: what the site allows is not asked, any success will do, and a longer body is truncated
    /// instead of refused.
    is_site_file: bool,
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
        let hosts = Hosts::new(config.connections, config.per_host, config.longest_wait());
        let large_bodies = Arc::new(Semaphore::new(config.large_bodies.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self(Arc::new(Inner { config, client, hosts, large_bodies })))
    }

    /// Fetches an image. `accept` sees the headers of an answer with status 200 and may return a reason not to read the
    /// body.
    pub async fn fetch(&self, url: &str, accept: &(dyn Fn(&HeaderMap) -> Option<String> + Sync)) -> Answer {
        let config = &self.0.config;
        let (redirects, max_bytes) = (config.redirects, config.max_bytes);
        let purpose = Purpose { redirects, max_bytes, is_site_file: false, accept };
        match Url::parse(url) {
            Ok(url) => self.0.fetch_with_retries(url, &purpose).await,
            Err(_) => answer(url, Err(Refusal::Address)),
        }
    }
}

fn answer(url: &str, body: Result<Bytes, Refusal>) -> Answer {
    Answer { url: url.to_owned(), status: 0, headers: HeaderMap::new(), body, requests: 0, permit: None }
}

/// A URL without the name and password that it may hold: those of strangers are not sent anywhere.
fn without_credentials(mut url: Url) -> Url {
    // Fails for URLs without a host alone, which are refused.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

impl Inner {
    /// Fetches until the answer is final or the attempts are used up.
    async fn fetch_with_retries(&self, url: Url, purpose: &Purpose<'_>) -> Answer {
        let url = without_credentials(url);
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
            // After 429 and 503, and if it has requested a wait, the host is paused, and the permit waits for that.
            let is_paused = matches!(answer.status, 429 | 503) || wait_in(&answer.headers).is_some();
            if !is_paused {
                tokio::time::sleep(self.config.wait(attempt)).await;
            }
            attempt += 1;
        }
    }

    /// Follows redirects. If the next URL is refused, the answer has the headers of the redirect to it.
    async fn follow(&self, mut at: Url, purpose: &Purpose<'_>) -> Answer {
        let mut found = answer(at.as_str(), Err(Refusal::Redirects));
        let mut requests = 0;
        for _ in 0..=purpose.redirects {
            let host = match self.check(&at, purpose).await {
                Ok(host) => host,
                Err(refusal) => return Answer { url: at.into(), body: Err(refusal), requests, ..found },
            };
            let next = self.request(&at, &host, purpose).await;
            requests += next.requests;
            found = Answer { requests, ..next };
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
        let host = self.hosts.get(name);
        if !purpose.is_site_file {
            self.ask_site(at, &host).await?;
        }
        Ok(host)
    }

    /// Checks whether the site allows a URL to be fetched and used.
    async fn ask_site(&self, at: &Url, host: &Host) -> Result<(), Refusal> {
        let origin = at.origin().ascii_serialization();
        let site = host.site(&origin);
        if self.config.robots {
            let rules = self.rules(&site, host, &origin).await;
            if let Some(refusal) = rules.refusal(at.as_str(), &self.config.opt_out) {
                return Err(refusal);
            }
        }
        let is_obeyed = |signal| self.config.opt_out.contains(&signal);
        if !is_obeyed(Signal::Tdmrep) && !is_obeyed(Signal::AiTxt) {
            return Ok(());
        }
        let reservations = site.reservations(self.fetch_reservations(&site, host, &origin)).await;
        reservations.refusal(at.as_str()).map_or(Ok(()), Err)
    }

    /// The rules of a site, by which the host's pace is set as well.
    async fn rules(&self, site: &Site, host: &Host, origin: &str) -> Arc<Rules> {
        let rules = site.rules(async {
            let body = self.fetch_site_file(origin, "/robots.txt").await;
            let rules = Rules::of(body, &self.config.agent);
            if let Some(delay) = rules.crawl_delay() {
                host.pace().keep_delay(delay.min(self.config.longest_crawl_delay()));
            }
            rules
        });
        rules.await
    }

    /// Fetches the files in which a site may reserve its content, as far as they are obeyed and `robots.txt` allows it.
    async fn fetch_reservations(&self, site: &Site, host: &Host, origin: &str) -> Reservations {
        let mut found = Reservations::default();
        for (signal, path) in [(Signal::Tdmrep, "/.well-known/tdmrep.json"), (Signal::AiTxt, "/ai.txt")] {
            let is_allowed = !self.config.robots
                || self.rules(site, host, origin).await.refusal(&format!("{origin}{path}"), &[]).is_none();
            if !is_allowed || !self.config.opt_out.contains(&signal) {
                continue;
            }
            // A site that does not answer with such a file does not take part.
            let Ok(bytes) = self.fetch_site_file(origin, path).await else { continue };
            let bytes = body::decompressed_file(bytes, site::MAX_BYTES as usize);
            match signal {
                Signal::Tdmrep => found.tdmrep = TdmRep::parse(&bytes).ok(),
                _ => found.ai_txt = Some(Robots::parse(&bytes, &self.config.agent)),
            }
        }
        found
    }

    /// Boxed, because fetching an image calls this, and this calls the same functions.
    fn fetch_site_file<'a>(
        &'a self,
        origin: &'a str,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Bytes, Refusal>> + Send + 'a>> {
        Box::pin(async move {
            let url = Url::parse(&format!("{origin}{path}")).map_err(|_| Refusal::Address)?;
            let (max_bytes, accept) = (site::MAX_BYTES, &|_: &HeaderMap| None);
            let purpose = Purpose { redirects: ROBOTS_REDIRECTS, max_bytes, is_site_file: true, accept };
            self.fetch_with_retries(url, &purpose).await.body
        })
    }

    /// Sends one request. Its time limit does not include the wait for a permit.
    async fn request(&self, at: &Url, host: &Host, purpose: &Purpose<'_>) -> Answer {
        let _permit = match self.hosts.permit(host).await {
            Ok(permit) => permit,
            Err(refusal) => return answer(at.as_str(), Err(refusal)),
        };
        let mut found = Answer { requests: 1, ..answer(at.as_str(), Err(Refusal::Timeout)) };
        let (sent, mut clock) = (Instant::now(), Clock::start(Duration::from_millis(self.config.request_ms)));
        let response = match clock.limit(self.client.get(at.clone()).send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                found.body = Err(body::failure(&error, Refusal::Unreachable));
                return found;
            }
            Err(_) => return found,
        };
        found.status = response.status().as_u16();
        found.headers = response.headers().clone();
        self.set_pace(host, &found, sent);
        let is_success = if purpose.is_site_file { found.status / 100 == 2 } else { found.status == 200 };
        if !is_success {
            body::drain(response).await;
            // The host is paused, but its wait is too long for another attempt.
            let is_long = wait_in(&found.headers).is_some_and(|wait| wait > self.config.longest_wait());
            let refusal = if is_long && pauses(found.status) {
                Refusal::LongWait
            } else {
                Refusal::Status(found.status)
            };
            found.body = Err(refusal);
        } else if let Some(reason) = (purpose.accept)(&found.headers) {
            found.body = Err(Refusal::Headers(reason));
        } else {
            let (max_bytes, truncate) = (purpose.max_bytes, purpose.is_site_file);
            let limits = Limits { max_bytes, truncate, large_bodies: &self.large_bodies };
            found.body = body::read(response, &limits, &mut clock, &mut found.permit).await;
        }
        if found.body.is_err() {
            found.permit = None;
        }
        found
    }

    /// Learns the pace of a host from an answer.
    fn set_pace(&self, host: &Host, found: &Answer, sent: Instant) {
        let (now, first, longest) = (Instant::now(), self.config.wait(1), self.config.longest_wait());
        let mut pace = host.pace();
        let wait = wait_in(&found.headers).filter(|wait| pauses(found.status) && !wait.is_zero());
        match wait {
            Some(wait) => pace.pause(now + wait),
            None if matches!(found.status, 429 | 503) => pace.slow_down(sent, now, first, longest),
            None => pace.speed_up(first),
        }
    }
}

/// Whether an answer with this status may request a wait (RFC 9110, 10.2.3, and what servers do).
fn pauses(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// The wait that an answer requests.
fn wait_in(headers: &HeaderMap) -> Option<Duration> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    requested_wait(header, SystemTime::now())
}

/// The target of a redirect, if the answer is one.
fn redirect_of(at: &Url, found: &Answer) -> Option<Result<Url, Refusal>> {
    if !matches!(found.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = found.headers.get(LOCATION)?;
    // Many servers write names and paths in UTF-8 here.
    let target = String::from_utf8_lossy(target.as_bytes());
    Some(at.join(target.trim()).map(without_credentials).map_err(|_| Refusal::Address))
}

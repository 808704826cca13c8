//! State of hosts: requests in progress, pauses, and the rules of `robots.txt`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::robots::Robots;

/// Largest number of hosts kept, besides those in use.
const MAX_KEPT: usize = 20_000;

/// A host: one combination of scheme, name and port.
pub(super) struct Host {
    requests: Arc<Semaphore>,
    paused_until: Mutex<Option<Instant>>,
    pub(super) robots: OnceCell<Robots>,
}

/// The permit for one request, returned when dropped.
pub(super) struct RequestPermit {
    _of_host: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// All hosts.
pub(super) struct Hosts {
    per_host: usize,
    connections: Arc<Semaphore>,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

impl Hosts {
    pub(super) fn new(connections: usize, per_host: usize) -> Self {
        let connections = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { per_host: per_host.max(1), connections, known: Mutex::default() }
    }

    pub(super) fn get(&self, origin: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(origin) {
            return host.clone();
        }
        if known.len() >= MAX_KEPT {
            known.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let host = Arc::new(Host {
            requests: Arc::new(Semaphore::new(self.per_host)),
            paused_until: Mutex::default(),
            robots: OnceCell::new(),
        });
        known.insert(origin.to_owned(), host.clone());
        host
    }

    /// Waits for a permit: first for that of the host, so that no request occupies a connection while it waits for a slow
    /// host. Returns `None` only while the fetcher shuts down.
    pub(super) async fn permit(&self, host: &Host) -> Option<RequestPermit> {
        let of_host = host.requests.clone().acquire_owned().await.ok()?;
        loop {
            let until = *host.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        let of_all = self.connections.clone().acquire_owned().await.ok()?;
        Some(RequestPermit { _of_host: of_host, _of_all: of_all })
    }
}

impl Host {
    /// Pauses requests to the host. A longer pause from before stays in effect.
    pub(super) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = Some(paused_until.map_or(until, |before| before.max(until)));
    }
}

/// The wait that an answer requests: seconds or a date (RFC 9110, 10.2.3). A date in the past means no wait.
pub(super) fn requested_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, seconds) in [
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:41 GMT", Some(4)),
            ("Sun, 06 Nov 1994 08:49:01 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            assert_eq!(requested_wait(&headers, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[tokio::test]
    async fn sends_nothing_to_a_paused_host() {
        let hosts = Hosts::new(10, 2);
        let host = hosts.get("http://a.jp");
        host.pause(Duration::from_millis(300));
        host.pause(Duration::from_millis(50));
        let began = Instant::now();
        drop(hosts.permit(&host).await);
        assert!(began.elapsed() >= Duration::from_millis(300));
        // Another host is not affected.
        let began = Instant::now();
        drop(hosts.permit(&hosts.get("http://b.jp")).await);
        assert!(began.elapsed() < Duration::from_millis(250));
    }

    #[tokio::test]
    async fn limits_requests_per_host() {
        let hosts = Hosts::new(10, 2);
        let host = hosts.get("http://a.jp");
        let held = [hosts.permit(&host).await, hosts.permit(&hosts.get("http://a.jp")).await];
        let third = tokio::time::timeout(Duration::from_millis(50), hosts.permit(&host)).await;
        assert!(third.is_err());
        drop(held);
        assert!(hosts.permit(&host).await.is_some());
    }
}

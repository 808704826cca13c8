//! What is remembered of hosts: who is being asked, until when one is to be left alone, and what `robots.txt` says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::robots::Robots;

/// Hosts that are remembered at a time, beside those in use.
const MOST_KEPT: usize = 20_000;

/// A host: one scheme, name and port.
pub(super) struct Host {
    turns: Arc<Semaphore>,
    rests_until: Mutex<Option<Instant>>,
    pub(super) robots: OnceCell<Robots>,
}

/// The right to one request, given back when it is dropped.
pub(super) struct Turn {
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

    pub(super) fn of(&self, origin: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(origin) {
            return host.clone();
        }
        if known.len() >= MOST_KEPT {
            known.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let host = Arc::new(Host {
            turns: Arc::new(Semaphore::new(self.per_host)),
            rests_until: Mutex::default(),
            robots: OnceCell::new(),
        });
        known.insert(origin.to_owned(), host.clone());
        host
    }

    /// Waits for a turn: first at the host, so that nobody holds one of all connections while waiting for a slow host.
    /// None only where the fetcher is being taken down.
    pub(super) async fn turn(&self, host: &Host) -> Option<Turn> {
        let of_host = host.turns.clone().acquire_owned().await.ok()?;
        loop {
            let until = *host.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        let of_all = self.connections.clone().acquire_owned().await.ok()?;
        Some(Turn { _of_host: of_host, _of_all: of_all })
    }
}

impl Host {
    /// Leaves the host alone for a while; a longer rest that was agreed on before holds.
    pub(super) fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = Some(rests.map_or(until, |before| before.max(until)));
    }
}

/// The wait that an answer asks for: seconds or a date (RFC 9110, 10.2.3). A date in the past is no wait.
pub(super) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
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
    fn both_forms_of_retry_after() {
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
            assert_eq!(asked_wait(&headers, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[tokio::test]
    async fn a_host_that_rests_is_not_asked() {
        let hosts = Hosts::new(10, 2);
        let host = hosts.of("http://a.jp");
        host.rest(Duration::from_millis(300));
        host.rest(Duration::from_millis(50));
        let began = Instant::now();
        drop(hosts.turn(&host).await);
        assert!(began.elapsed() >= Duration::from_millis(300));
        // Another host is not concerned.
        let began = Instant::now();
        drop(hosts.turn(&hosts.of("http://b.jp")).await);
        assert!(began.elapsed() < Duration::from_millis(250));
    }

    #[tokio::test]
    async fn few_turns_at_a_host() {
        let hosts = Hosts::new(10, 2);
        let host = hosts.of("http://a.jp");
        let held = [hosts.turn(&host).await, hosts.turn(&hosts.of("http://a.jp")).await];
        let third = tokio::time::timeout(Duration::from_millis(50), hosts.turn(&host)).await;
        assert!(third.is_err());
        drop(held);
        assert!(hosts.turn(&host).await.is_some());
    }
}

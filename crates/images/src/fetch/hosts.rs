//! State of hosts: requests in progress, their pace, and what the sites at a host declare.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::answer::Refusal;
use super::pace::{Hold, Pace};
use super::site::Site;

/// Largest number of hosts kept, besides those in use and those that are paused.
const MAX_KEPT: usize = 20_000;

/// A host, with all schemes and ports. Limits are for hosts, because its sites share a machine or a team.
pub(super) struct Host {
    requests: Arc<Semaphore>,
    pace: Mutex<Pace>,
    /// By origin: one combination of scheme, name and port.
    sites: Mutex<HashMap<String, Arc<Site>>>,
}

/// The permit for one request, returned when dropped.
pub(super) struct RequestPermit {
    _of_host: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// All hosts.
pub(super) struct Hosts {
    per_host: usize,
    longest_wait: Duration,
    connections: Arc<Semaphore>,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hosts {
    pub(super) fn new(connections: usize, per_host: usize, longest_wait: Duration) -> Self {
        let connections = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { per_host: per_host.max(1), longest_wait, connections, known: Mutex::default() }
    }

    /// The host of a name in lower case.
    pub(super) fn get(&self, name: &str) -> Arc<Host> {
        // A dot at the end names the same host.
        let name = name.trim_end_matches('.');
        let mut known = locked(&self.known);
        if let Some(host) = known.get(name) {
            return host.clone();
        }
        if known.len() >= MAX_KEPT {
            let now = Instant::now();
            known.retain(|_, host| Arc::strong_count(host) > 1 || host.pace().is_paused(now));
        }
        let host = Arc::new(Host {
            requests: Arc::new(Semaphore::new(self.per_host)),
            pace: Mutex::default(),
            sites: Mutex::default(),
        });
        known.insert(name.to_owned(), host.clone());
        host
    }

    /// Waits for a permit: first for that of the host, so that no request occupies a connection while it waits for a slow
    /// host. A host that is paused for longer than the longest wait is not waited for.
    pub(super) async fn permit(&self, host: &Host) -> Result<RequestPermit, Refusal> {
        let acquire = |semaphore: &Arc<Semaphore>| semaphore.clone().acquire_owned();
        // The semaphores are never closed.
        let of_host = acquire(&host.requests).await.map_err(|_| Refusal::Unreachable)?;
        loop {
            let now = Instant::now();
            let held = host.pace().start(now);
            match held {
                Ok(()) => break,
                Err(Hold::Paused(until)) if until - now > self.longest_wait => return Err(Refusal::LongWait),
                Err(Hold::Paused(until) | Hold::Next(until)) => tokio::time::sleep_until(until).await,
            }
        }
        let of_all = acquire(&self.connections).await.map_err(|_| Refusal::Unreachable)?;
        Ok(RequestPermit { _of_host: of_host, _of_all: of_all })
    }
}

impl Host {
    /// The pace of requests.
    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        locked(&self.pace)
    }

    /// The site at an origin of the host.
    pub(super) fn site(&self, origin: &str) -> Arc<Site> {
        locked(&self.sites).entry(origin.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::new(10, 2, Duration::from_secs(60))
    }

    #[tokio::test]
    async fn sends_nothing_to_a_paused_host() {
        let hosts = hosts();
        let host = hosts.get("a.jp");
        let began = Instant::now();
        host.pace().pause(began + Duration::from_millis(300));
        assert!(hosts.permit(&host).await.is_ok());
        assert!(began.elapsed() >= Duration::from_millis(300));
        // Another host is not affected.
        let began = Instant::now();
        assert!(hosts.permit(&hosts.get("b.jp")).await.is_ok());
        assert!(began.elapsed() < Duration::from_millis(250));
    }

    #[tokio::test]
    async fn does_not_wait_for_a_long_pause() {
        let hosts = hosts();
        let host = hosts.get("a.jp");
        host.pace().pause(Instant::now() + Duration::from_secs(3600));
        for _ in 0..3 {
            assert_eq!(hosts.permit(&host).await.err(), Some(Refusal::LongWait));
        }
    }

    #[tokio::test]
    async fn limits_requests_per_host() {
        let hosts = hosts();
        let host = hosts.get("a.jp");
        let held = [hosts.permit(&host).await, hosts.permit(&hosts.get("a.jp.")).await];
        let third = tokio::time::timeout(Duration::from_millis(50), hosts.permit(&host)).await;
        assert!(third.is_err());
        drop(held);
        assert!(hosts.permit(&host).await.is_ok());
    }
}

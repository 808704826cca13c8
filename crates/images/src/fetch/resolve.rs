//! Host names, resolved once and checked.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::answer::Refusal;
use super::config::HttpConfig;
use super::public::is_public;

/// How long the addresses of a name are cached. The system's resolver does not report their lifetime; five minutes is a
/// common one.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long a failed lookup is cached.
const FAILURE_LIFETIME: Duration = Duration::from_secs(30);
/// Largest number of cached names.
const MAX_CACHED: usize = 100_000;

/// Resolves host names.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name, best first.
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|at| at.ip()).collect()) })
    }
}

/// A refusal of the resolver, which the HTTP client returns inside its own error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Refused(Refusal);

/// Finds the refusal of the resolver in an error of the HTTP client.
pub(super) fn refusal_in(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(Refused(refusal)) = error.downcast_ref() {
            return Some(refusal.clone());
        }
        at = error.source();
    }
    None
}

/// The resolver of the HTTP client. The client connects to exactly the addresses that were checked here, so a name that
/// changes its address between check and use gains nothing.
pub(super) struct CheckedResolver {
    lookup: Arc<dyn Lookup>,
    config: HttpConfig,
    cache: Arc<Mutex<HashMap<String, Cached>>>,
}

#[derive(Clone)]
struct Cached {
    until: Instant,
    found: Result<Arc<[IpAddr]>, Refusal>,
}

impl CheckedResolver {
    pub(super) fn new(lookup: Arc<dyn Lookup>, config: &HttpConfig) -> Self {
        Self { lookup, config: config.clone(), cache: Arc::default() }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let allow_private = self.config.may_be_private(&host);
        let (lookup, cache) = (self.lookup.clone(), self.cache.clone());
        Box::pin(async move {
            let cached = locked(&cache).get(&host).filter(|cached| cached.until > Instant::now()).cloned();
            let found = match cached {
                Some(cached) => cached.found,
                None => {
                    let found = checked(lookup.lookup(host.clone()).await, allow_private);
                    store(&cache, host, found.clone());
                    found
                }
            };
            match found {
                Ok(addresses) => {
                    let all: Vec<SocketAddr> = addresses.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
                    Ok(Box::new(all.into_iter()) as Addrs)
                }
                Err(refusal) => Err(Box::new(Refused(refusal)) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}

fn locked(cache: &Mutex<HashMap<String, Cached>>) -> std::sync::MutexGuard<'_, HashMap<String, Cached>> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

fn store(cache: &Mutex<HashMap<String, Cached>>, host: String, found: Result<Arc<[IpAddr]>, Refusal>) {
    let now = Instant::now();
    let until = now + if found.is_ok() { LIFETIME } else { FAILURE_LIFETIME };
    let mut cache = locked(cache);
    if cache.len() >= MAX_CACHED {
        cache.retain(|_, cached| cached.until > now);
    }
    if cache.len() < MAX_CACHED {
        cache.insert(host, Cached { until, found });
    }
}

/// The public addresses of a name. If all are private, that is the refusal.
fn checked(found: io::Result<Vec<IpAddr>>, allow_private: bool) -> Result<Arc<[IpAddr]>, Refusal> {
    let all = found.unwrap_or_default();
    if all.is_empty() {
        return Err(Refusal::UnknownHost);
    }
    let public: Arc<[IpAddr]> = all.into_iter().filter(|&at| allow_private || is_public(at)).collect();
    if public.is_empty() { Err(Refusal::PrivateAddress) } else { Ok(public) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_private_addresses() {
        let at = |texts: &[&str]| Ok(texts.iter().map(|text| text.parse().unwrap()).collect());
        let both = checked(at(&["10.0.0.1", "8.8.8.8"]), false).unwrap();
        assert_eq!(&both[..], ["8.8.8.8".parse::<IpAddr>().unwrap()]);
        assert_eq!(checked(at(&["10.0.0.1"]), false), Err(Refusal::PrivateAddress));
        assert_eq!(checked(at(&["10.0.0.1"]), true).unwrap().len(), 1);
        assert_eq!(checked(at(&[]), false), Err(Refusal::UnknownHost));
        assert_eq!(checked(Err(io::Error::other("no such name")), true), Err(Refusal::UnknownHost));
    }

    /// Resolves to a public address the first time, and to this machine from then on.
    struct Rebinding(std::sync::atomic::AtomicUsize);

    impl Lookup for Rebinding {
        fn lookup(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
            let first = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let address = if first { "8.8.8.8" } else { "127.0.0.1" };
            Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_gains_nothing() {
        let names = CheckedResolver::new(Arc::new(Rebinding(0.into())), &HttpConfig::default());
        let ask = || names.resolve("evil.test".parse().unwrap());
        // The checked addresses are cached, and the client connects to them.
        for _ in 0..3 {
            assert_eq!(ask().await.unwrap().next().unwrap().ip().to_string(), "8.8.8.8");
        }
        // After another lookup, the new address is checked.
        locked(&names.cache).clear();
        let error = ask().await.err().unwrap();
        assert_eq!(refusal_in(&*error), Some(Refusal::PrivateAddress));
    }
}

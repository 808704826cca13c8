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
use tokio::sync::OnceCell;

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
    cache: Cache,
}

/// Lookups by name, finished or under way.
type Cache = Arc<Mutex<HashMap<String, Arc<OnceCell<Cached>>>>>;

struct Cached {
    until: Instant,
    found: Result<Arc<[IpAddr]>, Refusal>,
}

impl Cached {
    fn new(found: Result<Arc<[IpAddr]>, Refusal>) -> Self {
        let lifetime = if found.is_ok() { LIFETIME } else { FAILURE_LIFETIME };
        Self { until: Instant::now() + lifetime, found }
    }
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
            let entry = entry(&cache, &host);
            // Whoever asks while a lookup is under way waits for it.
            let look = async { Cached::new(checked(lookup.lookup(host.clone()).await, allow_private)) };
            match &entry.get_or_init(|| look).await.found {
                Ok(addresses) => {
                    let all: Vec<SocketAddr> = addresses.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
                    Ok(Box::new(all.into_iter()) as Addrs)
                }
                Err(refusal) => Err(Box::new(Refused(refusal.clone())) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}

/// The lookup of a name: one under way, one that still holds, or a new one.
fn entry(cache: &Cache, host: &str) -> Arc<OnceCell<Cached>> {
    let now = Instant::now();
    let holds = |entry: &Arc<OnceCell<Cached>>| entry.get().is_none_or(|cached| cached.until > now);
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = cache.get(host).filter(|entry| holds(entry)) {
        return entry.clone();
    }
    if cache.len() >= MAX_CACHED {
        cache.retain(|_, entry| holds(entry));
    }
    let entry = Arc::<OnceCell<Cached>>::default();
    if cache.len() < MAX_CACHED {
        cache.insert(host.to_owned(), entry.clone());
    }
    entry
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
        names.cache.lock().unwrap().clear();
        let error = ask().await.err().unwrap();
        assert_eq!(refusal_in(&*error), Some(Refusal::PrivateAddress));
    }

    /// Counts lookups, each of which takes a while.
    #[derive(Default)]
    struct Slow(std::sync::atomic::AtomicUsize);

    impl Lookup for Slow {
        fn lookup(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                Ok(vec!["8.8.8.8".parse().unwrap()])
            })
        }
    }

    #[tokio::test]
    async fn a_lookup_under_way_is_shared() {
        let lookup = Arc::new(Slow::default());
        let names = CheckedResolver::new(lookup.clone(), &HttpConfig::default());
        let ask = || async { names.resolve("a.test".parse().unwrap()).await.unwrap().count() };
        // One that is given up leaves the lookup to those who wait.
        let given_up = tokio::time::timeout(Duration::from_millis(5), ask());
        let (given_up, one, other) = tokio::join!(given_up, ask(), ask());
        assert!(given_up.is_err());
        assert_eq!((one, other), (1, 1));
        assert_eq!(lookup.0.load(std::sync::atomic::Ordering::Relaxed), 2);
        assert_eq!(ask().await, 1);
        assert_eq!(lookup.0.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}

//! Names of hosts, looked up once and checked.

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

/// How long the addresses of a name are kept. The system's resolver does not tell how long they hold; five minutes is
/// what many sites set.
const KEPT: Duration = Duration::from_secs(300);
/// How long it is remembered that a name has none.
const KEPT_MISSING: Duration = Duration::from_secs(30);
/// Names that are kept at a time.
const MOST_KEPT: usize = 100_000;

/// Looks names of hosts up.
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

/// Why a name leads nowhere, as the HTTP client carries it to us.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Nowhere(Refusal);

/// Finds what the resolver said in an error of the HTTP client.
pub(super) fn refusal_in(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(Nowhere(refusal)) = error.downcast_ref() {
            return Some(refusal.clone());
        }
        at = error.source();
    }
    None
}

/// The resolver that the HTTP client connects by. Since it connects to the very addresses that were checked here, a name
/// that changes its address between check and use gains nothing.
pub(super) struct Names {
    lookup: Arc<dyn Lookup>,
    config: HttpConfig,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Clone)]
struct Known {
    until: Instant,
    found: Result<Arc<[IpAddr]>, Refusal>,
}

impl Names {
    pub(super) fn new(lookup: Arc<dyn Lookup>, config: &HttpConfig) -> Self {
        Self { lookup, config: config.clone(), known: Arc::default() }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let allow_private = self.config.may_be_private(&host);
        let (lookup, known) = (self.lookup.clone(), self.known.clone());
        Box::pin(async move {
            let kept = locked(&known).get(&host).filter(|known| known.until > Instant::now()).cloned();
            let found = match kept {
                Some(known) => known.found,
                None => {
                    let found = checked(lookup.lookup(host.clone()).await, allow_private);
                    remember(&known, host, found.clone());
                    found
                }
            };
            match found {
                Ok(addresses) => {
                    let all: Vec<SocketAddr> = addresses.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
                    Ok(Box::new(all.into_iter()) as Addrs)
                }
                Err(refusal) => Err(Box::new(Nowhere(refusal)) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}

fn locked(known: &Mutex<HashMap<String, Known>>) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(known: &Mutex<HashMap<String, Known>>, host: String, found: Result<Arc<[IpAddr]>, Refusal>) {
    let now = Instant::now();
    let until = now + if found.is_ok() { KEPT } else { KEPT_MISSING };
    let mut known = locked(known);
    if known.len() >= MOST_KEPT {
        known.retain(|_, known| known.until > now);
    }
    if known.len() < MOST_KEPT {
        known.insert(host, Known { until, found });
    }
}

/// The public ones of a name's addresses; where all are private, that is the reason.
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
    fn private_addresses_are_left_out() {
        let at = |texts: &[&str]| Ok(texts.iter().map(|text| text.parse().unwrap()).collect());
        let both = checked(at(&["10.0.0.1", "8.8.8.8"]), false).unwrap();
        assert_eq!(&both[..], ["8.8.8.8".parse::<IpAddr>().unwrap()]);
        assert_eq!(checked(at(&["10.0.0.1"]), false), Err(Refusal::PrivateAddress));
        assert_eq!(checked(at(&["10.0.0.1"]), true).unwrap().len(), 1);
        assert_eq!(checked(at(&[]), false), Err(Refusal::UnknownHost));
        assert_eq!(checked(Err(io::Error::other("no such name")), true), Err(Refusal::UnknownHost));
    }

    /// Names a public address the first time, and this machine from then on.
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
        let names = Names::new(Arc::new(Rebinding(0.into())), &HttpConfig::default());
        let ask = || names.resolve("evil.test".parse().unwrap());
        // What was checked is kept and is what is connected to.
        for _ in 0..3 {
            assert_eq!(ask().await.unwrap().next().unwrap().ip().to_string(), "8.8.8.8");
        }
        // Once it is looked up again, the new address is judged.
        locked(&names.known).clear();
        let error = ask().await.err().unwrap();
        assert_eq!(refusal_in(&*error), Some(Refusal::PrivateAddress));
    }
}

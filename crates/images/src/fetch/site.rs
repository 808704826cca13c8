//! What a site declares in `robots.txt`, `tdmrep.json` and `ai.txt`, and how long that holds.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tsumugi_robots::{MAX_ROBOTS_TXT, Robots, Signal, TdmRep};

use super::answer::Refusal;
use super::body;

/// Bytes read of each file.
pub(super) const MAX_BYTES: u64 = MAX_ROBOTS_TXT as u64;
/// How long files are used (RFC 9309, 2.4).
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// When an unreachable `robots.txt` is requested again; our choice.
const UNREACHABLE_LIFETIME: Duration = Duration::from_secs(3600);
/// When an unreachable `robots.txt` counts as missing (RFC 9309, 2.3.1.4).
const MISSING_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// A site: one combination of scheme, name and port.
#[derive(Default)]
pub(super) struct Site {
    rules: Mutex<Option<KnownRules>>,
    reservations: Mutex<Option<(Arc<Reservations>, Instant)>>,
}

/// The rules of a site's `robots.txt` for one program.
#[derive(Debug)]
pub(super) enum Rules {
    /// There is no file.
    AllowAll,
    /// The file could not be fetched, for this reason. Everything is forbidden.
    Unreachable(Refusal),
    File(Robots),
}

struct KnownRules {
    rules: Arc<Rules>,
    until: Instant,
    unreachable_since: Option<Instant>,
}

/// The files in which a site may reserve its content.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    pub(super) tdmrep: Option<TdmRep>,
    pub(super) ai_txt: Option<Robots>,
}

impl Site {
    /// The rules of `robots.txt`, fetched if they are not known or too old. Callers wait for a request that another one
    /// has begun.
    pub(super) async fn rules(&self, fetch: impl Future<Output = Rules>) -> Arc<Rules> {
        let mut known = self.rules.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.until > Instant::now()) {
            return known.rules.clone();
        }
        let found = fetch.await;
        let renewed = KnownRules::after(known.take(), found, Instant::now());
        let rules = renewed.rules.clone();
        *known = Some(renewed);
        rules
    }

    /// The reservations, in the same way.
    pub(super) async fn reservations(&self, fetch: impl Future<Output = Reservations>) -> Arc<Reservations> {
        let mut known = self.reservations.lock().await;
        if let Some((found, _)) = known.as_ref().filter(|(_, until)| *until > Instant::now()) {
            return found.clone();
        }
        let found = Arc::new(fetch.await);
        *known = Some((found.clone(), Instant::now() + LIFETIME));
        found
    }
}

impl KnownRules {
    /// What is known after another request. While the file is unreachable, what was known before stays in use.
    fn after(before: Option<Self>, found: Rules, now: Instant) -> Self {
        if !matches!(found, Rules::Unreachable(_)) {
            return Self { rules: Arc::new(found), until: now + LIFETIME, unreachable_since: None };
        }
        let (rules, since) = match before {
            Some(before) if matches!(*before.rules, Rules::Unreachable(_)) => {
                (Arc::new(found), before.unreachable_since)
            }
            Some(before) => (before.rules, before.unreachable_since),
            None => (Arc::new(found), None),
        };
        let since = since.unwrap_or(now);
        let is_missing =
            matches!(*rules, Rules::Unreachable(_)) && now.duration_since(since) >= MISSING_AFTER;
        let rules = if is_missing { Arc::new(Rules::AllowAll) } else { rules };
        Self { rules, until: now + UNREACHABLE_LIFETIME, unreachable_since: Some(since) }
    }
}

impl Rules {
    /// Interprets the answer to the request for `robots.txt` (RFC 9309, 2.3.1).
    pub(super) fn of(body: Result<Bytes, Refusal>, agent: &str) -> Self {
        match body {
            Ok(bytes) => Self::File(Robots::parse(&body::decompressed_file(bytes, MAX_ROBOTS_TXT), agent)),
            // Of 4xx, 429 says that the server is overloaded, so it counts as 5xx, as Google does it.
            Err(Refusal::Status(status)) if status < 500 && status != 429 => Self::AllowAll,
            // After five redirects, a crawler may treat the file as missing.
            Err(Refusal::Redirects) => Self::AllowAll,
            // If the host itself cannot be reached, that is also the reason for its images.
            Err(
                refusal @ (Refusal::PrivateAddress
                | Refusal::UnknownHost
                | Refusal::Unreachable
                | Refusal::Timeout
                | Refusal::LongWait),
            ) => Self::Unreachable(refusal),
            Err(_) => Self::Unreachable(Refusal::RobotsUnreachable),
        }
    }

    /// Why a URL must not be fetched, if so. Of the preferences in the file, those that `obeyed` names count.
    pub(super) fn refusal(&self, url: &str, obeyed: &[Signal]) -> Option<Refusal> {
        match self {
            Self::AllowAll => None,
            Self::Unreachable(refusal) => Some(refusal.clone()),
            Self::File(robots) if !robots.is_allowed(url) => Some(Refusal::Robots),
            Self::File(robots) => [Signal::ContentSignal, Signal::ContentUsage]
                .into_iter()
                .find(|signal| obeyed.contains(signal) && robots.forbids_training(*signal, url))
                .map(Refusal::OptOut),
        }
    }

    pub(super) fn crawl_delay(&self) -> Option<Duration> {
        match self {
            Self::File(robots) => robots.crawl_delay(),
            _ => None,
        }
    }
}

impl Reservations {
    /// Why a URL must not be fetched, if so.
    pub(super) fn refusal(&self, url: &str) -> Option<Refusal> {
        let tdmrep = self.tdmrep.as_ref().is_some_and(|file| file.is_reserved(url));
        let ai_txt = self.ai_txt.as_ref().is_some_and(|file| !file.is_allowed(url));
        let signal = tdmrep.then_some(Signal::Tdmrep).or(ai_txt.then_some(Signal::AiTxt));
        signal.map(Refusal::OptOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(body: Result<&'static str, Refusal>) -> Rules {
        Rules::of(body.map(|text| Bytes::from_static(text.as_bytes())), "tsumugi")
    }

    #[test]
    fn missing_files_allow_and_failing_servers_forbid() {
        let refusal_after = |refusal| rules(Err(refusal)).refusal("http://a.jp/a.jpg", &Signal::ALL);
        for status in [204, 304, 400, 401, 403, 404, 410, 451] {
            assert_eq!(refusal_after(Refusal::Status(status)), None, "{status}");
        }
        assert_eq!(refusal_after(Refusal::Redirects), None);
        for refusal in [Refusal::Status(500), Refusal::Status(503), Refusal::Status(429), Refusal::Cut] {
            assert_eq!(refusal_after(refusal), Some(Refusal::RobotsUnreachable));
        }
        assert_eq!(refusal_after(Refusal::PrivateAddress), Some(Refusal::PrivateAddress));
    }

    #[test]
    fn preferences_count_where_they_are_obeyed() {
        let file = rules(Ok("User-agent: *\nContent-Signal: ai-train=no\nAllow: /"));
        let refusal = Refusal::OptOut(Signal::ContentSignal);
        assert_eq!(file.refusal("http://a.jp/a.jpg", &Signal::ALL), Some(refusal));
        assert_eq!(file.refusal("http://a.jp/a.jpg", &[Signal::ContentUsage]), None);
    }

    #[tokio::test]
    async fn an_unreachable_file_counts_as_missing_after_30_days() {
        let (start, day) = (Instant::now(), Duration::from_secs(24 * 3600));
        let after = |before, found, days| KnownRules::after(before, found, start + days * day);
        let unreachable = || rules(Err(Refusal::Status(500)));
        let mut known = after(None, unreachable(), 0);
        assert_eq!(known.until, start + UNREACHABLE_LIFETIME);
        for days in 1..30 {
            known = after(Some(known), unreachable(), days);
            assert!(matches!(*known.rules, Rules::Unreachable(_)), "{days}");
        }
        known = after(Some(known), unreachable(), 30);
        assert!(matches!(*known.rules, Rules::AllowAll));
        // When it can be read again, it counts; and while it is unreachable later on, that copy does.
        known = after(Some(known), rules(Ok("User-agent: *\nDisallow: /a")), 31);
        assert_eq!(known.until, start + 31 * day + LIFETIME);
        for days in [32, 90] {
            known = after(Some(known), unreachable(), days);
            assert_eq!(known.rules.refusal("http://a.jp/a", &[]), Some(Refusal::Robots));
            assert_eq!(known.rules.refusal("http://a.jp/b", &[]), None);
        }
    }

    #[tokio::test]
    async fn files_are_fetched_once_for_all_who_wait() {
        let site = Site::default();
        let fetched = std::sync::atomic::AtomicUsize::new(0);
        let fetch = || async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Rules::AllowAll
        };
        tokio::join!(site.rules(fetch()), site.rules(fetch()), site.rules(fetch()));
        assert_eq!(fetched.into_inner(), 1);
    }
}

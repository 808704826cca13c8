//! Settings of fetching.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tsumugi_robots::Signal;

/// Settings of a [`Fetcher`](super::Fetcher).
///
/// No peer publishes such numbers; unless a field says otherwise, its default is our choice, on the careful side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Name of the program in `User-Agent` and for `robots.txt`. `tsumugi` by default.
    pub agent: String,
    /// Mail address or page by which the owner of a site can reach the operator; part of `User-Agent`. The repository
    /// of this project by default.
    pub contact: String,
    /// Concurrent requests. 1000 by default.
    pub connections: usize,
    /// Concurrent requests per host. 2 by default.
    pub per_host: usize,
    /// Whether to obey `robots.txt` (RFC 9309). True by default.
    pub robots: bool,
    /// Signals in the files of a site that forbid the use of its images: those that `robots.txt` has besides its rules
    /// (`content-signal`, `content-usage`), `tdmrep` and `ai-txt`. The last two cost a request each per site. By default
    /// all; other signals than these mean nothing here.
    pub opt_out: Vec<Signal>,
    /// Longest `Crawl-delay` that is kept, in milliseconds; a longer one counts as this. 30,000 by default.
    pub longest_crawl_delay_ms: u64,
    /// Whether addresses of private networks may be reached (see [`is_public`](super::is_public)). False by default.
    pub allow_private: bool,
    /// Hosts whose addresses may be private even so, such as a local mirror. None by default.
    pub private_hosts: Vec<String>,
    /// Redirects followed per image. 10 by default.
    pub redirects: usize,
    /// Largest image in bytes; a longer one is refused. By default that of [`Limits`](crate::Limits).
    pub max_bytes: u64,
    /// Bodies above 1 MiB held at the same time, until their answers are dropped. Together with `max_bytes` and
    /// `connections` this bounds memory. Further ones wait for room, so a caller must not keep more answers. 16 by default.
    pub large_bodies: usize,
    /// Attempts per URL if the failure may be temporary (no answer, a cut body, 408, 425, 429, 5xx). 3 by default.
    pub attempts: u32,
    /// Wait after the first such failure in milliseconds; it doubles with each further one. After 429 and 503 it is the
    /// time between all requests to the host. 1000 by default.
    pub first_wait_ms: u64,
    /// Longest wait in milliseconds. If a host requests a longer one (`Retry-After`), its images are refused without a
    /// request until that time has passed. It also limits the time between two requests to a host that is overloaded.
    /// 60,000 by default.
    pub longest_wait_ms: u64,
    /// Time limit for connecting in milliseconds. 10,000 by default.
    pub connect_ms: u64,
    /// Time without a byte after which an answer counts as cut, in milliseconds. 20,000 by default.
    pub idle_ms: u64,
    /// Time limit for one request including its body, in milliseconds. The time in which it waits for its turn or for room
    /// does not count. 120,000 by default.
    pub request_ms: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            agent: "tsumugi".into(),
            contact: env!("CARGO_PKG_REPOSITORY").into(),
            connections: 1000,
            per_host: 2,
            robots: true,
            opt_out: Signal::ALL.to_vec(),
            longest_crawl_delay_ms: 30_000,
            allow_private: false,
            private_hosts: Vec::new(),
            redirects: 10,
            max_bytes: crate::Limits::default().max_bytes,
            large_bodies: 16,
            attempts: 3,
            first_wait_ms: 1000,
            longest_wait_ms: 60_000,
            connect_ms: 10_000,
            idle_ms: 20_000,
            request_ms: 120_000,
        }
    }
}

impl HttpConfig {
    /// The value of `User-Agent`: name, version and contact.
    pub(super) fn user_agent(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.contact.as_str() {
            "" => format!("{}/{version}", self.agent),
            contact => format!("{}/{version} (+{contact})", self.agent),
        }
    }

    /// Whether a host may have a private address.
    pub(super) fn may_be_private(&self, host: &str) -> bool {
        self.allow_private || self.private_hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    pub(super) fn longest_crawl_delay(&self) -> Duration {
        Duration::from_millis(self.longest_crawl_delay_ms)
    }

    pub(super) fn longest_wait(&self) -> Duration {
        Duration::from_millis(self.longest_wait_ms)
    }

    /// Wait after the given number of failures, at least 1.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let factor = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        Duration::from_millis(self.first_wait_ms.saturating_mul(factor)).min(self.longest_wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let config = HttpConfig { first_wait_ms: 100, longest_wait_ms: 1000, ..HttpConfig::default() };
        let waits: Vec<u128> = [1, 2, 3, 4, 5, 200].map(|n| config.wait(n).as_millis()).to_vec();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn identifies_itself() {
        let config = HttpConfig { contact: "mailto:a@b.jp".into(), ..HttpConfig::default() };
        assert!(config.user_agent().starts_with("tsumugi/"));
        assert!(config.user_agent().ends_with(" (+mailto:a@b.jp)"));
    }
}

//! How pictures are fetched.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of a [`Fetcher`](super::Fetcher). No peer publishes such numbers: the defaults are ours, on the careful side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Name of the program, for `User-Agent` and `robots.txt`.
    pub agent: String,
    /// An address or page by which the owner of a site reaches who runs this; part of `User-Agent`.
    pub contact: String,
    /// Requests at a time.
    pub connections: usize,
    /// Requests at a time to one host.
    pub per_host: usize,
    /// Whether `robots.txt` is kept to.
    pub robots: bool,
    /// Whether addresses of private networks may be reached (see [`is_public`](super::is_public)).
    pub allow_private: bool,
    /// Hosts whose addresses may be private all the same, such as a mirror of one's own.
    pub private_hosts: Vec<String>,
    /// Redirects that are followed.
    pub redirects: usize,
    /// Largest picture in bytes; what is longer is not read on.
    pub max_bytes: u64,
    /// Bodies above 1 MiB that are held at a time, until their answers are dropped; with `max_bytes` and the number of
    /// connections this bounds memory.
    pub large_bodies: usize,
    /// Times that an address is asked for where the fault may pass (no answer, cut bodies, 408, 429, 5xx).
    pub attempts: u32,
    /// Wait after the first such fault, in milliseconds; it doubles with each further one.
    pub first_wait_ms: u64,
    /// Longest wait in milliseconds. A host that asks for a longer one (`Retry-After`) is not asked again.
    pub longest_wait_ms: u64,
    /// Time in milliseconds within which a connection must stand.
    pub connect_ms: u64,
    /// Time in milliseconds without a byte after which an answer counts as broken off.
    pub idle_ms: u64,
    /// Time in milliseconds for one request with its whole body.
    pub whole_ms: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            agent: "tsumugi".into(),
            contact: env!("CARGO_PKG_REPOSITORY").into(),
            connections: 1000,
            per_host: 2,
            robots: true,
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
            whole_ms: 120_000,
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

    pub(super) fn longest_wait(&self) -> Duration {
        Duration::from_millis(self.longest_wait_ms)
    }

    /// Wait after the fault of this number, counted from one.
    pub(super) fn wait(&self, faults: u32) -> Duration {
        let factor = 1_u64.checked_shl(faults.saturating_sub(1)).unwrap_or(u64::MAX);
        Duration::from_millis(self.first_wait_ms.saturating_mul(factor)).min(self.longest_wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let config = HttpConfig { first_wait_ms: 100, longest_wait_ms: 1000, ..HttpConfig::default() };
        let waits: Vec<u128> = [1, 2, 3, 4, 5, 200].map(|n| config.wait(n).as_millis()).to_vec();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn says_who_asks() {
        let config = HttpConfig { contact: "mailto:a@b.jp".into(), ..HttpConfig::default() };
        assert!(config.user_agent().starts_with("tsumugi/"));
        assert!(config.user_agent().ends_with(" (+mailto:a@b.jp)"));
    }
}

//! Limits: concurrent requests (additive increase, multiplicative decrease), and requests and tokens per minute.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tsumugi_robots::duration;

/// Capacity of a bucket as a fraction of a minute's allowance, so that an idle client does not start with a whole minute's
/// burst.
const BURST: f64 = 1.0 / 6.0;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All limits of one client.
#[derive(Debug)]
pub(crate) struct Limiter {
    slots: Slots,
    requests: Mutex<Bucket>,
    tokens: Mutex<Bucket>,
}

impl Limiter {
    pub(crate) fn new(
        concurrency: usize,
        requests_per_minute: Option<u32>,
        tokens_per_minute: Option<u32>,
    ) -> Self {
        let now = Instant::now();
        Self {
            slots: Slots::new(concurrency),
            requests: Mutex::new(Bucket::new(requests_per_minute, now)),
            tokens: Mutex::new(Bucket::new(tokens_per_minute, now)),
        }
    }

    /// Waits for a slot and for the allowance of one request with that many tokens.
    pub(crate) async fn admit(&self, tokens: u64) -> Slot<'_> {
        let slot = self.slots.enter().await;
        let now = Instant::now();
        let wait = lock(&self.requests).reserve(1.0, now).max(lock(&self.tokens).reserve(tokens as f64, now));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        slot
    }

    /// Returns tokens that were reserved but not used, or takes those used beyond.
    pub(crate) fn settle(&self, reserved: u64, used: u64) {
        lock(&self.tokens).give(reserved as f64 - used as f64, Instant::now());
    }

    /// Learns from the headers of any answer.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let now = Instant::now();
        for (bucket, kind) in [(&self.requests, "requests"), (&self.tokens, "tokens")] {
            let text = |name: &str| {
                headers.get(format!("x-ratelimit-{name}-{kind}")).and_then(|value| value.to_str().ok())
            };
            let number = |name: &str| text(name).and_then(|value| value.trim().parse::<f64>().ok());
            let reset = text("reset").and_then(duration);
            lock(bucket).observe(number("limit"), number("remaining"), reset, now);
        }
    }

    /// Records a request that was answered in time: one more slot for each full round of answers.
    pub(crate) fn widen(&self) {
        self.slots.widen();
    }

    /// Halves the slots because the server asked for less, once for each burst of complaints.
    pub(crate) fn narrow(&self, sent: Instant) {
        self.slots.narrow(sent);
    }

    #[cfg(test)]
    pub(crate) fn allowed(&self) -> f64 {
        lock(&self.slots.state).allowed
    }
}

/// Requests in flight.
#[derive(Debug)]
struct Slots {
    state: Mutex<SlotState>,
    freed: Notify,
}

#[derive(Debug)]
struct SlotState {
    most: f64,
    allowed: f64,
    in_flight: usize,
    narrowed: Option<Instant>,
}

/// The right to have one request in flight; freed on drop.
#[derive(Debug)]
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        Self {
            state: Mutex::new(SlotState { most, allowed: most, in_flight: 0, narrowed: None }),
            freed: Notify::new(),
        }
    }

    async fn enter(&self) -> Slot<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(slot) = self.try_enter() {
                return slot;
            }
            freed.await;
        }
    }

    fn try_enter(&self) -> Option<Slot<'_>> {
        let mut state = lock(&self.state);
        if (state.in_flight as f64) < state.allowed.floor().max(1.0) {
            state.in_flight += 1;
            // Another may fit as well: its wake-up may have come while this one was still waiting.
            if (state.in_flight as f64) < state.allowed.floor() {
                self.freed.notify_one();
            }
            return Some(Slot(self));
        }
        None
    }

    fn widen(&self) {
        let mut state = lock(&self.state);
        state.allowed = (state.allowed + 1.0 / state.allowed).min(state.most);
        drop(state);
        self.freed.notify_one();
    }

    fn narrow(&self, sent: Instant) {
        let mut state = lock(&self.state);
        // Complaints about requests sent before the last decrease say nothing about the new rate.
        if state.narrowed.is_none_or(|at| sent >= at) {
            state.allowed = (state.allowed / 2.0).max(1.0);
            state.narrowed = Some(Instant::now());
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).in_flight -= 1;
        self.0.freed.notify_one();
    }
}

/// A token bucket that may go into debt: each taker waits until its own debt is paid, so takers queue in order.
#[derive(Debug)]
struct Bucket {
    per_second: Option<f64>,
    given: bool,
    level: f64,
    at: Instant,
    closed_until: Instant,
}

impl Bucket {
    fn new(per_minute: Option<u32>, now: Instant) -> Self {
        let per_second = per_minute.map(|limit| f64::from(limit) / 60.0);
        let mut bucket =
            Self { per_second, given: per_minute.is_some(), level: 0.0, at: now, closed_until: now };
        bucket.level = bucket.capacity();
        bucket
    }

    fn capacity(&self) -> f64 {
        self.per_second.map_or(0.0, |rate| (rate * 60.0 * BURST).max(1.0))
    }

    fn fill(&mut self, now: Instant) {
        if let Some(rate) = self.per_second {
            self.level = (self.level + rate * now.saturating_duration_since(self.at).as_secs_f64())
                .min(self.capacity());
        }
        self.at = now;
    }

    fn reserve(&mut self, amount: f64, now: Instant) -> Duration {
        self.fill(now);
        let closed = self.closed_until.saturating_duration_since(now);
        let Some(rate) = self.per_second else { return closed };
        self.level -= amount;
        closed.max(Duration::from_secs_f64((-self.level / rate).clamp(0.0, 86_400.0)))
    }

    fn give(&mut self, amount: f64, now: Instant) {
        self.fill(now);
        if self.per_second.is_some() {
            self.level = (self.level + amount).min(self.capacity());
        }
    }

    fn observe(&mut self, limit: Option<f64>, remaining: Option<f64>, reset: Option<Duration>, now: Instant) {
        self.fill(now);
        if let Some(limit) = limit.filter(|limit| !self.given && *limit > 0.0 && limit.is_finite()) {
            let first = self.per_second.is_none();
            self.per_second = Some(limit / 60.0);
            if first {
                self.level = self.capacity();
            }
        }
        match (remaining, reset) {
            (Some(remaining), Some(reset)) if remaining < 1.0 => {
                self.closed_until = self.closed_until.max(now + reset)
            }
            (Some(remaining), _) => self.level = self.level.min(remaining),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_spaces_what_exceeds_its_burst() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Some(60), now); // 1 a second, burst 10
        for _ in 0..10 {
            assert_eq!(bucket.reserve(1.0, now), Duration::ZERO);
        }
        let waits: Vec<f64> = (0..3).map(|_| bucket.reserve(1.0, now).as_secs_f64()).collect();
        assert_eq!(waits, [1.0, 2.0, 3.0]);
        assert_eq!(bucket.reserve(1.0, now + Duration::from_secs(4)), Duration::ZERO);
        bucket.give(2.0, now + Duration::from_secs(4));
        assert_eq!(bucket.reserve(1.0, now + Duration::from_secs(4)), Duration::ZERO);
    }

    #[test]
    fn limits_are_learned_from_headers_unless_given() {
        let limiter = Limiter::new(4, None, Some(600));
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
            ("x-ratelimit-limit-tokens", "1"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        limiter.observe(&headers);
        let requests = lock(&limiter.requests);
        assert_eq!(requests.per_second, Some(1.0));
        assert!(requests.closed_until > Instant::now() + Duration::from_secs(1));
        assert_eq!(lock(&limiter.tokens).per_second, Some(10.0));
    }

    #[test]
    fn what_is_left_counts_without_a_limit_too() {
        let limiter = Limiter::new(4, None, None);
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining-requests", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-requests", "2s".parse().unwrap());
        limiter.observe(&headers);
        let requests = lock(&limiter.requests);
        assert_eq!(requests.per_second, None);
        assert!(requests.closed_until > Instant::now() + Duration::from_secs(1));
    }

    #[tokio::test]
    async fn slots_halve_and_grow_back() {
        let limiter = Limiter::new(8, None, None);
        let sent = Instant::now();
        limiter.narrow(sent);
        limiter.narrow(sent); // the same burst
        assert_eq!(limiter.allowed(), 4.0);
        let held =
            [limiter.admit(1).await, limiter.admit(1).await, limiter.admit(1).await, limiter.admit(1).await];
        assert!(limiter.slots.try_enter().is_none());
        for _ in 0..5 {
            limiter.widen();
        }
        assert!(limiter.slots.try_enter().is_some());
        drop(held);
        for _ in 0..100 {
            limiter.widen();
        }
        assert_eq!(limiter.allowed(), 8.0);
    }
}

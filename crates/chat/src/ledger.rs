//! Tokens and money that were spent or may still be spent.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::cache::Entry;
use crate::limiter::lock;
use crate::parameters::ParameterChanges;
use crate::{Error, Usage};

/// The ledger of a client: what its cache folder records, and what this client did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Ledger {
    /// Tokens and money of all paid replies by requested model, including earlier runs with the same cache.
    pub models: BTreeMap<String, Spent>,
    /// Total cost in USD.
    pub usd: f64,
    /// Replies that this client received from the server.
    pub answered: u64,
    /// Replies that this client took from the cache.
    pub cached: u64,
    /// USD that this client spent.
    pub usd_this_run: f64,
    /// Upper bound in USD of the cost of attempts whose answer never arrived complete (timed out, cut, unreadable), including
    /// earlier runs with the same cache. The server may have charged for them, so they count against the budget.
    pub usd_unknown: f64,
    /// Attempts of this client that failed and were retried, by kind.
    pub retries: BTreeMap<String, u64>,
    /// Requests of this client that ended in an error, by [`Error::reason`].
    pub failed: BTreeMap<String, u64>,
    /// What is sent to each model of this endpoint instead of the parameters that it refuses, including what earlier runs with
    /// the same cache learned.
    pub parameters: BTreeMap<String, ParameterChanges>,
}

/// Tokens and money of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spent {
    /// Replies.
    pub requests: u64,
    /// Prompt tokens.
    pub prompt_tokens: u64,
    /// Completion tokens.
    pub completion_tokens: u64,
    /// USD; 0 for models without a price.
    pub usd: f64,
}

impl Ledger {
    /// USD that `remaining` more requests may cost, at this client's mean so far; `None` before the first reply.
    #[must_use]
    pub fn projection(&self, remaining: u64) -> Option<f64> {
        (self.answered > 0).then(|| self.usd_this_run / self.answered as f64 * remaining as f64)
    }

    fn add(&mut self, model: &str, usage: Usage, usd: f64) {
        let spent = self.models.entry(model.to_owned()).or_default();
        spent.requests += 1;
        spent.prompt_tokens += usage.prompt_tokens;
        spent.completion_tokens += usage.completion_tokens;
        spent.usd += usd;
        self.usd += usd;
    }
}

/// The ledger with the budget's reservations.
#[derive(Debug)]
pub(crate) struct Accounts {
    budget: Option<f64>,
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    reserved: f64,
    /// How many reservations make it up.
    held: usize,
}

/// Budget reserved for a request in flight; released on drop.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    accounts: &'a Accounts,
    usd: f64,
}

impl Accounts {
    pub(crate) fn new(budget: Option<f64>) -> Self {
        Self { budget, state: Mutex::default(), settled: Notify::new() }
    }

    /// Adds an entry of an earlier run.
    pub(crate) fn recall(&self, entry: &Entry) {
        lock(&self.state).ledger.add(&entry.asked, entry.reply.usage, entry.usd);
    }

    /// Reserves the maximum cost of a request. If it fits only after others in flight turn out cheaper, waits for them.
    pub(crate) async fn reserve(&self, usd: f64) -> Result<Reservation<'_>, Error> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            {
                let mut state = lock(&self.state);
                let budget = self.budget.unwrap_or(f64::INFINITY);
                let gone = state.ledger.usd + state.ledger.usd_unknown;
                if gone + state.reserved + usd <= budget {
                    state.reserved += usd;
                    state.held += 1;
                    return Ok(Reservation { accounts: self, usd });
                }
                if gone + usd > budget {
                    return Err(Error::Budget {
                        budget_usd: budget,
                        spent_usd: gone + state.reserved,
                        next_usd: usd,
                    });
                }
            }
            settled.await;
        }
    }

    pub(crate) fn answered(&self, model: &str, usage: Usage, usd: f64) {
        let mut state = lock(&self.state);
        state.ledger.add(model, usage, usd);
        state.ledger.answered += 1;
        state.ledger.usd_this_run += usd;
    }

    /// An attempt of which nobody knows whether the server charged for it.
    pub(crate) fn unknown(&self, usd: f64) {
        lock(&self.state).ledger.usd_unknown += usd;
    }

    pub(crate) fn cached(&self) {
        lock(&self.state).ledger.cached += 1;
    }

    pub(crate) fn retried(&self, kind: &str) {
        *lock(&self.state).ledger.retries.entry(kind.to_owned()).or_default() += 1;
    }

    pub(crate) fn failed(&self, reason: &str) {
        *lock(&self.state).ledger.failed.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn snapshot(&self) -> Ledger {
        lock(&self.state).ledger.clone()
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.accounts.state);
        state.held -= 1;
        // Sums of floats leave a residue, which must not stay for good.
        state.reserved = if state.held == 0 { 0.0 } else { (state.reserved - self.usd).max(0.0) };
        drop(state);
        self.accounts.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_budget_waits_for_what_is_in_flight_and_then_stops() {
        let accounts = Accounts::new(Some(1.0));
        let first = accounts.reserve(0.6).await.unwrap();
        let waiting = accounts.reserve(0.6);
        tokio::pin!(waiting);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        accounts.answered("m", Usage { prompt_tokens: 1, completion_tokens: 1 }, 0.3); // cheaper than feared
        drop(first);
        drop(waiting.await.unwrap());
        accounts.answered("m", Usage::default(), 0.3);
        let error = accounts.reserve(0.6).await.unwrap_err();
        assert!(error.is_fatal() && error.reason() == "budget", "{error}");
        let ledger = accounts.snapshot();
        assert_eq!((ledger.answered, ledger.models["m"].requests), (2, 2));
        assert!((ledger.projection(10).unwrap() - 3.0).abs() < 1e-12);
    }

    #[tokio::test]
    async fn reservations_leave_nothing_behind() {
        let accounts = Accounts::new(Some(1.0));
        let (first, second) = (accounts.reserve(0.1).await.unwrap(), accounts.reserve(0.2).await.unwrap());
        drop(first);
        drop(second);
        assert_eq!(lock(&accounts.state).reserved, 0.0); // 0.1 + 0.2 - 0.1 - 0.2 is 2.8e-17
        drop(accounts.reserve(1.0).await.unwrap());
    }
}

//! What follows a fault: a further attempt after a wait, or the error that the request ends in.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::RngExt as _;

use crate::Error;
use crate::client::Inner;
use crate::fault::{Class, Fault};
use crate::limiter::lock;
use crate::remedy::with_remedy;

/// Number of rejected requests, without one that was answered, after which the fault is not in single items. This
/// project's choice.
const MOST_REJECTED: u64 = 10;

/// Number of requests in a row that the server postpones until their deadline before the run is stopped. This project's
/// choice.
const MOST_PUT_OFF: u32 = 3;

impl Inner {
    /// How long to wait before the next attempt. `attempt` were made, of which `tries` count against the retries: where the
    /// server only asks for patience, nothing but the deadline ends it.
    ///
    /// # Errors
    /// What the fault ends in, where there is to be no further attempt.
    pub(crate) fn pause(
        &self,
        fault: &Fault,
        attempt: u32,
        tries: u32,
        deadline: Instant,
    ) -> Result<Duration, Error> {
        if let Some(error) = self.ends(fault, attempt, tries) {
            return Err(error);
        }
        let wait = self.wait(fault, attempt);
        if Instant::now() + wait < deadline {
            return Ok(wait);
        }
        let (seconds, last) = (self.config.deadline().as_secs(), fault.message.clone());
        if fault.asks_for_patience() {
            let requests = self.put_off.fetch_add(1, Ordering::Relaxed) + 1;
            if requests >= MOST_PUT_OFF {
                return Err(Error::PutOff { base_url: self.base.clone(), requests, seconds, last });
            }
        }
        Err(Error::Deadline { seconds, attempts: attempt, last })
    }

    /// The error a fault ends in, unless it is to be retried.
    fn ends(&self, fault: &Fault, attempts: u32, tries: u32) -> Option<Error> {
        let (base_url, message, status) = (self.base.clone(), fault.message.clone(), fault.status);
        Some(match fault.class {
            // A server that answered before may be restarting; one that never did is treated as absent.
            Class::Unreachable if !self.heard.load(Ordering::Relaxed) || tries > self.config.max_retries => {
                Error::Connect { base_url, reason: message }
            }
            Class::Auth => Error::Auth { base_url, status, message },
            Class::Quota => Error::Quota { base_url, message },
            Class::Unsupported => Error::Unsupported { base_url, status, message: with_remedy(message) },
            Class::ContextTooLong => Error::ContextTooLong { message },
            Class::Filtered => Error::Filtered { message },
            Class::Rejected => Error::Rejected { status, message },
            class
                if class.retried()
                    && fault.retry_after.is_some_and(|asked| asked > self.config.deadline()) =>
            {
                let seconds = fault.retry_after.unwrap_or_default().as_secs();
                Error::AskedToWait { base_url, seconds, message }
            }
            class if class.retried() && tries > self.config.max_retries => {
                Error::GaveUp { attempts, last: message }
            }
            _ => return None,
        })
    }

    /// The wait with full jitter: never shorter than what the server asks for, and jittered even if it asks for none.
    fn wait(&self, fault: &Fault, attempt: u32) -> Duration {
        let ceiling =
            (self.config.backoff_base * 2f64.powi(attempt.min(60) as i32 - 1)).min(self.config.backoff_cap);
        let drawn = Duration::from_secs_f64(ceiling * lock(&self.jitter).random::<f64>());
        match fault.retry_after {
            Some(asked) => (asked + drawn.min(Duration::from_secs_f64(self.config.backoff_base))).max(drawn),
            None => drawn,
        }
    }

    /// Counts a failure. If the server has rejected every request so far, the fault is in what they have in common.
    pub(crate) fn unless_all_are_rejected(&self, error: Error) -> Error {
        self.accounts.failed(error.reason());
        let Error::Rejected { status, message } = &error else { return error };
        let ledger = self.accounts.snapshot();
        let rejected = ledger.failed.get(error.reason()).copied().unwrap_or(0);
        if rejected < MOST_REJECTED || ledger.answered + ledger.cached > 0 {
            return error;
        }
        let message = with_remedy(format!("it rejected all of the first {rejected} requests: {message}"));
        Error::Unsupported { base_url: self.base.clone(), status: *status, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, ClientConfig};

    #[test]
    fn waits_are_spread_over_all_of_a_doubling_range() {
        let config =
            ClientConfig { backoff_base: 1.0, backoff_cap: 8.0, ..ClientConfig::new("http://127.0.0.1/v1") };
        let client = Client::new(config).unwrap();
        let mut fault = Fault::broken("x");
        for (attempt, ceiling) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (80, 8.0)] {
            let waits: Vec<f64> =
                (0..300).map(|_| client.inner().wait(&fault, attempt).as_secs_f64() / ceiling).collect();
            let (least, most) =
                (waits.iter().copied().fold(1.0, f64::min), waits.iter().copied().fold(0.0, f64::max));
            assert!(
                (0.0..0.1).contains(&least) && (0.9..=1.0).contains(&most),
                "{attempt}: {least} to {most}"
            );
        }
        // Never before the time asked for, and little after it.
        fault.retry_after = Some(Duration::from_secs(9));
        for _ in 0..300 {
            assert!((9.0..=10.0).contains(&client.inner().wait(&fault, 5).as_secs_f64()));
        }
        // A server that asks for no wait at all is not hammered.
        fault.retry_after = Some(Duration::ZERO);
        let mean = (0..300).map(|_| client.inner().wait(&fault, 4).as_secs_f64()).sum::<f64>() / 300.0;
        assert!((3.0..=5.0).contains(&mean), "{mean}");
    }
}

//! How far the asking is, what it has cost, and what it may cost in all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tsumugi_chat::Ledger;
use tsumugi_synth::{Outcome, Synthesizer};

use super::STEP;
use crate::Progress;

/// How often a line is written, for those who look at a log and not at a terminal.
const EVERY: Duration = Duration::from_secs(60);

pub(super) struct Tracker {
    bar: ProgressBar,
    progress: Progress,
    synthesizer: Arc<Synthesizer>,
    total: u64,
    /// Of those done, how many a request was sent for.
    asked: AtomicU64,
    told: Mutex<Instant>,
}

impl Tracker {
    pub(super) fn new(total: u64, synthesizer: &Arc<Synthesizer>, progress: &Progress) -> Self {
        let bar = progress.bar("synthesize replies", Some(total), "replies");
        Self {
            bar,
            progress: progress.clone(),
            synthesizer: Arc::clone(synthesizer),
            total,
            asked: AtomicU64::new(0),
            told: Mutex::new(Instant::now()),
        }
    }

    pub(super) fn note(&self, outcome: &Outcome) {
        self.bar.inc(1);
        let asked =
            self.asked.fetch_add(u64::from(outcome.asked), Ordering::Relaxed) + u64::from(outcome.asked);
        // A snapshot of the ledger copies a few names: cheap beside a request, not beside a cached reply.
        if !outcome.asked {
            return;
        }
        let cost =
            cost(&self.synthesizer.client().ledger(), asked, self.total.saturating_sub(self.bar.position()));
        self.bar.set_message(cost.clone());
        let mut told = self.told.lock().unwrap_or_else(|error| error.into_inner());
        if told.elapsed() >= EVERY {
            *told = Instant::now();
            self.progress.line(&format!("{STEP}: {} of {} {cost}", self.bar.position(), self.total));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish();
    }
}

/// What was spent, and what is to be expected of `left` more items, of which each takes as many replies as the `asked` ones did.
fn cost(ledger: &Ledger, asked: u64, left: u64) -> String {
    let replies = ledger.answered as f64 / asked.max(1) as f64 * left as f64;
    match ledger.projection(replies.round() as u64) {
        Some(more) if ledger.usd > 0.0 => {
            format!("replies, {:.4} USD, about {:.4} in all", ledger.usd, ledger.usd + more)
        }
        _ => "replies".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_expected_to_cost_what_the_first_did() {
        let ledger = |answered: u64, usd: f64| -> Ledger {
            serde_json::from_value(
                serde_json::json!({"answered": answered, "usd": usd + 1.0, "usd_this_run": usd}),
            )
            .unwrap()
        };
        // Ten items took twenty replies and 0.5 USD; an earlier run took 1 USD; thirty items are left.
        assert_eq!(cost(&ledger(20, 0.5), 10, 30), "replies, 1.5000 USD, about 3.0000 in all");
        assert_eq!(cost(&Ledger::default(), 0, 30), "replies");
    }
}

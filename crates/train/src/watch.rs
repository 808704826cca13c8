//! Loss rules: when a run has diverged.

use serde::{Deserialize, Serialize};

use crate::divergence::Divergence;
use crate::recipe::LossRules;

/// State of the loss rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Running mean of the loss.
    pub mean: Option<f64>,
    /// Steps skipped so far because the loss or a gradient was not finite.
    pub skipped: u64,
    /// Skipped steps in a row.
    pub skipped_in_a_row: u64,
    /// Spikes so far: losses far above the running mean.
    pub spikes: u64,
    /// Spikes in a row.
    pub spikes_in_a_row: u64,
    /// Steps observed.
    pub steps: u64,
    /// Those of the last [`LossRules::skipped_window`] steps that were skipped, by number from 1.
    pub recently_skipped: Vec<u64>,
}

/// Weight of a new loss in the running mean, which covers about fifty steps.
const NEW: f64 = 0.02;

impl Watch {
    /// Records the loss of a step. Returns how the run has diverged, if it has.
    pub fn observe(&mut self, rules: &LossRules, loss: f64, skipped: bool) -> Option<Divergence> {
        self.steps += 1;
        if skipped {
            return self.skip(rules);
        }
        self.skipped_in_a_row = 0;
        let Some(mean) = self.mean else {
            self.mean = Some(loss);
            return None;
        };
        if loss > mean * rules.spike {
            self.spikes += 1;
            self.spikes_in_a_row += 1;
            if rules.spikes_to_stop > 0 && self.spikes_in_a_row >= rules.spikes_to_stop {
                return Some(Divergence::Spikes {
                    factor: rules.spike,
                    mean,
                    steps: self.spikes_in_a_row,
                    loss,
                });
            }
        } else {
            self.spikes_in_a_row = 0;
            self.mean = Some(mean + NEW * (loss - mean));
        }
        None
    }

    fn skip(&mut self, rules: &LossRules) -> Option<Divergence> {
        self.skipped += 1;
        self.skipped_in_a_row += 1;
        let window = rules.skipped_window;
        self.recently_skipped.push(self.steps);
        self.recently_skipped.retain(|&step| step + window > self.steps);
        if self.skipped_in_a_row > rules.skip_not_finite {
            return Some(Divergence::SkippedInARow {
                steps: self.skipped_in_a_row,
                limit: rules.skip_not_finite,
            });
        }
        let (skipped, share) = (self.recently_skipped.len() as u64, rules.skipped_share);
        (skipped as f64 > share * window as f64).then_some(Divergence::SkippedShare {
            skipped,
            window,
            share,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bad_steps_pass_and_many_stop() {
        let rules = LossRules { skip_not_finite: 2, spike: 3.0, spikes_to_stop: 2, ..LossRules::default() };
        let mut watch = Watch::default();
        assert_eq!(watch.observe(&rules, 1.0, false), None);
        assert_eq!(watch.observe(&rules, f64::NAN, true), None);
        assert_eq!(watch.observe(&rules, f64::NAN, true), None);
        let found = watch.observe(&rules, f64::NAN, true);
        assert_eq!(found, Some(Divergence::SkippedInARow { steps: 3, limit: 2 }));
        assert_eq!(watch.observe(&rules, 5.0, false), None);
        assert_eq!(watch.observe(&rules, 1.0, false), None);
        assert_eq!(watch.observe(&rules, 5.0, false), None);
        let found = watch.observe(&rules, 5.0, false).unwrap();
        assert!(matches!(found, Divergence::Spikes { steps: 2, .. }), "{found}");
        assert!(found.to_string().contains("optimizer.lr"), "{found}");
        assert_eq!((watch.skipped, watch.spikes), (3, 3));
    }

    /// The step at which a run stops that skips each step whose number `bad` accepts.
    fn stops(rules: &LossRules, steps: u64, bad: impl Fn(u64) -> bool) -> Option<u64> {
        let mut watch = Watch::default();
        (1..=steps).find(|&step| watch.observe(rules, 1.0, bad(step)).is_some())
    }

    #[test]
    fn a_share_of_skipped_steps_stops_a_run() {
        let rules = LossRules { skipped_share: 0.1, skipped_window: 50, ..LossRules::default() };
        // Every second step: the sixth skipped one is more than a tenth of fifty.
        assert_eq!(stops(&rules, 1000, |step| step % 2 == 0), Some(12));
        // A tenth of all steps is allowed, as often as it comes.
        assert_eq!(stops(&rules, 1000, |step| step % 10 == 0), None);
        assert_eq!(stops(&rules, 1000, |step| step % 9 == 0), Some(54));
        // Bad stretches with long good ones between them.
        assert_eq!(stops(&rules, 1000, |step| step % 100 < 3), None);
        let none = LossRules { skipped_share: 0.0, ..rules };
        assert_eq!(stops(&none, 1000, |step| step == 70), Some(70));
    }
}

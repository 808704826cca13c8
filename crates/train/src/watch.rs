//! Watching the loss: what is no number, and what jumps.

use serde::{Deserialize, Serialize};

use crate::recipe::LossRules;

/// What is remembered of the losses so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Running mean of the loss.
    pub mean: Option<f64>,
    /// Steps skipped so far, since loss or gradient was no number.
    pub skipped: u64,
    /// Such steps without a good one between.
    pub skipped_in_a_row: u64,
    /// Losses far above the mean so far.
    pub spikes: u64,
    /// Such losses without a good one between.
    pub spikes_in_a_row: u64,
}

/// Weight of a new loss in the running mean: about the last fifty steps count.
const NEW: f64 = 0.02;

impl Watch {
    /// Takes the loss of a step, and says why the run has to stop, if it has to.
    pub fn see(&mut self, rules: &LossRules, loss: f64, skipped: bool) -> Option<String> {
        if skipped {
            self.skipped += 1;
            self.skipped_in_a_row += 1;
            return (self.skipped_in_a_row > rules.skip_not_finite).then(|| {
                format!(
                    "loss or gradient was no finite number {} times in a row (rules.skip_not_finite = {}); lower the learning rate or look at the data",
                    self.skipped_in_a_row, rules.skip_not_finite
                )
            });
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
                return Some(format!(
                    "the loss was above {} times its running mean {mean:.4} for {} steps in a row (rules.spikes_to_stop); it is now {loss:.4}",
                    rules.spike, self.spikes_in_a_row
                ));
            }
        } else {
            self.spikes_in_a_row = 0;
            self.mean = Some(mean + NEW * (loss - mean));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_misses_pass_and_many_stop() {
        let rules = LossRules { skip_not_finite: 2, spike: 3.0, spikes_to_stop: 2 };
        let mut watch = Watch::default();
        assert_eq!(watch.see(&rules, 1.0, false), None);
        assert_eq!(watch.see(&rules, f64::NAN, true), None);
        assert_eq!(watch.see(&rules, f64::NAN, true), None);
        assert!(watch.see(&rules, f64::NAN, true).unwrap().contains("3 times"));
        assert_eq!(watch.see(&rules, 5.0, false), None);
        assert_eq!(watch.see(&rules, 1.0, false), None);
        assert_eq!(watch.see(&rules, 5.0, false), None);
        assert!(watch.see(&rules, 5.0, false).unwrap().contains("running mean"));
        assert_eq!((watch.skipped, watch.spikes), (3, 3));
    }
}

//! Loss rules: detecting losses that are not finite or jump.

use serde::{Deserialize, Serialize};

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
}

/// Weight of a new loss in the running mean, which covers about fifty steps.
const NEW: f64 = 0.02;

impl Watch {
    /// Records the loss of a step. Returns the reason to stop the run, if there is one.
    pub fn observe(&mut self, rules: &LossRules, loss: f64, skipped: bool) -> Option<String> {
        if skipped {
            self.skipped += 1;
            self.skipped_in_a_row += 1;
            return (self.skipped_in_a_row > rules.skip_not_finite).then(|| {
                format!(
                    "the loss or a gradient was not finite {} times in a row (rules.skip_not_finite = {}); lower the learning rate or check the data",
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
                    "the loss was above {} times its running mean {mean:.4} for {} steps in a row (rules.spikes_to_stop) and is now {loss:.4}",
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
    fn few_bad_steps_pass_and_many_stop() {
        let rules = LossRules { skip_not_finite: 2, spike: 3.0, spikes_to_stop: 2 };
        let mut watch = Watch::default();
        assert_eq!(watch.observe(&rules, 1.0, false), None);
        assert_eq!(watch.observe(&rules, f64::NAN, true), None);
        assert_eq!(watch.observe(&rules, f64::NAN, true), None);
        assert!(watch.observe(&rules, f64::NAN, true).unwrap().contains("3 times"));
        assert_eq!(watch.observe(&rules, 5.0, false), None);
        assert_eq!(watch.observe(&rules, 1.0, false), None);
        assert_eq!(watch.observe(&rules, 5.0, false), None);
        assert!(watch.observe(&rules, 5.0, false).unwrap().contains("running mean"));
        assert_eq!((watch.skipped, watch.spikes), (3, 3));
    }
}

//! Repetition as HojiChar measures it.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Text, float};
use crate::ngram::NgramTable;

/// Drops texts in which the most frequent character n-grams have too great a share of all n-grams (BigScience's rule as HojiChar
/// implements it). The square root of the number of different n-grams is the number of those that count as most frequent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CharRepetition {
    /// Share, 0 to 1, from which a text is dropped (0.33: HojiChar).
    pub threshold: f64,
    /// Number of characters in an n-gram, 1 to 10 (5: HojiChar).
    pub ngram: u32,
}

impl Default for CharRepetition {
    fn default() -> Self {
        Self { threshold: 0.33, ngram: 5 }
    }
}

impl CharRepetition {
    /// The share, 0 to 1, of the most frequent n-grams.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 letters")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the root of a count")]
    pub fn ratio(&self, text: &str) -> f64 {
        let mut repeated: Vec<u64> = Vec::new();
        let (mut distinct, mut total) = (0_usize, 0_u64);
        NgramTable::new(text, self.ngram).visit(self.ngram, |frequency| {
            distinct += 1;
            total += frequency;
            if frequency > 1 {
                repeated.push(frequency);
            }
        });
        if distinct == 0 {
            return 0.0;
        }
        repeated.sort_unstable_by(|a, b| b.cmp(a));
        let most = ((distinct as f64).sqrt() as usize).min(repeated.len());
        repeated[..most].iter().sum::<u64>() as f64 / total as f64
    }
}

impl Filter for CharRepetition {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let ratio = self.ratio(text.as_str());
        report.note("char_repetition_ratio", ratio);
        if ratio >= self.threshold {
            report.drop(Reason {
                rule: format!("char_repetition_ratio>={}", self.threshold),
                value: Some(ratio),
            });
        }
    }
}

/// The longest run of one character.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SingleCharRun {
    /// The length from which a text is dropped (HojiChar: 200).
    pub threshold: usize,
}

impl Default for SingleCharRun {
    fn default() -> Self {
        Self { threshold: 200 }
    }
}

impl Filter for SingleCharRun {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let (mut longest, mut run, mut last) = (0, 0, None);
        for c in text.as_str().chars() {
            run = if last == Some(c) { run + 1 } else { 1 };
            last = Some(c);
            longest = longest.max(run);
        }
        report.note("longest_char_run", float(longest));
        if longest >= self.threshold {
            report.drop(Reason {
                rule: format!("longest_char_run>={}", self.threshold),
                value: Some(float(longest)),
            });
        }
    }
}

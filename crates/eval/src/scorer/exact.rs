//! Exact match.

use super::contract::{Answers, Scorer};
use super::names;
use crate::Error;

/// 100 for an answer that equals the reference answer once both are normalised as the profile does, 0 for any other.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExactMatch;

impl Scorer for ExactMatch {
    fn name(&self) -> &str {
        names::EXACT_MATCH
    }

    fn title(&self) -> &str {
        "Exact match"
    }

    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        let normalizer = answers.profile.settings().normalizer;
        let value = |answer: &str, reference: &str| {
            if normalizer.apply(answer) == normalizer.apply(reference) { 100.0 } else { 0.0 }
        };
        Ok(answers.predictions.iter().map(|p| value(&p.answer, &p.reference)).collect())
    }
}

//! How to generate.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How to generate. The defaults are greedy decoding, which the paper evaluates with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenerateOptions {
    /// Maximum number of tokens of an answer.
    pub max_new_tokens: usize,
    /// Sampling temperature; zero takes the most likely token.
    pub temperature: f64,
    /// Samples only from the fewest most likely tokens whose probabilities sum to this.
    pub top_p: f64,
    /// Samples only from this many most likely tokens; zero: from all.
    pub top_k: usize,
    /// Sampling seed. Row `i` of a batch has its own stream, so that its answer does not depend on the other rows.
    pub seed: u64,
    /// Number of beams; one: no beam search.
    pub num_beams: usize,
    /// Divides positive logits of tokens that the row already has, and multiplies negative ones.
    pub repetition_penalty: f64,
    /// Exponent of the length that the score of a beam is divided by.
    pub length_penalty: f64,
    /// Whether tokens that end a text end the answer.
    pub stop: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: 256,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            seed: 0,
            num_beams: 1,
            repetition_penalty: 1.0,
            length_penalty: 1.0,
            stop: true,
        }
    }
}

impl GenerateOptions {
    pub(super) fn validate(&self) -> Result<()> {
        let rules = [
            (self.temperature >= 0.0, "temperature is negative"),
            (self.top_p > 0.0 && self.top_p <= 1.0, "top_p is outside (0, 1]"),
            (self.num_beams >= 1, "num_beams is zero"),
            (self.repetition_penalty > 0.0, "repetition_penalty is not positive"),
            (
                self.num_beams == 1 || self.temperature == 0.0,
                "beam search does not sample: set temperature to 0",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(Error::config(*reason)),
            None => Ok(()),
        }
    }
}

//! What a run says at its end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::metrics::StepMetrics;
use crate::{Error, Result};

/// The outcome of a run: the last line on standard output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the recipe.
    pub run: String,
    /// Folder of the final model in Hugging Face's layout.
    pub model: PathBuf,
    /// Parameters of the model.
    pub parameters: u64,
    /// Each stage.
    pub stages: Vec<StageSummary>,
    /// Seconds of all steps together.
    pub seconds: f64,
}

/// The outcome of a stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageSummary {
    /// Its name.
    pub name: String,
    /// Optimiser steps.
    pub steps: u64,
    /// Parameters that were trained.
    pub trained_parameters: u64,
    /// Samples learned from.
    pub samples: u64,
    /// Pictures seen.
    pub images: u64,
    /// Tokens, features of pictures included.
    pub tokens: u64,
    /// Positions with loss.
    pub targets: u64,
    /// Rows drawn from the mixture.
    pub rows_drawn: u64,
    /// Rows dropped, by `source: reason`.
    pub dropped: BTreeMap<String, u64>,
    /// Mean loss of the first tenth of the steps.
    pub first_loss: f64,
    /// Mean loss of the last tenth of the steps.
    pub final_loss: f64,
    /// Lowest loss on held-out rows, where they were measured.
    #[serde(default)]
    pub held_out_loss: Option<f64>,
    /// Steps left out since loss or gradient was no number.
    pub skipped_steps: u64,
    /// Losses far above the running mean.
    pub loss_spikes: u64,
    /// Seconds of all steps.
    pub seconds: f64,
    /// Tokens a second over the stage.
    pub tokens_per_second: f64,
    /// Pictures a second over the stage.
    pub images_per_second: f64,
}

impl StageSummary {
    /// Fills in what the stage's lines of `metrics.jsonl` say.
    pub(crate) fn measure(&mut self, metrics: &[StepMetrics]) {
        let total = |f: fn(&StepMetrics) -> u64| metrics.iter().map(f).sum();
        (self.samples, self.images) = (total(|m| m.samples), total(|m| m.images));
        (self.tokens, self.targets) = (total(|m| m.tokens), total(|m| m.targets));
        self.seconds = metrics.iter().map(|m| m.seconds).sum();
        let per_second = |n: u64| if self.seconds > 0.0 { n as f64 / self.seconds } else { 0.0 };
        (self.tokens_per_second, self.images_per_second) = (per_second(self.tokens), per_second(self.images));
        let good: Vec<f64> = metrics.iter().filter(|m| !m.skipped).map(|m| m.loss).collect();
        let tenth = good.len().div_ceil(10);
        self.first_loss = mean(&good[..tenth]);
        self.final_loss = mean(&good[good.len() - tenth..]);
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The steps of a stage in `metrics.jsonl`.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read. Lines that are no steps are passed over.
pub fn read_metrics(path: &Path, stage: &str) -> Result<Vec<StepMetrics>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let steps = text.lines().filter_map(|line| serde_json::from_str::<StepMetrics>(line).ok());
    Ok(steps.filter(|m| m.stage == stage).collect())
}

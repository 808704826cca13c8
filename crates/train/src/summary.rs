//! The outcome of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::metrics::StepMetrics;
use crate::tally::SourceShare;
use crate::{Error, Result};

/// The outcome of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the recipe.
    pub run: String,
    /// Folder of the exported model.
    pub model: PathBuf,
    /// Parameters of the model.
    pub parameters: u64,
    /// The stages.
    pub stages: Vec<StageSummary>,
    /// Duration of all steps in seconds.
    pub seconds: f64,
}

/// The outcome of a stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageSummary {
    /// Its name.
    pub name: String,
    /// Optimiser steps.
    pub steps: u64,
    /// Trained parameters.
    pub trained_parameters: u64,
    /// Samples.
    pub samples: u64,
    /// Images.
    pub images: u64,
    /// Tokens, including features of images.
    pub tokens: u64,
    /// Positions with loss.
    pub targets: u64,
    /// Rows drawn from the mixture.
    pub rows_drawn: u64,
    /// Rows dropped, by `source: reason`.
    pub dropped: BTreeMap<String, u64>,
    /// Identifiers of the first rows dropped, by the same keys.
    #[serde(default)]
    pub dropped_ids: BTreeMap<String, Vec<String>>,
    /// The mixture that was trained on beside the one asked for.
    #[serde(default)]
    pub mixture: Vec<SourceShare>,
    /// Mean loss of the first tenth of the steps.
    pub first_loss: f64,
    /// Mean loss of the last tenth of the steps.
    pub final_loss: f64,
    /// Lowest held-out loss, if it was measured.
    #[serde(default)]
    pub held_out_loss: Option<f64>,
    /// Steps skipped because the loss or a gradient was not finite.
    pub skipped_steps: u64,
    /// Losses far above the running mean (see the loss rules).
    pub loss_spikes: u64,
    /// Duration of all steps in seconds.
    pub seconds: f64,
    /// Tokens per second over the stage.
    pub tokens_per_second: f64,
    /// Images per second over the stage.
    pub images_per_second: f64,
}

impl StageSummary {
    /// Fills in the totals of the stage's lines of `metrics.jsonl`.
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
/// [`Error::Io`] if the file cannot be read. Other lines are ignored.
pub fn read_metrics(path: &Path, stage: &str) -> Result<Vec<StepMetrics>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let steps = text.lines().filter_map(|line| serde_json::from_str::<StepMetrics>(line).ok());
    Ok(steps.filter(|m| m.stage == stage).collect())
}

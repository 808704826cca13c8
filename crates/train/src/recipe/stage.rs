//! One stage of a recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One stage: what is learned from which data, how, and for how long. The defaults are those of the paper's stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StageConfig {
    /// Its name; folders are named after it.
    pub name: String,
    /// What is trained: `vision`, `projector`, `language`, or patterns on parameter names in which `*` stands for any
    /// text (`language_model.model.layers.1?.*`, where `?` is one character). Everything else is frozen.
    pub tune: Vec<String>,
    /// How rows become text: `plain`, `caption`, `llmjp_v3`, or a file with a Jinja chat template.
    pub template: String,
    /// Longest row in tokens, features of pictures included.
    pub length: usize,
    /// How long it lasts.
    pub duration: Duration,
    /// What a step is made of.
    pub batch: Batching,
    /// AdamW.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    pub schedule: ScheduleConfig,
    /// Number types.
    pub precision: Precision,
    /// Low-rank adapters that are trained, and merged into the weights at the stage's end.
    pub lora: Option<LoraConfig>,
    /// Every nth trained layer keeps only its input and runs again on the way back, for memory: 0 none, 1 all.
    pub recompute: usize,
    /// Name of the objective in the registry.
    pub objective: String,
    /// When checkpoints are written.
    pub checkpoint: CheckpointPolicy,
    /// When the run is stopped for its loss.
    pub rules: LossRules,
    /// Held-out rows that the model is measured and shown on while it learns.
    pub evaluation: Option<EvaluationConfig>,
    /// The mixture.
    pub data: Vec<DataConfig>,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            name: "stage".into(),
            tune: vec!["projector".into(), "language".into()],
            template: "llmjp_v3".into(),
            length: 4096,
            duration: Duration::default(),
            batch: Batching::default(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            precision: Precision::default(),
            lora: None,
            recompute: 0,
            objective: "tokens".into(),
            checkpoint: CheckpointPolicy::default(),
            rules: LossRules::default(),
            evaluation: None,
            data: Vec::new(),
        }
    }
}

/// Low-rank adapters: the matrices stay as they are, and thin ones beside them learn (arXiv 2106.09685). At the end of the
/// stage they are merged, so that later stages and the exported model know nothing of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoraConfig {
    /// Width of the thin matrices.
    pub rank: i64,
    /// The change is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Which matrices: parts or patterns, as in [`StageConfig::tune`], which must not name the same ones.
    pub of: Vec<String>,
    /// Seed of the first thin matrix of each pair; the second begins with zeros.
    pub seed: u64,
}

impl Default for LoraConfig {
    fn default() -> Self {
        // All projections of the decoder layers, as QLoRA (arXiv 2305.14314) found to matter; alpha twice the rank is the
        // custom.
        Self { rank: 16, alpha: 32.0, of: vec!["language_model.model.layers.*_proj.weight".into()], seed: 0 }
    }
}

/// Measuring on held-out rows: their mean loss, and some answers to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// Steps between two measurements; one is always made at the stage's end. 0: only there.
    pub every: u64,
    /// Rows of the loss, the same each time, from all of `data` in turn.
    pub rows: u64,
    /// Rows of them that are answered, into `answers.jsonl`.
    pub answers: usize,
    /// Most tokens of such an answer.
    pub max_new_tokens: usize,
    /// Where the rows come from. They should be in no mixture of the run.
    pub data: Vec<DataConfig>,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self { every: 500, rows: 256, answers: 4, max_new_tokens: 64, data: Vec::new() }
    }
}

/// How long a stage lasts: exactly one of the three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Duration {
    /// Optimiser steps.
    pub steps: Option<u64>,
    /// Rows drawn from the mixture.
    pub samples: Option<u64>,
    /// Passes over the mixture: rows drawn, as a multiple of the rows there are.
    pub epochs: Option<f64>,
}

/// What an optimiser step is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// Rows of an optimiser step.
    pub rows: usize,
    /// Rows that go through the model at once; the step accumulates over the others.
    pub micro: usize,
    /// How samples become rows, by its name in the registry: `packed` (several samples fill a row of `length` tokens, none
    /// seeing another), `padded` (a sample a row, filled to the longest), `bucketed` (padded, samples of like length
    /// together).
    pub collator: String,
}

impl Default for Batching {
    fn default() -> Self {
        Self { rows: 128, micro: 4, collator: "packed".into() }
    }
}

/// AdamW. The paper's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    pub lr: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Term that keeps the quotient finite.
    pub eps: f64,
    /// Decoupled weight decay, on matrices only.
    pub weight_decay: f64,
    /// Largest norm of all gradients together; longer ones are scaled down. The paper's scripts have none.
    pub clip: Option<f64>,
    /// Multiples of the learning rate by pattern on parameter names, as in [`StageConfig::tune`]; the first that fits
    /// counts.
    pub multipliers: Vec<Multiplier>,
}

/// A learning rate of its own for some parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    /// Part or pattern.
    pub of: String,
    /// Factor of the stage's rate.
    pub factor: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            clip: None,
            multipliers: Vec::new(),
        }
    }
}

/// Learning rate over time, as a fraction of the peak.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Its form.
    pub kind: ScheduleKind,
    /// Part of the stage in which the rate rises (the paper's 0.03).
    pub warmup: f64,
    /// Part of the stage in which it falls, for `wsd`.
    pub decay: f64,
    /// Fraction of the peak at the end.
    pub floor: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { kind: ScheduleKind::Cosine, warmup: 0.03, decay: 0.2, floor: 0.0 }
    }
}

/// Form of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Half a cosine down to the floor (the paper's).
    #[default]
    Cosine,
    /// A straight line down to the floor.
    Linear,
    /// Level after the warm-up.
    Constant,
    /// Warm-up, level, and a fall at the end (`decay`).
    Wsd,
}

/// Number types of a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Everything in float32.
    #[default]
    F32,
    /// Computed in bfloat16, weights and moments in float32: 14 bytes a trained parameter.
    Bf16,
    /// Weights and moments in bfloat16 too, rounded stochastically: 6 bytes a trained parameter.
    Bf16Stochastic,
}

/// When checkpoints are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointPolicy {
    /// Steps between checkpoints; 0: none before the stage's end.
    pub every: u64,
    /// How many of the last are kept.
    pub keep: usize,
    /// What is done with the weights of the lowest loss on the stage's held-out rows.
    pub best: Best,
}

/// What is done with the weights that did best on the held-out rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Best {
    /// Nothing.
    #[default]
    Off,
    /// At the stage's end they are written as a model of their own, into the stage's folder `best`.
    Keep,
    /// The stage ends with them: the next stage begins there.
    Finish,
}

impl Default for CheckpointPolicy {
    fn default() -> Self {
        Self { every: 500, keep: 2, best: Best::Off }
    }
}

/// When the run is stopped for its loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossRules {
    /// Steps in a row whose loss or gradient is no number, which are skipped before the run stops. The first such step
    /// more ends it.
    pub skip_not_finite: u64,
    /// A loss above this multiple of its running mean counts as a spike.
    pub spike: f64,
    /// Spikes in a row that stop the run; 0: never.
    pub spikes_to_stop: u64,
}

impl Default for LossRules {
    fn default() -> Self {
        // A loss of three times its running mean is far outside the noise of any batch, and twenty such steps in a row
        // have not been seen to heal.
        Self { skip_not_finite: 3, spike: 3.0, spikes_to_stop: 20 }
    }
}

/// One member of a mixture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Name of the data source in the registry: `pairs`, `interleaved`, `conversations`, `llava`, or a lab's own.
    pub source: String,
    /// Folder of the table or file of the source.
    pub path: PathBuf,
    /// Folder of the pictures, for sources that name files.
    pub images: Option<PathBuf>,
    /// Chance to be drawn, relative to the others. Without weights each row comes once in an epoch.
    pub weight: Option<f64>,
    /// At most this many rows, from the beginning.
    pub limit: Option<u64>,
    /// Template of these rows, where it is not the stage's.
    pub template: Option<String>,
    /// Largest number of pictures in a sample; further ones are left out with a count (MMC4's 6 in the paper).
    pub max_images: Option<usize>,
    /// What a lab's own source is to know.
    pub options: toml::Table,
}

impl StageConfig {
    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming stage and key.
    pub fn validate(&self) -> Result<()> {
        let d = &self.duration;
        let given =
            [d.steps.is_some(), d.samples.is_some(), d.epochs.is_some()].iter().filter(|g| **g).count();
        let weights = self.data.iter().filter(|s| s.weight.is_some()).count();
        let betas = self.optimizer.betas;
        let s = &self.schedule;
        let rules: &[(bool, &str)] = &[
            (
                !self.name.is_empty()
                    && self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
                "name: letters, digits, - and _ only",
            ),
            (self.length > 0, "length is 0"),
            (given == 1, "duration: give exactly one of steps, samples, epochs"),
            (d.steps != Some(0) && d.samples != Some(0), "duration is 0"),
            (d.epochs.is_none_or(|e| e > 0.0 && e.is_finite()), "duration.epochs is not positive"),
            (self.batch.rows > 0 && self.batch.micro > 0, "batch.rows and batch.micro have to be at least 1"),
            (
                self.optimizer.lr >= 0.0 && self.optimizer.lr.is_finite(),
                "optimizer.lr is negative or no number",
            ),
            (betas.iter().all(|b| (0.0..1.0).contains(b)), "optimizer.betas have to lie in 0..1"),
            (self.optimizer.eps > 0.0, "optimizer.eps is not positive"),
            (self.optimizer.clip.is_none_or(|c| c > 0.0), "optimizer.clip is not positive"),
            (
                (0.0..=1.0).contains(&s.warmup)
                    && (0.0..=1.0).contains(&s.decay)
                    && (0.0..=1.0).contains(&s.floor),
                "schedule.warmup, decay and floor have to lie in 0..=1",
            ),
            (self.checkpoint.keep > 0, "checkpoint.keep is 0"),
            (!self.tune.is_empty() || self.lora.is_some(), "tune: nothing would be trained"),
            (
                self.lora.as_ref().is_none_or(|l| l.rank > 0 && l.alpha.is_finite()),
                "lora: rank has to be at least 1, alpha a finite number",
            ),
            (
                self.evaluation.as_ref().is_none_or(|e| !e.data.is_empty() && e.rows > 0),
                "evaluation: data and rows are needed",
            ),
            (
                self.checkpoint.best == Best::Off || self.evaluation.is_some(),
                "checkpoint.best: there is no evaluation to tell which weights are best",
            ),
            (!self.data.is_empty(), "data: there is no source"),
            (weights == 0 || weights == self.data.len(), "data: give each source a weight, or none"),
            (
                self.data.iter().all(|s| s.weight.is_none_or(|w| w >= 0.0 && w.is_finite())),
                "data: a weight is negative",
            ),
            (
                weights == 0 || self.data.iter().filter_map(|s| s.weight).sum::<f64>() > 0.0,
                "data: all weights are 0",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(Error::recipe(format!("stage {}: {reason}", self.name))),
            None => Ok(()),
        }
    }
}

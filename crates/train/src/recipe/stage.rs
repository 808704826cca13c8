//! One stage of a recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One stage: what is trained on which data, how, and for how long. The defaults are those of the paper's stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StageConfig {
    /// Name, also of its folders.
    pub name: String,
    /// Trained parameters: `vision`, `projector`, `language`, or patterns on parameter names, in which `*` matches any text
    /// and `?` one character (`language_model.model.layers.1?.*`). All others are frozen.
    pub tune: Vec<String>,
    /// Template by which rows become text: `plain`, `caption`, `llmjp_v3`, `tokenizer` (the chat template that the exported model
    /// has, see [`ExportConfig::chat_template`](super::ExportConfig)), or a file with a Jinja chat template, whose name ends in
    /// `.jinja`. In a Jinja template, `{% generation %}` blocks have loss; without any, answers and their end tokens have.
    pub template: String,
    /// Maximum tokens of a row, including features of images.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "tokens", "x-source" = "arXiv 2410.22736")))]
    pub length: usize,
    /// What becomes of samples that are longer than a row.
    pub too_long: TooLong,
    /// Duration.
    pub duration: Duration,
    /// Rows of a step.
    pub batch: Batching,
    /// AdamW.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    pub schedule: ScheduleConfig,
    /// Number types.
    pub precision: Precision,
    /// Low-rank adapters that are trained, and merged into the weights at the end of the stage.
    pub lora: Option<LoraConfig>,
    /// Every nth trained layer keeps only its input and is recomputed in the backward pass, to save memory: 0 none, 1 all.
    pub recompute: usize,
    /// Name of the objective in the registry.
    pub objective: String,
    /// When checkpoints are written.
    pub checkpoint: CheckpointPolicy,
    /// When the loss stops the run.
    pub rules: LossRules,
    /// Evaluation on held-out rows during training.
    pub evaluation: Option<EvaluationConfig>,
    /// The data mixture.
    pub data: Vec<DataConfig>,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            name: "stage".into(),
            tune: vec!["projector".into(), "language".into()],
            template: "tokenizer".into(),
            length: 4096,
            too_long: TooLong::default(),
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

/// What becomes of samples that are longer than a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TooLong {
    /// They are dropped and counted (`too_long`).
    #[default]
    Drop,
    /// Conversations are cut behind the last answer that fits, with the images of the turns that are left, and counted. What has
    /// no such answer is dropped.
    Cut,
    /// The run stops and names the sample.
    Refuse,
}

/// Low-rank adapters: the matrices are frozen, and low-rank factors beside them are trained (arXiv 2106.09685). They are
/// merged at the end of the stage, so that later stages and the exported model have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LoraConfig {
    /// Rank.
    pub rank: i64,
    /// The change is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Adapted matrices: parts or patterns, as in [`StageConfig::tune`], which must not match the same ones.
    pub of: Vec<String>,
    /// Seed of the first factor of each pair; the second is initialised with zeros.
    pub seed: u64,
}

impl Default for LoraConfig {
    fn default() -> Self {
        // All projections of the decoder layers, which QLoRA (arXiv 2305.14314) found to matter. Twice the rank is a
        // customary alpha.
        Self { rank: 16, alpha: 32.0, of: vec!["language_model.model.layers.*_proj.weight".into()], seed: 0 }
    }
}

/// Evaluation on held-out rows: their mean loss, and sample answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// Steps between two evaluations. The last one is at the end of the stage; 0: only that one.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "steps")))]
    pub every: u64,
    /// Rows whose loss is measured: the same each time, from the sources of `data` in turn.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "rows")))]
    pub rows: u64,
    /// Rows that the model answers, into `answers.jsonl`.
    pub answers: usize,
    /// Maximum tokens of such an answer.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "tokens")))]
    pub max_new_tokens: usize,
    /// Sources of the rows, which should be in no mixture of the run.
    pub data: Vec<DataConfig>,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self { every: 500, rows: 256, answers: 4, max_new_tokens: 64, data: Vec::new() }
    }
}

/// Duration of a stage: exactly one of the three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Duration {
    /// Optimiser steps.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "steps")))]
    pub steps: Option<u64>,
    /// Rows drawn from the mixture.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "rows")))]
    pub samples: Option<u64>,
    /// Passes over the mixture: rows drawn, as a multiple of all rows.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "passes over the mixture")))]
    pub epochs: Option<f64>,
}

/// Rows of an optimiser step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Batching {
    /// Rows of an optimiser step, whatever `micro` is.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "rows", "x-source" = "arXiv 2410.22736")))]
    pub rows: usize,
    /// Rows that pass through the model at a time. The step accumulates gradients over them; the last time has the rows that
    /// are left.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "rows")))]
    pub micro: usize,
    /// Collator by its name in the registry: `packed` (several samples share a row of `length` tokens, none attends to
    /// another), `padded` (one sample in a row, padded to the longest), `bucketed` (padded, samples of similar length
    /// together).
    pub collator: String,
}

impl Default for Batching {
    fn default() -> Self {
        Self { rows: 128, micro: 4, collator: "packed".into() }
    }
}

/// AdamW. The defaults are the paper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    #[cfg_attr(feature = "schema", schemars(extend("x-source" = "arXiv 2410.22736")))]
    pub lr: f64,
    /// Decay rates of the moments.
    #[cfg_attr(feature = "schema", schemars(extend("x-source" = "arXiv 2410.22736")))]
    pub betas: [f64; 2],
    /// Added to the denominator.
    #[cfg_attr(feature = "schema", schemars(extend("x-source" = "PyTorch, as in the paper")))]
    pub eps: f64,
    /// Decoupled weight decay, of matrices only.
    #[cfg_attr(feature = "schema", schemars(extend("x-source" = "arXiv 2410.22736")))]
    pub weight_decay: f64,
    /// Clips the norm of all gradients together. The paper does not clip.
    #[cfg_attr(feature = "schema", schemars(extend("x-source" = "the paper does not clip")))]
    pub clip: Option<f64>,
    /// Factors of the learning rate by patterns on parameter names, as in [`StageConfig::tune`]. The first match counts.
    pub multipliers: Vec<Multiplier>,
}

/// A factor of the learning rate for some parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Shape.
    pub kind: ScheduleKind,
    /// Fraction of the stage in which the rate rises (0.03 in the paper).
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of the stage", "x-source" = "arXiv 2410.22736")))]
    pub warmup: f64,
    /// Fraction of the stage in which it falls, for `wsd`.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of the stage")))]
    pub decay: f64,
    /// Fraction of the peak at the end.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of `lr`")))]
    pub floor: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { kind: ScheduleKind::Cosine, warmup: 0.03, decay: 0.2, floor: 0.0 }
    }
}

/// Shape of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Half a cosine down to the floor (the paper's).
    #[default]
    Cosine,
    /// A straight line down to the floor.
    Linear,
    /// Constant after the warm-up.
    Constant,
    /// Warm-up, constant, and a linear decrease at the end (`decay`).
    Wsd,
}

/// Number types of a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Everything in float32.
    #[default]
    F32,
    /// Computation in bfloat16, weights and moments in float32: 14 bytes for each trained parameter.
    Bf16,
    /// Weights and moments in bfloat16 too, with stochastic rounding: 6 bytes for each trained parameter.
    Bf16Stochastic,
}

/// When checkpoints are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointPolicy {
    /// Steps between checkpoints; 0: none before the end of the stage.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "steps")))]
    pub every: u64,
    /// Number of checkpoints to keep.
    pub keep: usize,
    /// Use of the weights with the lowest held-out loss.
    pub best: Best,
}

/// Use of the weights with the lowest held-out loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Best {
    /// Not kept.
    #[default]
    Off,
    /// Exported at the end of the stage to its folder `best`.
    Keep,
    /// The stage ends with them, and the next stage begins with them.
    Finish,
}

impl Default for CheckpointPolicy {
    fn default() -> Self {
        Self { every: 500, keep: 2, best: Best::Off }
    }
}

/// When the loss stops the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LossRules {
    /// Steps in a row that may be skipped because the loss or a gradient is not finite. One more stops the run.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "steps")))]
    pub skip_not_finite: u64,
    /// Share of the last `skipped_window` steps that may be skipped. One step more stops the run.
    pub skipped_share: f64,
    /// Steps over which skipped ones are counted.
    pub skipped_window: u64,
    /// A loss above this multiple of its running mean counts as a spike.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "multiples of the running mean")))]
    pub spike: f64,
    /// Spikes in a row that stop the run; 0: never.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "steps")))]
    pub spikes_to_stop: u64,
}

impl Default for LossRules {
    fn default() -> Self {
        // In float32 and bfloat16 nothing overflows in a sound run: Megatron-LM stops at the first loss or gradient that is
        // not finite (its check_for_nan_in_loss_and_grad, on by default). Here a bad batch is passed over, as PaLM's
        // training did with the batches around a spike (arXiv 2204.02311, 5.1), but not one in ten.
        //
        // A loss of three times its running mean is far outside the noise of any batch, and no run was seen to recover
        // from twenty such steps in a row.
        Self { skip_not_finite: 3, skipped_share: 0.1, skipped_window: 50, spike: 3.0, spikes_to_stop: 20 }
    }
}

/// One member of a mixture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Name of the data source in the registry: `pairs`, `interleaved`, `conversations`, `llava`, or your own.
    pub source: String,
    /// Folder of the table or file of the source.
    pub path: PathBuf,
    /// Folder of the images, for sources that name files.
    pub images: Option<PathBuf>,
    /// Probability to be drawn, relative to the others. Without weights, each row comes once in an epoch.
    pub weight: Option<f64>,
    /// Uses only this many rows, from the beginning.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "rows")))]
    pub limit: Option<u64>,
    /// Template of these rows; by default the stage's.
    pub template: Option<String>,
    /// Maximum images of a sample; further ones are left out (6 in the paper, as in MMC4).
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "images", "x-source" = "arXiv 2410.22736, as in MMC4")))]
    pub max_images: Option<usize>,
    /// Options of the source.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
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
                "name: use only letters, digits, - and _",
            ),
            (self.length > 0, "length is 0"),
            (given == 1, "duration: give exactly one of steps, samples, epochs"),
            (d.steps != Some(0) && d.samples != Some(0), "duration is 0"),
            (d.epochs.is_none_or(|e| e > 0.0 && e.is_finite()), "duration.epochs is not positive"),
            (self.batch.rows > 0 && self.batch.micro > 0, "batch.rows and batch.micro must be at least 1"),
            (
                self.optimizer.lr >= 0.0 && self.optimizer.lr.is_finite(),
                "optimizer.lr is negative or not finite",
            ),
            (betas.iter().all(|b| (0.0..1.0).contains(b)), "optimizer.betas must be in 0..1"),
            (self.optimizer.eps > 0.0, "optimizer.eps is not positive"),
            (self.optimizer.clip.is_none_or(|c| c > 0.0), "optimizer.clip is not positive"),
            (
                (0.0..=1.0).contains(&s.warmup)
                    && (0.0..=1.0).contains(&s.decay)
                    && (0.0..=1.0).contains(&s.floor),
                "schedule.warmup, decay and floor must be in 0..=1",
            ),
            (self.checkpoint.keep > 0, "checkpoint.keep is 0"),
            ((0.0..=1.0).contains(&self.rules.skipped_share), "rules.skipped_share must be in 0..=1"),
            (self.rules.skipped_window > 0, "rules.skipped_window is 0"),
            (self.rules.spike > 0.0, "rules.spike is not positive"),
            (
                !self.tune.is_empty() || self.lora.is_some(),
                "tune matches nothing and there is no lora: nothing would be trained",
            ),
            (
                self.lora.as_ref().is_none_or(|l| l.rank > 0 && l.alpha.is_finite()),
                "lora: rank must be at least 1 and alpha finite",
            ),
            (
                self.evaluation.as_ref().is_none_or(|e| !e.data.is_empty() && e.rows > 0),
                "evaluation needs data and rows",
            ),
            (
                self.checkpoint.best == Best::Off || self.evaluation.is_some(),
                "checkpoint.best needs an evaluation",
            ),
            (!self.data.is_empty(), "data: there are no sources"),
            (weights == 0 || weights == self.data.len(), "data: give all sources a weight, or none"),
            (
                self.data.iter().all(|s| s.weight.is_none_or(|w| w >= 0.0 && w.is_finite())),
                "data: a weight is negative or not finite",
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

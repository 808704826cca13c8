//! Recipes: a training run as data.
//!
//! A recipe names the initial model, the tokenizer and the stages of training. It is read from TOML; an unknown key is an
//! error before anything is loaded. Paths are relative to the current folder.

mod compare;
mod overrides;
mod stage;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_vlm::VlmConfig;

pub(crate) use compare::{Trained, difference};
pub use overrides::apply_overrides;
pub use stage::{
    Batching, Best, CheckpointPolicy, DataConfig, Duration, EvaluationConfig, LoraConfig, LossRules,
    OptimizerConfig, Precision, ScheduleConfig, ScheduleKind, StageConfig, TooLong,
};

use crate::{Error, Result};

/// A training run: model, tokenizer, stages.
///
/// A run that was stopped goes on with the same recipe, or with one that trains the same in the stages that are done or begun
/// (those of which a checkpoint has been written). Of these stages and of the run, some keys may change:
///
/// - without changing the weights: `name`, `loader_threads`, `peak_tflops`, `callbacks` that do not stop a stage, `metrics`, and of a
///   stage `recompute`, `rules`, `checkpoint` and `evaluation` (but `checkpoint.best = "finish"` and what it measures), and
///   `export.dtype` until the model is exported;
/// - with other last digits, since sums are in another order: `threads`, `device`, `deterministic` and `batch.micro` (with the collator
///   `packed` also other rows share a batch).
///
/// Stages that are not begun may change, come or go. The tokenizer stays the one of the first start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the run, for reports.
    pub name: String,
    /// Folder of everything the run writes.
    pub out: PathBuf,
    /// Seed of the initial weights and of the order of data.
    pub seed: u64,
    /// Threads of LibTorch. Fixed rather than taken from the machine, since the order of sums affects the last digits: equal
    /// threads on the same processor give equal bytes. More threads than free cores are many times slower than one thread,
    /// since LibTorch's threads busy-wait for each other.
    pub threads: usize,
    /// Threads that decode images and tokenise. They affect only speed.
    pub loader_threads: usize,
    /// `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Refuse kernels whose results differ between runs (only CUDA has such).
    pub deterministic: bool,
    /// Peak of the device in 10^12 operations per second, for the reported utilisation (MFU). By default a large matrix
    /// product is timed when a stage begins.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "10^12 operations per second")))]
    pub peak_tflops: Option<f64>,
    /// The initial model.
    pub model: ModelConfig,
    /// The tokenizer.
    pub tokenizer: TokenizerConfig,
    /// How the trained model is exported.
    pub export: ExportConfig,
    /// Callbacks by their names in the registry, with options.
    pub callbacks: Vec<ComponentConfig>,
    /// Metric sinks by their names in the registry, with options. `metrics.jsonl` is always written.
    pub metrics: Vec<ComponentConfig>,
    /// The stages in order.
    pub stages: Vec<StageConfig>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            name: "run".into(),
            out: "runs/run".into(),
            seed: 0,
            threads: 1,
            loader_threads: 2,
            device: "cpu".into(),
            deterministic: true,
            peak_tflops: None,
            model: ModelConfig::default(),
            tokenizer: TokenizerConfig::default(),
            export: ExportConfig::default(),
            callbacks: Vec::new(),
            metrics: Vec::new(),
            stages: Vec::new(),
        }
    }
}

/// The initial model: a checkpoint, or checkpoints of parts, or sizes.
///
/// `config` alone gives random weights. With `vision` or `language`, the sizes of these parts come from their checkpoints,
/// and only parameters that no checkpoint holds (the projector's) are random.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A checkpoint of any registered family: a folder or the name of a hub repository.
    pub checkpoint: Option<String>,
    /// A checkpoint of a vision encoder.
    pub vision: Option<String>,
    /// A checkpoint of a language model.
    pub language: Option<String>,
    /// Sizes that no checkpoint gives.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")
    )]
    pub config: Option<VlmConfig>,
    /// Name of the model family in the registry. By default that of the checkpoint (of the whole model or of the vision
    /// encoder), else `llava`.
    pub family: Option<String>,
    /// Options of the family, in place of those of `config` or of the checkpoint.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
    pub options: toml::Table,
}

/// The tokenizer: a file, or a small vocabulary built from the recipe's own data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TokenizerConfig {
    /// A `tokenizer.json`, or a folder or hub repository with one. By default that of the checkpoint.
    pub path: Option<String>,
    /// Builds a vocabulary of about this many pieces (characters and frequent strings, bytes for the rest) from the texts of
    /// all stages, for tiny models.
    pub build: Option<usize>,
    /// The token that stands for an image: a reserved token of the vocabulary, or a new one, for which the embedding grows by a
    /// row. By default the one that the tokenizer's files or the checkpoint name, else `<image>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_token: Option<String>,
}

/// How the trained model is exported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ExportConfig {
    /// Chat template of the exported model: `llmjp_v3`, `tokenizer` or a file. By default the one that conversations are trained
    /// in: that of the tokenizer where a stage names none, else the last one that a stage names. `tokenizer` stands for the
    /// checkpoint's own template, else the family's, else `llmjp_v3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<String>,
    /// Number type of the exported tensors. Weights between stages keep the trainer's own precision.
    pub dtype: ExportType,
}

/// Number type of an exported model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ExportType {
    /// As trained: float32, or bfloat16 if the weights are kept in it.
    #[default]
    Same,
    /// Float32.
    F32,
    /// Bfloat16.
    Bf16,
}

/// A component by its registered name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ComponentConfig {
    /// The name.
    pub name: String,
    /// Its options.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
    pub options: toml::Table,
}

impl Recipe {
    /// Reads a recipe from a TOML file and applies `key=value` overrides (see [`apply_overrides`]).
    ///
    /// # Errors
    /// [`Error::RecipeFile`] if the file cannot be read; [`Error::RecipeToml`] if it is not valid TOML or has an unknown key;
    /// [`Error::Recipe`] if it asks for something impossible.
    pub fn from_file(path: &Path, overrides: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::RecipeFile { path: path.to_owned(), source })?;
        Self::from_toml(&text, overrides).map_err(|error| error.in_file(path))
    }

    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// As [`Recipe::from_file`].
    pub fn from_toml(text: &str, overrides: &[String]) -> Result<Self> {
        // The text is read without overrides first, since only then do errors point at lines.
        let _: Self = toml::from_str(text).map_err(Error::recipe_toml)?;
        let mut table: toml::Table = toml::from_str(text).map_err(Error::recipe_toml)?;
        apply_overrides(&mut table, overrides)?;
        let recipe: Self = table.try_into().map_err(Error::recipe_toml)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// A recipe with one stage and one data source, all of them with their defaults. It lacks what has no default.
    #[must_use]
    pub fn template() -> Self {
        let stage = StageConfig { data: vec![DataConfig::default()], ..StageConfig::default() };
        Self { stages: vec![stage], ..Self::default() }
    }

    /// Writes the recipe with all its defaults filled in.
    ///
    /// # Errors
    /// [`Error::RecipeValue`] if TOML cannot express a value.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::RecipeValue(Box::new(error)))
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming the key.
    pub fn validate(&self) -> Result<()> {
        let fail = |reason: String| Err(Error::recipe(reason));
        let m = &self.model;
        if m.checkpoint.is_some() && (m.vision.is_some() || m.language.is_some() || m.config.is_some()) {
            return fail("model.checkpoint holds all parts: remove vision, language and config".into());
        }
        if m.checkpoint.is_none() && m.config.is_none() && (m.vision.is_none() || m.language.is_none()) {
            return fail("model: give checkpoint, or vision and language, or config".into());
        }
        if self.tokenizer.path.is_some() && self.tokenizer.build.is_some() {
            return fail("tokenizer: give path or build, not both".into());
        }
        if self.stages.is_empty() {
            return fail("there are no stages".into());
        }
        if self.threads == 0 || self.loader_threads == 0 {
            return fail("threads and loader_threads must be at least 1".into());
        }
        let mut names: Vec<&str> = self.stages.iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|p| p[0] == p[1]) {
            return fail(format!("two stages are named \"{}\"", pair[0]));
        }
        self.stages.iter().try_for_each(StageConfig::validate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "x"
        [model.config.vision]
        hidden_size = 16
        [[stages]]
        name = "align"
        tune = ["projector"]
        duration = { steps = 3 }
        [[stages.data]]
        source = "pairs"
        path = "p"
    "#;

    #[test]
    fn reads_overrides_and_writes_back() {
        let overrides =
            ["stages.align.optimizer.lr=0.5".to_owned(), "name=other run".into(), "stages.0.length=9".into()];
        let recipe = Recipe::from_toml(SMALL, &overrides).unwrap();
        assert_eq!(recipe.stages[0].optimizer.lr, 0.5);
        assert_eq!(recipe.stages[0].length, 9);
        assert_eq!(recipe.name, "other run");
        let again = Recipe::from_toml(&recipe.to_toml().unwrap(), &[]).unwrap();
        assert_eq!(recipe, again);
    }

    #[test]
    fn unknown_keys_are_named() {
        for (text, key) in [
            (SMALL.replace("tune =", "tunes ="), "tunes"),
            (SMALL.replace("hidden_size", "hiden_size"), "hiden_size"),
            (SMALL.replace("source =", "sauce ="), "sauce"),
        ] {
            let error = Recipe::from_toml(&text, &[]).unwrap_err();
            assert!(error.is_usage());
            assert!(error.with_causes().contains(key), "{error}");
        }
        let error = Recipe::from_toml(SMALL, &["stages.align.optimizer.rate=1".into()]).unwrap_err();
        assert!(error.with_causes().contains("rate"), "{error}");
    }

    #[test]
    fn impossible_recipes_are_refused() {
        for set in [
            "stages.align.length=0",
            "threads=0",
            "stages.align.duration={steps=0}",
            "stages.align.batch.rows=0",
            "stages.align.duration={steps=1,epochs=1}",
            "tokenizer={path=\"x\",build=3}",
            "stages.align.optimizer.lr=-1",
        ] {
            let error = Recipe::from_toml(SMALL, &[set.to_owned()]).unwrap_err();
            assert!(error.is_usage(), "{set}: {error}");
        }
    }
}

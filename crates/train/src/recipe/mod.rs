//! Recipes: a whole training run as data.
//!
//! A recipe says what model to begin with, what tokenizer to use, and what stages to train it in. It is read from TOML;
//! a key that is not known is an error before anything is loaded. Paths are relative to the current folder.

mod overrides;
mod stage;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_vlm::VlmConfig;

pub use overrides::apply_overrides;
pub use stage::{
    Batching, Best, CheckpointPolicy, DataConfig, Duration, EvaluationConfig, LoraConfig, LossRules,
    OptimizerConfig, Precision, ScheduleConfig, ScheduleKind, StageConfig,
};

use crate::{Error, Result};

/// A training run: model, tokenizer, stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the run, for reports.
    pub name: String,
    /// Folder of everything the run writes.
    pub out: PathBuf,
    /// Seed of first weights and of the order of data.
    pub seed: u64,
    /// Threads of LibTorch. Fixed rather than taken from the machine, since sums in another order give other last digits:
    /// equal threads on the same processor give equal bytes. More than the free cores are many times slower than one,
    /// since LibTorch's threads wait for each other busily.
    pub threads: usize,
    /// Threads that read pictures and tokenise. They decide nothing but speed.
    pub loader_threads: usize,
    /// `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Refuse kernels whose results differ from run to run (only CUDA has such).
    pub deterministic: bool,
    /// What the device can do at best, in 10^12 operations a second, for the utilisation (MFU) that is shown. By default a
    /// large matrix product is timed when a stage begins.
    pub peak_tflops: Option<f64>,
    /// What to begin with.
    pub model: ModelConfig,
    /// What cuts text into tokens.
    pub tokenizer: TokenizerConfig,
    /// What is done after training.
    pub export: ExportConfig,
    /// Names of callbacks from the registry, with their options.
    pub callbacks: Vec<ComponentConfig>,
    /// Names of metric sinks from the registry. `jsonl` is always there.
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

/// What to begin with: a checkpoint of the whole, or checkpoints of parts, or sizes.
///
/// `config` alone gives random weights. With `vision` or `language` the sizes of these parts come from their
/// checkpoints, and only what no checkpoint holds (the projector) is random.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A LLaVA or VILA checkpoint: a folder or the name of a hub repository.
    pub checkpoint: Option<String>,
    /// A SigLIP checkpoint.
    pub vision: Option<String>,
    /// A Llama checkpoint.
    pub language: Option<String>,
    /// Sizes, where there is no checkpoint to take them from.
    pub config: Option<VlmConfig>,
    /// Name of a builder in the registry, for a lab's own architecture.
    pub builder: Option<String>,
    /// Options of that builder.
    pub options: toml::Table,
}

/// What cuts text into tokens: a file, or a small vocabulary built from the recipe's own data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenizerConfig {
    /// A `tokenizer.json`, or a folder or hub repository with one. By default that of the checkpoint.
    pub path: Option<String>,
    /// Builds a vocabulary of about this many pieces (characters and frequent strings, bytes for the rest) from the texts
    /// of all stages. For tiny models.
    pub build: Option<usize>,
}

/// What is written at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExportConfig {
    /// Chat template written beside the final model: a template's name or a file.
    pub chat_template: String,
    /// Number type of the final model's tensors. The models between stages keep the trainer's own precision.
    pub dtype: ExportType,
}

impl Default for ExportConfig {
    fn default() -> Self {
        Self { chat_template: "llmjp_v3".into(), dtype: ExportType::default() }
    }
}

/// Number type of an exported model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportType {
    /// As trained: float32, or bfloat16 where the weights are kept so.
    #[default]
    Same,
    /// Float32.
    F32,
    /// Bfloat16.
    Bf16,
}

/// A component by its registered name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComponentConfig {
    /// The name.
    pub name: String,
    /// What it is to know.
    pub options: toml::Table,
}

impl Recipe {
    /// Reads a recipe from a TOML file and applies `key=value` overrides (see [`apply_overrides`]).
    ///
    /// # Errors
    /// [`Error::Recipe`] if the file cannot be read, is no TOML, has an unknown key, or asks for something impossible.
    pub fn from_file(path: &Path, overrides: &[String]) -> Result<Self> {
        let in_file = |reason: String| Error::Recipe { path: Some(path.to_owned()), reason };
        let text = std::fs::read_to_string(path).map_err(|e| in_file(e.to_string()))?;
        Self::from_toml(&text, overrides).map_err(|error| match error {
            Error::Recipe { reason, .. } => in_file(reason),
            other => other,
        })
    }

    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// As [`Recipe::from_file`].
    pub fn from_toml(text: &str, overrides: &[String]) -> Result<Self> {
        // The text is read on its own first, since only then do messages point at lines.
        let _: Self = toml::from_str(text).map_err(|e| Error::recipe(e.to_string()))?;
        let mut table: toml::Table = toml::from_str(text).map_err(|e| Error::recipe(e.to_string()))?;
        apply_overrides(&mut table, overrides)?;
        let recipe: Self = table.try_into().map_err(|e: toml::de::Error| Error::recipe(e.to_string()))?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Writes the recipe with all its defaults filled in.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| Error::recipe(e.to_string()))
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming the key.
    pub fn validate(&self) -> Result<()> {
        let fail = |reason: String| Err(Error::recipe(reason));
        let m = &self.model;
        if m.checkpoint.is_some() && (m.vision.is_some() || m.language.is_some() || m.config.is_some()) {
            return fail(
                "model.checkpoint holds the whole model: leave out vision, language and config".into(),
            );
        }
        if m.checkpoint.is_none()
            && m.builder.is_none()
            && m.config.is_none()
            && (m.vision.is_none() || m.language.is_none())
        {
            return fail("model: give checkpoint, or vision and language, or config".into());
        }
        if self.tokenizer.path.is_some() && self.tokenizer.build.is_some() {
            return fail("tokenizer: give path or build, not both".into());
        }
        if self.stages.is_empty() {
            return fail("stages: there is none".into());
        }
        if self.threads == 0 || self.loader_threads == 0 {
            return fail("threads and loader_threads have to be at least 1".into());
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
            assert!(error.to_string().contains(key), "{error}");
        }
        let error = Recipe::from_toml(SMALL, &["stages.align.optimizer.rate=1".into()]).unwrap_err();
        assert!(error.to_string().contains("rate"), "{error}");
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

//! `train`: the stages of a recipe.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsumugi_train::Recipe;

use super::Lines;
use crate::command::ExplainedFile;
use crate::steps::train::{TrainConfig, dry_run, recipe, train};
use crate::{Context, Error, Group, Tool};

/// Trains a vision-language model in stages. A run that was stopped goes on where it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The recipe, a TOML file.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE.toml"))]
    pub recipe: PathBuf,
    /// Changes a value of the recipe, such as `stages.align.optimizer.lr=1e-3`.
    #[schemars(extend("x-value-name" = "KEY=VALUE"))]
    pub set: Vec<String>,
    /// Draws this many rows of each stage (the flag alone: 1000) and trains nothing.
    ///
    /// Prints lengths, images, dropped rows, padding and tokens a step, and writes them with histograms to `dry-run.html` in the
    /// run's folder. No weights are read and no GPU is used.
    #[schemars(extend("x-bare" = "1000", "x-value-name" = "N", "x-unit" = "rows of each stage"))]
    pub dry_run: Option<u64>,
}

/// The command `train`.
pub struct Train;

impl Tool for Train {
    const NAME: &'static str = "train";
    const GROUP: Group = Group::Training;
    const ABOUT: &'static str = "Trains a vision-language model by the stages of a recipe";
    type Settings = Settings;

    fn file(settings: Settings) -> Result<Option<ExplainedFile>, Error> {
        let recipe = match settings.recipe.as_os_str().is_empty() {
            true => Recipe::template(),
            false => recipe(&TrainConfig { recipe: settings.recipe, set: settings.set })?,
        };
        Ok(Some(ExplainedFile {
            about: "The recipe, a file of its own that `recipe` names. These are all its keys:",
            schema: schemars::schema_for!(Recipe),
            values: serde_json::to_value(recipe).map_err(Error::step("train", "recipe"))?,
        }))
    }

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let config = TrainConfig { recipe: settings.recipe, set: settings.set };
        if let Some(rows) = settings.dry_run {
            let (text, page) = dry_run(&config, rows)?;
            let mut out = Lines::new();
            out.text(&format!("{text}page: {}", page.display()))?;
            out.finish()?;
            return Ok(Value::Null);
        }
        let summary = train(&config, &context.progress)?;
        serde_json::to_value(summary).map_err(Error::step("train", "summary"))
    }
}

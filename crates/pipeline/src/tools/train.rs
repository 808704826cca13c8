//! `train`: the stages of a recipe.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::steps::train::{TrainConfig, train};
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
}

/// The command `train`.
pub struct Train;

impl Tool for Train {
    const NAME: &'static str = "train";
    const GROUP: Group = Group::Training;
    const ABOUT: &'static str = "Trains a vision-language model by the stages of a recipe";
    type Settings = Settings;

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let config = TrainConfig { recipe: settings.recipe, set: settings.set };
        let summary = train(&config, &context.progress)?;
        serde_json::to_value(summary).map_err(Error::step("train", "summary"))
    }
}

//! `ablate`: runs that differ, trained and evaluated.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ablation::{AblationConfig, run};
use crate::{Context, Error, Group, Tool};

/// Trains and evaluates runs that differ in their data or stages, and prints the paper's table 3 with intervals. A run that was
/// stopped goes on where it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The ablation, a TOML file: a recipe and the runs that change it.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE.toml"))]
    pub config: PathBuf,
    /// Output folder.
    #[schemars(extend("x-required" = true, "x-role" = "output", "x-value-name" = "DIR"))]
    pub out: PathBuf,
}

/// The command `ablate`.
pub struct Ablate;

impl Tool for Ablate {
    const NAME: &'static str = "ablate";
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Trains and evaluates runs that differ, and compares them with intervals";
    type Settings = Settings;

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let config = AblationConfig::from_file(&settings.config)?;
        let summary = run(&config, &settings.out, &context.progress)?;
        println!("{}", summary.markdown);
        serde_json::to_value(summary).map_err(Error::step("ablate", "summary"))
    }
}

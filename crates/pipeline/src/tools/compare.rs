//! `compare`: evaluation runs side by side.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsumugi_eval::Registry;
use tsumugi_eval::report::comparison_page;
use tsumugi_eval::results::{Results, compare};

use super::Lines;
use crate::{Context, Error, Group, Tool};

/// Prints the scores of evaluation runs and, for each run against the first, the differences with paired intervals; the last
/// line is the same as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folders that `evaluate` wrote, the one to compare with first.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR"))]
    pub runs: Vec<PathBuf>,
    /// Also write a page with plots here.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub out: Option<PathBuf>,
}

/// The command `compare`.
pub struct Compare;

impl Tool for Compare {
    const NAME: &'static str = "compare";
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Puts evaluation runs side by side, with paired intervals";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let mut runs = Vec::new();
    for folder in &settings.runs {
        let place = folder.display().to_string();
        let name =
            folder.file_name().map_or_else(|| place.clone(), |name| name.to_string_lossy().into_owned());
        runs.push((name, Results::read(folder).map_err(Error::step("compare", place))?));
    }
    let comparison = compare(&runs, &Registry::default()).map_err(Error::step("compare", "runs"))?;
    out.text(&comparison.markdown())?;
    if let Some(page) = &settings.out {
        comparison_page(&comparison)
            .write(page)
            .map_err(Error::step("compare", page.display().to_string()))?;
    }
    serde_json::to_value(&comparison).map_err(Error::step("compare", "JSON"))
}

//! `pipeline`: all steps in a row.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::full_run::{Api, FullRunConfig, Until, run};
use crate::{Context, Error, Group, Tool};

/// The recipe that trains on the embedded sample.
const TINY: &str = tsumugi_demo::RECIPE;

/// From a web archive to an evaluated model and one HTML report; without archives on the embedded sample site. A run that was
/// stopped goes on where it was.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Archives (WARC, ARC); without one the embedded sample site is used.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub warc: Vec<PathBuf>,
    /// Output folder; each step has a folder of its own in it.
    #[schemars(extend("x-role" = "output", "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// Where the steps run.
    pub engine: Engine,
    /// Pages of the embedded sample.
    pub pages: usize,
    /// Language of the documents that are kept, and of the embedded sample.
    pub language: String,
    /// Profile of the text filter; that of the language pack where absent.
    pub profile: Option<String>,
    /// OpenAI-compatible endpoint that writes the instruction data; without one a loopback stand-in answers. The key is read
    /// from OPENAI_API_KEY.
    #[schemars(extend("x-env" = "OPENAI_BASE_URL", "x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// Model at that endpoint.
    pub model: String,
    /// Endpoint of the judge; that of the instruction data where absent.
    #[schemars(extend("x-value-name" = "URL"))]
    pub judge_base_url: Option<String>,
    /// Model that judges.
    pub judge_model: String,
    /// Recipe of the trainer, a TOML file; a tiny model where absent.
    #[schemars(extend("x-value-name" = "FILE.toml"))]
    pub recipe: Option<PathBuf>,
    /// Changes a value of the recipe, such as `stages.align.optimizer.lr=1e-3`.
    #[schemars(extend("x-value-name" = "KEY=VALUE"))]
    pub set: Vec<String>,
    /// Benchmark (JSONL or Parquet); that of the embedded sample where absent.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub benchmark: Option<PathBuf>,
    /// Last step to run.
    pub until: Until,
}

/// Where the steps run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// In this process.
    #[default]
    Local,
}

impl Default for Settings {
    fn default() -> Self {
        let full = FullRunConfig::default();
        Settings {
            warc: Vec::new(),
            out: full.out,
            engine: Engine::Local,
            pages: full.pages,
            language: full.language,
            profile: full.profile,
            base_url: None,
            model: "gpt-4o-mini".into(),
            judge_base_url: None,
            judge_model: "gpt-4o-2024-05-13".into(),
            recipe: None,
            set: Vec::new(),
            benchmark: None,
            until: full.until,
        }
    }
}

/// The command `pipeline`.
pub struct Pipeline;

impl Tool for Pipeline {
    const NAME: &'static str = "pipeline";
    const GROUP: Group = Group::Tools;
    const ABOUT: &'static str = "Runs all steps in a row, and reports on them in one page";
    type Settings = Settings;

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let Engine::Local = settings.engine;
        let summary = run(&settings.into_config()?, context)?;
        context.progress.line(&format!("The report is in {}", summary.report.display()));
        serde_json::to_value(summary).map_err(Error::step("pipeline", "summary"))
    }
}

impl Settings {
    fn into_config(self) -> Result<FullRunConfig, Error> {
        let recipe = match &self.recipe {
            None => TINY.to_owned(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(Error::setting(path.display().to_string()))?
            }
        };
        let judge_url = self.judge_base_url.or_else(|| self.base_url.clone());
        Ok(FullRunConfig {
            warc: self.warc,
            out: self.out,
            pages: self.pages,
            language: self.language,
            profile: self.profile,
            api: self.base_url.map(|base_url| Api { base_url, model: self.model }),
            judge: judge_url.map(|base_url| Api { base_url, model: self.judge_model }),
            recipe,
            set: self.set,
            benchmark: self.benchmark,
            until: self.until,
            ..FullRunConfig::default()
        })
    }
}

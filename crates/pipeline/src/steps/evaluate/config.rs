//! What is evaluated, who answers, who judges.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tsumugi_eval::contamination::ContaminationConfig;
use tsumugi_eval::profile::{Generation, Profile};

/// What is evaluated, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateConfig {
    /// `heron-bench`, `ja-vlm-bench-in-the-wild`, `ja-vg-vqa-500`, or a JSONL or Parquet file.
    pub benchmark: String,
    /// Folder of the Parquet files of a named benchmark; fetched from the Hugging Face hub where absent.
    pub data: Option<PathBuf>,
    /// The reference whose rules are followed.
    pub profile: Profile,
    /// Names of the metrics to report, from the registry; those of the profile where absent.
    pub metrics: Option<Vec<String>>,
    /// Who answers.
    pub model: Model,
    /// Generation other than the profile's.
    pub generation: Option<Generation>,
    /// Who judges; nobody where absent.
    pub judge: Option<JudgeConfig>,
    /// Folder of the dictionary unidic-lite; found by itself where absent.
    pub dictionary: Option<PathBuf>,
    /// Folder that is written.
    pub out: PathBuf,
    /// A remark at the top of the report, such as that an endpoint is a stand-in.
    pub note: Option<String>,
    /// Folders of training tables in which the benchmark is looked for.
    pub training: Vec<PathBuf>,
    /// When something found there counts as shared.
    pub contamination: ContaminationConfig,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Model {
    /// A checkpoint: a folder, or a repository at the Hugging Face hub.
    Local {
        /// Folder or repository.
        model: String,
        /// Questions answered together. Answers do not depend on it.
        batch: usize,
    },
    /// An OpenAI-compatible endpoint.
    Api(Endpoint),
}

impl Default for Model {
    fn default() -> Self {
        Self::Api(Endpoint::default())
    }
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// Its address up to `/v1`; `OPENAI_BASE_URL` or OpenAI's own where absent. The key is taken from `OPENAI_API_KEY`.
    pub base_url: Option<String>,
    /// The model's name there.
    pub model: String,
    /// Requests in flight at once; the client's default where absent.
    pub concurrency: Option<usize>,
    /// Money after which it stops.
    pub budget_usd: Option<f64>,
}

/// Who judges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeConfig {
    /// Where; its `model` is the judge's name.
    pub endpoint: Endpoint,
    /// Language of the judge's prompt: the code of a language pack, or the folder of one; the profile's where absent.
    pub language: Option<String>,
    /// Runs over the same answers; the profile's number where absent.
    pub runs: Option<u32>,
    /// A file with another prompt: TOML (`system`, `user`, `rules`) or a reference's own Python file.
    pub template: Option<PathBuf>,
    /// A JSON file with the rule of each category, such as heron's `rule.json`.
    pub rules: Option<PathBuf>,
}

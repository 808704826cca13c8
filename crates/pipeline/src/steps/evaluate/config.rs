//! What is evaluated, who answers, who judges.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_eval::contamination::ContaminationConfig;
use tsumugi_eval::profile::{Generation, Profile};

/// Lets a model answer a benchmark, scores the answers, and writes tables, `results.json` and `report.html`. A run that was
/// stopped asks only what is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-flags" = {
    "judge-base-url": "judge.base_url",
    "judge-model": "judge.model",
    "judge-runs": "judge.runs",
    "judge-language": "judge.language",
    "judge-template": "judge.template",
    "judge-rules": "judge.rules",
}))]
pub struct EvaluateConfig {
    /// `heron-bench`, `ja-vlm-bench-in-the-wild`, `ja-vg-vqa-500`, or a JSONL or Parquet file.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "NAME|FILE"))]
    pub benchmark: String,
    /// Folder of the Parquet files of a named benchmark; without it they are taken from the Hugging Face hub or its cache
    /// (HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_TOKEN).
    #[schemars(extend("x-role" = "input", "x-value-name" = "DIR"))]
    pub data: Option<PathBuf>,
    /// Folder of a checkpoint, or `owner/name` or `owner/name@revision` at the Hugging Face hub; with a base URL the model's name
    /// at the endpoint.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR|NAME"))]
    pub model: String,
    /// An OpenAI-compatible endpoint that answers, up to `/v1`. The key is read from OPENAI_API_KEY.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// Who judges the answers; nobody where absent.
    #[schemars(extend("x-role" = "input"))]
    pub judge: Option<JudgeConfig>,
    /// The reference implementation whose rules are followed.
    pub profile: Profile,
    /// Metrics to report; those of the profile where there are none.
    #[schemars(extend("x-role" = "operation", "x-flag" = "metric"))]
    pub metrics: Vec<String>,
    /// How answers are generated; as the profile says where absent.
    #[schemars(extend("x-role" = "input"))]
    pub generation: Option<Generation>,
    /// Questions that a local checkpoint answers together. Answers do not depend on it.
    #[schemars(extend("x-role" = "operation"))]
    pub batch: usize,
    /// Requests in flight at once; the client's default where absent.
    #[schemars(extend("x-role" = "operation"))]
    pub concurrency: Option<usize>,
    /// US dollars after which the client of each endpoint stops.
    #[schemars(extend("x-role" = "operation"))]
    pub budget_usd: Option<f64>,
    /// Folder of the dictionary unidic-lite; found by itself where absent.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "DIR"))]
    pub dictionary: Option<PathBuf>,
    /// Folders of training tables (pairs, interleaved, conversations) in which the benchmark is looked for.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "DIR"))]
    pub training: Vec<PathBuf>,
    /// When something that is found there counts as shared.
    #[schemars(extend("x-role" = "operation"))]
    pub contamination: ContaminationConfig,
    /// A remark at the top of the report, such as that an endpoint is a stand-in.
    #[schemars(extend("x-role" = "operation"))]
    pub note: Option<String>,
    /// Output folder.
    #[schemars(extend("x-required" = true, "x-role" = "output", "x-value-name" = "DIR"))]
    pub out: PathBuf,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        EvaluateConfig {
            benchmark: String::new(),
            data: None,
            model: String::new(),
            base_url: None,
            judge: None,
            profile: Profile::default(),
            metrics: Vec::new(),
            generation: None,
            batch: 4,
            concurrency: None,
            budget_usd: None,
            dictionary: None,
            training: Vec::new(),
            contamination: ContaminationConfig::default(),
            note: None,
            out: PathBuf::new(),
        }
    }
}

/// Who judges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeConfig {
    /// The endpoint of the judge; that of the model, or OPENAI_BASE_URL, where absent.
    #[schemars(extend("x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// Name of the judge; without it nobody judges.
    #[schemars(extend("x-value-name" = "NAME"))]
    pub model: String,
    /// Judge runs over the same answers; the profile's number where absent.
    pub runs: Option<u32>,
    /// Language of the judge's prompt: the code of a language pack, or the folder of one; the profile's where absent.
    #[schemars(extend("x-value-name" = "CODE|DIR"))]
    pub language: Option<String>,
    /// The judge's prompt: TOML (`system`, `user` with `{context}` `{question}` `{reference}` `{answer}` `{rule}`), or a
    /// reference's own Python file (heron_bench_scorer.py, llm_as_a_judge_scorer.py, eval_heron_bench.py).
    #[schemars(extend("x-value-name" = "FILE"))]
    pub template: Option<PathBuf>,
    /// The judge's rules by category: JSON, such as heron's rule.json.
    #[schemars(extend("x-value-name" = "FILE.json"))]
    pub rules: Option<PathBuf>,
    /// Requests in flight at once; as for the model where absent.
    pub concurrency: Option<usize>,
    /// US dollars after which it stops; as for the model where absent.
    pub budget_usd: Option<f64>,
}

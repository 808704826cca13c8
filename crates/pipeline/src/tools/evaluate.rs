//! `evaluate`: a model on a benchmark.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::steps::evaluate::{Endpoint, EvaluateConfig, JudgeConfig, Model, evaluate};
use crate::{Context, Error, Group, Tool};

/// Lets a model answer a benchmark, scores the answers, and writes tables, `results.json` and `report.html`. A run that was
/// stopped asks only what is missing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `heron-bench`, `ja-vlm-bench-in-the-wild`, `ja-vg-vqa-500`, or a JSONL or Parquet file.
    #[schemars(extend("x-required" = true, "x-value-name" = "NAME|FILE"))]
    pub benchmark: String,
    /// Folder of the Parquet files of a named benchmark; without it they are fetched from the Hugging Face hub (HF_ENDPOINT,
    /// HF_HOME, HF_TOKEN).
    #[schemars(extend("x-value-name" = "DIR"))]
    pub data: Option<PathBuf>,
    /// Folder of a checkpoint, or a repository at the Hugging Face hub; with a base URL the model's name at the endpoint.
    #[schemars(extend("x-required" = true, "x-value-name" = "DIR|NAME"))]
    pub model: String,
    /// An OpenAI-compatible endpoint that answers, up to `/v1`. The key is read from OPENAI_API_KEY.
    #[schemars(extend("x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// The endpoint of the judge; that of the model, or OPENAI_BASE_URL, where absent.
    #[schemars(extend("x-value-name" = "URL"))]
    pub judge_base_url: Option<String>,
    /// Name of the judge; without it nobody judges.
    #[schemars(extend("x-value-name" = "NAME"))]
    pub judge_model: Option<String>,
    /// Judge runs over the same answers; the profile's number where absent.
    pub judge_runs: Option<u32>,
    /// Language of the judge's prompt: the code of a language pack, or the folder of one; the profile's where absent.
    #[schemars(extend("x-value-name" = "CODE|DIR"))]
    pub judge_language: Option<String>,
    /// The judge's prompt: TOML (`system`, `user` with `{context}` `{question}` `{reference}` `{answer}` `{rule}`), or a
    /// reference's own Python file (heron_bench_scorer.py, llm_as_a_judge_scorer.py, eval_heron_bench.py).
    #[schemars(extend("x-value-name" = "FILE"))]
    pub judge_template: Option<PathBuf>,
    /// The judge's rules by category: JSON, such as heron's rule.json.
    #[schemars(extend("x-value-name" = "FILE.json"))]
    pub judge_rules: Option<PathBuf>,
    /// The reference implementation whose rules are followed: paper, eval-mm, sakana or heron.
    pub profile: String,
    /// Metrics to report; those of the profile where there are none.
    pub metric: Vec<String>,
    /// Questions that a local checkpoint answers together. Answers do not depend on it.
    pub batch: usize,
    /// Requests in flight at once; the client's default where absent.
    pub concurrency: Option<usize>,
    /// US dollars after which the client of each endpoint stops.
    pub budget_usd: Option<f64>,
    /// Folder of the dictionary unidic-lite; found by itself where absent.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub dictionary: Option<PathBuf>,
    /// Folders of training tables (pairs, interleaved, conversations) in which the benchmark is looked for.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub training: Vec<PathBuf>,
    /// A remark at the top of the report.
    pub note: Option<String>,
    /// Output folder.
    #[schemars(extend("x-required" = true, "x-role" = "output", "x-value-name" = "DIR"))]
    pub out: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            benchmark: String::new(),
            data: None,
            model: String::new(),
            base_url: None,
            judge_base_url: None,
            judge_model: None,
            judge_runs: None,
            judge_language: None,
            judge_template: None,
            judge_rules: None,
            profile: "paper".into(),
            metric: Vec::new(),
            batch: 4,
            concurrency: None,
            budget_usd: None,
            dictionary: None,
            training: Vec::new(),
            note: None,
            out: PathBuf::new(),
        }
    }
}

impl Settings {
    fn into_config(self) -> Result<EvaluateConfig, Error> {
        let (concurrency, budget_usd) = (self.concurrency, self.budget_usd);
        let endpoint = |base_url, model| Endpoint { base_url, model, concurrency, budget_usd };
        let judge = self.judge_model.map(|model| JudgeConfig {
            endpoint: endpoint(self.judge_base_url.or_else(|| self.base_url.clone()), model),
            language: self.judge_language,
            runs: self.judge_runs,
            template: self.judge_template,
            rules: self.judge_rules,
        });
        let model = match self.base_url {
            Some(url) => Model::Api(endpoint(Some(url), self.model)),
            None => Model::Local { model: self.model, batch: self.batch },
        };
        Ok(EvaluateConfig {
            benchmark: self.benchmark,
            data: self.data,
            profile: super::profile(&self.profile)?,
            metrics: (!self.metric.is_empty()).then_some(self.metric),
            model,
            judge,
            dictionary: self.dictionary,
            out: self.out,
            note: self.note,
            training: self.training,
            ..EvaluateConfig::default()
        })
    }
}

/// The command `evaluate`.
pub struct Evaluate;

impl Tool for Evaluate {
    const NAME: &'static str = "evaluate";
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Evaluates a model on a benchmark: answers, scores, a judge's points";
    type Settings = Settings;

    fn run(settings: Settings, context: &Context) -> Result<Value, Error> {
        let summary = evaluate(&settings.into_config()?, &context.progress)?;
        serde_json::to_value(summary).map_err(Error::step("evaluate", "summary"))
    }
}

//! What is asked, of whom, and how replies are checked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_chat::{Azure, Client, ClientConfig, Prices, of_model};
use tsumugi_synth::{CheckConfig, SynthConfig, Synthesizer, Task, TileRule, TileRules, benchmark_questions};

use super::wrong;
use crate::Error;

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-flags" = {
    "azure-deployment": "azure.deployment",
    "azure-api-version": "azure.api_version",
    "image-needed": "checks.image_needed?0.5",
}))]
pub struct SynthesizeConfig {
    /// Folder with the table of pairs (their texts are the captions) or of images; beside annotation files, the folder of
    /// the image files that they name.
    #[schemars(extend("x-role" = "input", "x-value-name" = "DIR"))]
    pub images: Option<PathBuf>,
    /// COCO's caption annotations (JSON).
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE.json"))]
    pub captions: Option<PathBuf>,
    /// COCO's box annotations (JSON).
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE.json"))]
    pub boxes: Option<PathBuf>,
    /// English instructions in LLaVA's form (JSON or JSON lines), for task `translate`.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub instructions: Option<PathBuf>,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// The tasks.
    #[schemars(extend("x-flag" = "task"))]
    pub tasks: Vec<Task>,
    /// The endpoint up to `/v1`; `OPENAI_BASE_URL` or OpenAI's own where absent. The key is taken from `OPENAI_API_KEY`.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// Set for a deployment of Azure OpenAI: the base URL is then the resource (or that of `AZURE_OPENAI_ENDPOINT`), and the key
    /// is taken from `AZURE_OPENAI_API_KEY`.
    #[schemars(extend("x-role" = "operation"))]
    pub azure: Option<Azure>,
    /// Language of the conversations: the code of a language pack, or the folder of one. Default: `ja`, the language of the
    /// paper.
    #[schemars(extend("x-role" = "input"))]
    pub language: String,
    /// The model's name there.
    #[schemars(extend("x-required" = true, "x-value-name" = "NAME"))]
    pub model: String,
    /// The model of the second call that `checks.image_needed` asks for; the same where absent.
    pub check_model: Option<String>,
    /// Seed of the sampling; absent for endpoints that take none.
    pub seed: Option<i64>,
    /// Requests in flight at once; the client's default where absent.
    #[schemars(extend("x-role" = "operation"))]
    pub concurrency: Option<usize>,
    /// Requests a minute; learned from the server's headers where absent.
    #[schemars(extend("x-role" = "operation"))]
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute; learned as above.
    #[schemars(extend("x-role" = "operation"))]
    pub tokens_per_minute: Option<u32>,
    /// Attempts after the first of each request; the client's default where absent.
    #[schemars(extend("x-role" = "operation"))]
    pub max_retries: Option<u32>,
    /// A price table (TOML) in place of the built-in one.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "FILE.toml"))]
    pub prices: Option<PathBuf>,
    /// Money after which it stops.
    #[schemars(extend("x-role" = "operation"))]
    pub budget_usd: Option<f64>,
    /// Send through the Batch API, at its lower price; what a batch leaves unanswered is sent singly.
    #[schemars(extend("x-role" = "operation"))]
    pub batch: bool,
    /// Leave out what stayed unanswered after all attempts. Without it such items fail the step when all else is done, and the
    /// next run asks them again.
    #[schemars(extend("x-role" = "operation"))]
    pub give_up: bool,
    /// Go on where the first 20 replies to a task were all dropped. Without it the step then stops, before more is paid for.
    #[schemars(extend("x-role" = "operation"))]
    pub keep_going: bool,
    /// Folder of prompt files that replace ours.
    #[schemars(extend("x-role" = "input", "x-value-name" = "DIR"))]
    pub prompts: Option<PathBuf>,
    /// Files of benchmark questions that must not be in the data: one a line, or JSON with `question` or `text`.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub keep_out: Vec<PathBuf>,
    /// Folder of cached replies; `cache/` in the output folder where absent.
    #[schemars(extend("x-role" = "operation", "x-value-name" = "DIR"))]
    pub cache: Option<PathBuf>,
    /// Thresholds of the checks.
    pub checks: CheckConfig,
    /// A table (TOML) of how models cut images into tiles, by which they are resized, in place of the built-in one.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE.toml"))]
    pub tiles: Option<PathBuf>,
}

impl Default for SynthesizeConfig {
    fn default() -> Self {
        Self {
            images: None,
            captions: None,
            boxes: None,
            instructions: None,
            out: PathBuf::new(),
            tasks: vec![Task::Conversation],
            base_url: None,
            azure: None,
            language: "ja".into(),
            model: String::new(),
            check_model: None,
            seed: Some(0),
            concurrency: None,
            requests_per_minute: None,
            tokens_per_minute: None,
            max_retries: None,
            prices: None,
            budget_usd: None,
            batch: false,
            give_up: false,
            keep_going: false,
            prompts: None,
            keep_out: Vec::new(),
            cache: None,
            checks: CheckConfig::default(),
            tiles: None,
        }
    }
}

impl SynthesizeConfig {
    /// The client, the prompts and the checks.
    pub(super) fn synthesizer(&self, rules: &TileRules) -> Result<Synthesizer, Error> {
        let client = self.client(rules).map_err(wrong)?;
        let mut questions = Vec::new();
        for path in &self.keep_out {
            questions.extend(benchmark_questions(path).map_err(wrong)?);
        }
        let synth = SynthConfig {
            language: self.language.clone(),
            model: self.model.clone(),
            check_model: self.check_model.clone(),
            seed: self.seed,
            checks: self.checks.clone(),
            tiles: rules.find(&self.model),
            keep_going: self.keep_going,
        };
        Synthesizer::new(client, synth, &self.tasks, self.prompts.as_deref(), &questions).map_err(wrong)
    }

    fn client(&self, rules: &TileRules) -> Result<Client, tsumugi_chat::Error> {
        let base_url = self.base_url.as_deref();
        let mut client = match &self.azure {
            Some(azure) => ClientConfig::azure_from_env(base_url, azure.clone())?,
            None => ClientConfig::from_env(base_url)?,
        };
        client.cache = Some(self.cache.clone().unwrap_or_else(|| self.out.join("cache")));
        client.budget_usd = self.budget_usd;
        client.requests_per_minute = self.requests_per_minute;
        client.tokens_per_minute = self.tokens_per_minute;
        client.image_tokens = of_model(&rules.models, &self.model).map(TileRule::most_tokens);
        if let Some(concurrency) = self.concurrency {
            client.concurrency = concurrency;
        }
        if let Some(retries) = self.max_retries {
            client.max_retries = retries;
        }
        if let Some(prices) = &self.prices {
            client.prices = Prices::load(prices)?;
        }
        Client::new(client)
    }
}

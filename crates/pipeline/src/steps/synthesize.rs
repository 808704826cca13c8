//! Step `synthesize`: instruction data through an OpenAI-compatible API.
//!
//! The first phase asks for conversations, shard by shard, and checks each reply; the second drops near-duplicates across
//! all shards. It writes the tables `conversations` and `excluded/`, `ledger.json` (tokens and money in all) with
//! `ledger/calls-*.jsonl` (tokens, money and time of each reply), and `report.json` with `report.html` (kinds, lengths,
//! openings, variety, rejections, cost). Replies are kept in `cache/`, so that a run repeated or resumed sends only what is
//! missing.

mod inputs;
mod ledger;
mod reduce;
mod tracker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tsumugi_chat::{Azure, BatchConfig, Client, ClientConfig, Ledger, Prices, of_model};
use tsumugi_record::{Conversation, Excluded, read_json, write_json};
use tsumugi_synth::{
    CheckConfig, Item, Outcome, SynthConfig, Synthesizer, Task, TileRule, TileRules, Verdict,
    benchmark_questions,
};

use self::inputs::Inputs;
use self::tracker::Tracker;
use crate::runner::{Opened, OutputFolder, Outputs, Stage, Summary};
use crate::{Error, Progress};

/// Name of the step.
const STEP: &str = "synthesize";
/// Folder of the conversations that passed the checks, near-duplicates included.
const ASKED: &str = "_asked";
/// Folder of where those came from.
const SOURCES: &str = "_sources";
/// Folder of what was dropped while asking.
const DROPPED: &str = "_dropped";

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
    #[schemars(extend("x-value-name" = "DIR"))]
    pub images: Option<PathBuf>,
    /// COCO's caption annotations (JSON).
    #[schemars(extend("x-value-name" = "FILE.json"))]
    pub captions: Option<PathBuf>,
    /// COCO's box annotations (JSON).
    #[schemars(extend("x-value-name" = "FILE.json"))]
    pub boxes: Option<PathBuf>,
    /// English instructions in LLaVA's form (JSON or JSON lines), for task `translate`.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub instructions: Option<PathBuf>,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// The tasks.
    #[schemars(extend("x-flag" = "task"))]
    pub tasks: Vec<Task>,
    /// The endpoint up to `/v1`; `OPENAI_BASE_URL` or OpenAI's own where absent. The key is taken from `OPENAI_API_KEY`.
    #[schemars(extend("x-value-name" = "URL"))]
    pub base_url: Option<String>,
    /// Set for a deployment of Azure OpenAI: the base URL is then the resource (or that of `AZURE_OPENAI_ENDPOINT`), and the key
    /// is taken from `AZURE_OPENAI_API_KEY`.
    pub azure: Option<Azure>,
    /// Language of the conversations: the code of a language pack, or the folder of one. Default: `ja`, the language of the
    /// paper.
    pub language: String,
    /// The model's name there.
    #[schemars(extend("x-required" = true, "x-value-name" = "NAME"))]
    pub model: String,
    /// The model of the second call that `checks.image_needed` asks for; the same where absent.
    pub check_model: Option<String>,
    /// Seed of the sampling; absent for endpoints that take none.
    pub seed: Option<i64>,
    /// Requests in flight at once; the client's default where absent.
    pub concurrency: Option<usize>,
    /// Requests a minute; learned from the server's headers where absent.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute; learned as above.
    pub tokens_per_minute: Option<u32>,
    /// Attempts after the first of each request; the client's default where absent.
    pub max_retries: Option<u32>,
    /// A price table (TOML) in place of the built-in one.
    #[schemars(extend("x-value-name" = "FILE.toml"))]
    pub prices: Option<PathBuf>,
    /// Money after which it stops.
    pub budget_usd: Option<f64>,
    /// Send through the Batch API, at its lower price; what a batch leaves unanswered is sent singly.
    pub batch: bool,
    /// Leave out what stayed unanswered after all attempts. Without it such items fail the step when all else is done, and the
    /// next run asks them again.
    pub give_up: bool,
    /// Folder of prompt files that replace ours.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub prompts: Option<PathBuf>,
    /// Files of benchmark questions that must not be in the data: one a line, or JSON with `question` or `text`.
    #[schemars(extend("x-value-name" = "FILE"))]
    pub keep_out: Vec<PathBuf>,
    /// Folder of cached replies; `cache/` in the output folder where absent.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub cache: Option<PathBuf>,
    /// Thresholds of the checks.
    pub checks: CheckConfig,
    /// A table (TOML) of how models cut images into tiles, by which they are resized, in place of the built-in one.
    #[schemars(extend("x-value-name" = "FILE.toml"))]
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
            prompts: None,
            keep_out: Vec::new(),
            cache: None,
            checks: CheckConfig::default(),
            tiles: None,
        }
    }
}

/// What a synthesis did.
#[derive(Debug, Clone, Serialize)]
pub struct SynthesizeSummary {
    /// Counts of the step.
    #[serde(flatten)]
    pub summary: Summary,
    /// Tokens and money.
    pub ledger: Ledger,
}

/// Runs the step.
///
/// # Errors
/// Where flags contradict each other, inputs cannot be read, the endpoint cannot go on (nobody answers, the key is refused,
/// the quota or the budget is used up), or files cannot be written.
pub fn synthesize(config: &SynthesizeConfig, progress: &Progress) -> Result<SynthesizeSummary, Error> {
    let inputs = Inputs::find(config)?;
    if let Some(left_out) = &inputs.left_out {
        progress.line(&format!("{STEP}: {left_out}"));
    }
    let rules = match &config.tiles {
        Some(path) => TileRules::load(path).map_err(wrong)?,
        None => TileRules::builtin(),
    };
    let synthesizer = Arc::new(synthesizer(config, &rules)?);
    let ledger_file = config.out.join("ledger.json");
    let identity = identity(config, &synthesizer, &rules.find(&config.model));
    let step = match OutputFolder::open(STEP, &config.out, &identity, inputs.identity.clone())? {
        Opened::Finished(summary) => {
            let ledger = read_json(&ledger_file)?.unwrap_or_default();
            return with_something_kept(SynthesizeSummary { summary, ledger });
        }
        Opened::Work(step) => step,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::step(STEP, "threads of the client"))?;
    let sent = if config.batch { send_batches(&inputs, &synthesizer, &runtime, progress) } else { Ok(()) };
    let asked = sent.and_then(|()| ask(&step, &inputs, &synthesizer, config, &runtime, progress));
    // Whatever happened, the account of what was spent stands.
    let ledger = synthesizer.client().ledger();
    write_json(&ledger_file, &ledger)?;
    asked?;
    let report = reduce::reduce(&step, inputs.shards.len(), &config.checks, synthesizer.pack(), progress)?;
    let page = step.out().join("report.html");
    report.page(&ledger).write(&page).map_err(Error::step(STEP, page.display().to_string()))?;
    with_something_kept(SynthesizeSummary { summary: step.finish()?, ledger })
}

/// A run all of whose replies were dropped has done its work, but gave nothing to learn from: that is no success.
fn with_something_kept(done: SynthesizeSummary) -> Result<SynthesizeSummary, Error> {
    let rows = |table: &str| done.summary.rows.get(table).copied().unwrap_or(0);
    let dropped = rows("excluded");
    if rows("conversations") > 0 || dropped == 0 {
        return Ok(done);
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in done.summary.funnel.stages.iter().flat_map(|stage| &stage.dropped) {
        *reasons.entry(reason).or_default() += count;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let message = format!(
        "none of {dropped} requests gave a conversation ({}). The replies are in excluded/ and report.html; look at the model, the prompts and the checks",
        reasons.join(", ")
    );
    Err(Error::step(STEP, "the end")(message))
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::setting(STEP)(error)
}

fn client(config: &SynthesizeConfig, rules: &TileRules) -> Result<Client, tsumugi_chat::Error> {
    let base_url = config.base_url.as_deref();
    let mut client = match &config.azure {
        Some(azure) => ClientConfig::azure_from_env(base_url, azure.clone())?,
        None => ClientConfig::from_env(base_url)?,
    };
    client.cache = Some(config.cache.clone().unwrap_or_else(|| config.out.join("cache")));
    client.budget_usd = config.budget_usd;
    client.requests_per_minute = config.requests_per_minute;
    client.tokens_per_minute = config.tokens_per_minute;
    client.image_tokens = of_model(&rules.models, &config.model).map(TileRule::most_tokens);
    if let Some(concurrency) = config.concurrency {
        client.concurrency = concurrency;
    }
    if let Some(retries) = config.max_retries {
        client.max_retries = retries;
    }
    if let Some(prices) = &config.prices {
        client.prices = Prices::load(prices)?;
    }
    Client::new(client)
}

fn synthesizer(config: &SynthesizeConfig, rules: &TileRules) -> Result<Synthesizer, Error> {
    let client = client(config, rules).map_err(wrong)?;
    let mut questions = Vec::new();
    for path in &config.keep_out {
        questions.extend(benchmark_questions(path).map_err(wrong)?);
    }
    let synth = SynthConfig {
        language: config.language.clone(),
        model: config.model.clone(),
        check_model: config.check_model.clone(),
        seed: config.seed,
        checks: config.checks.clone(),
        tiles: rules.find(&config.model),
    };
    Synthesizer::new(client, synth, &config.tasks, config.prompts.as_deref(), &questions).map_err(wrong)
}

/// All that decides the result: prompts by content; neither endpoint, limits nor folders.
fn identity(config: &SynthesizeConfig, synthesizer: &Synthesizer, tiles: &TileRule) -> serde_json::Value {
    serde_json::json!({
        "language": format!("{} {:032x}", synthesizer.pack().code(), synthesizer.pack().hash()),
        "model": config.model,
        "check_model": config.check_model,
        "seed": config.seed,
        "prompts": synthesizer.prompts(),
        "second_look": synthesizer.second_look(),
        "checks": config.checks,
        "tiles": tiles,
    })
}

/// Sends everything that the cache lacks through batches, and waits for them.
fn send_batches(
    inputs: &Inputs,
    synthesizer: &Arc<Synthesizer>,
    runtime: &Runtime,
    progress: &Progress,
) -> Result<(), Error> {
    let fail = |error: tsumugi_chat::Error| Error::step(STEP, "batches")(error);
    // The second calls are made of the replies to the first.
    let rounds = if synthesizer.second_look().is_some() { 2 } else { 1 };
    for _ in 0..rounds {
        let mut batches = synthesizer.client().batches(BatchConfig::default()).map_err(fail)?;
        for shard in &inputs.shards {
            inputs.read(shard, |items| {
                runtime
                    .block_on(synthesizer.enqueue(items, &mut batches))
                    .map_err(Error::step(STEP, "batches"))
            })?;
        }
        let bar = progress.bar("synthesize batches", None, "batches");
        runtime.block_on(batches.finish(|ended, _| bar.set_position(ended as u64))).map_err(fail)?;
        bar.finish();
    }
    Ok(())
}

/// The first phase.
fn ask(
    step: &OutputFolder,
    inputs: &Inputs,
    synthesizer: &Arc<Synthesizer>,
    config: &SynthesizeConfig,
    runtime: &Runtime,
    progress: &Progress,
) -> Result<(), Error> {
    let unanswered: Mutex<Vec<(usize, String)>> = Mutex::default();
    let tracker = Tracker::new(inputs.requests(&config.tasks)?, synthesizer.client(), progress);
    step.phase("ask", &inputs.shards, progress, |number, shard, outputs| {
        outputs.begin::<Conversation>(ASKED)?;
        outputs.begin::<Excluded>(DROPPED)?;
        outputs.begin::<Excluded>(SOURCES)?;
        let place = format!("shard {number}");
        let (mut missing, mut calls) = (Vec::new(), Vec::new());
        let mut batch = |items: Vec<Item>, outputs: &mut Outputs| -> Result<(), Error> {
            let work = synthesizer.run(items, |outcome| tracker.note(outcome));
            for mut outcome in runtime.block_on(work).map_err(Error::step(STEP, place.clone()))? {
                missing.extend(passing(&outcome));
                calls.append(&mut outcome.calls);
                write(outcome, outputs)?;
            }
            Ok(())
        };
        inputs.read(shard, |items| batch(items, outputs))?;
        if let (Some(last), false) = (missing.pop(), config.give_up) {
            // The replies are in the cache: the next run makes this shard of them, and asks what is missing.
            lock(&unanswered).push((missing.len() + 1, last));
            outputs.leave_unfinished();
            return Ok(());
        }
        ledger::write(step.out(), number, &calls)
    })?;
    tracker.finish();
    let unanswered = lock(&unanswered);
    let Some((_, last)) = unanswered.last() else { return Ok(()) };
    let (count, shards): (usize, usize) = (unanswered.iter().map(|(count, _)| count).sum(), unanswered.len());
    let message = format!(
        "{count} requests in {shards} of {} shards stayed unanswered ({last}); all others are done. Run again to ask these alone, or with `give_up` to leave them out",
        inputs.shards.len()
    );
    Err(Error::step(STEP, "the end")(message))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a request stayed unanswered that might be answered at another time.
fn passing(outcome: &Outcome) -> Option<String> {
    match &outcome.verdict {
        Verdict::Rejected(row) if matches!(row.reason.as_str(), "gave_up" | "deadline") => row.value.clone(),
        _ => None,
    }
}

fn write(outcome: Outcome, outputs: &mut Outputs) -> Result<(), Error> {
    let stage = Stage { name: outcome.task.name(), unit: "requests" };
    match outcome.verdict {
        Verdict::Kept(mut conversation) => {
            conversation.images = outcome.item.image.iter().cloned().collect();
            let provenance = outcome.item.provenance.clone();
            let source = Excluded { id: conversation.id.clone(), provenance, ..Excluded::default() };
            outputs.write(SOURCES, source)?;
            outputs.keep(stage, ASKED, conversation)
        }
        Verdict::Rejected(excluded) => outputs.exclude(stage, excluded),
    }
}

//! Step `synthesize`: instruction data through an OpenAI-compatible API.
//!
//! The first phase asks for conversations, shard by shard, and checks each reply; the second drops near-duplicates across
//! all shards. It writes the tables `conversations` and `excluded/`, `ledger.json` (tokens and money) and `report.json` with
//! `report.html` (lengths, openings, variety, rejections). Replies are kept in `cache/`, so that a run repeated or resumed sends only
//! what is missing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tsumugi_chat::{BatchConfig, Client, ClientConfig, Ledger, Prices};
use tsumugi_record::{
    Conversation, Excluded, ImageRow, Pair, Record, ShardReader, ShardWriter, read_json, shard_name,
    write_json,
};
use tsumugi_synth::{
    CheckConfig, Item, NearDuplicates, Outcome, Report, Reporter, SynthConfig, Synthesizer, Task, TileRule,
    sources,
};

use crate::runner::{Opened, Outputs, Step, Summary, file_identity, input_table};
use crate::{Error, Progress};

/// Name of the step.
const STEP: &str = "synthesize";
/// Folder of the conversations that passed the checks, near-duplicates included.
const ASKED: &str = "_asked";
/// Folder of what was dropped while asking.
const DROPPED: &str = "_dropped";
/// Items of annotation files that are one shard.
const CHUNK: usize = 512;

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthesizeConfig {
    /// Folder with the table of pairs (their texts are the captions) or of images; beside annotation files, the folder of
    /// the picture files that they name.
    pub images: Option<PathBuf>,
    /// COCO's caption annotations (JSON).
    pub captions: Option<PathBuf>,
    /// COCO's box annotations (JSON).
    pub boxes: Option<PathBuf>,
    /// English instructions in LLaVA's form (JSON or JSON lines), for task `translate`.
    pub instructions: Option<PathBuf>,
    /// Output folder.
    pub out: PathBuf,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The endpoint up to `/v1`; `OPENAI_BASE_URL` or OpenAI's own where absent. The key is taken from `OPENAI_API_KEY`.
    pub base_url: Option<String>,
    /// The model's name there.
    pub model: String,
    /// Requests in flight at once; the client's default where absent.
    pub concurrency: Option<usize>,
    /// A price table (TOML) in place of the built-in one.
    pub prices: Option<PathBuf>,
    /// Money after which it stops.
    pub budget_usd: Option<f64>,
    /// Send through the Batch API, at its lower price; what a batch leaves unanswered is sent singly.
    pub batch: bool,
    /// Leave out what stayed unanswered after all attempts. Without it such items fail the step at the end of their shard, and
    /// the next run asks them again.
    pub give_up: bool,
    /// Folder of prompt files that replace ours.
    pub prompts: Option<PathBuf>,
    /// Files of benchmark questions, one a line, that must not be in the data.
    pub keep_out: Vec<PathBuf>,
    /// Folder of cached replies; `cache/` in the output folder where absent.
    pub cache: Option<PathBuf>,
    /// Thresholds of the checks.
    pub checks: CheckConfig,
    /// How pictures are resized before they are sent.
    pub tiles: TileRule,
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
            model: String::new(),
            concurrency: None,
            prices: None,
            budget_usd: None,
            batch: false,
            give_up: false,
            prompts: None,
            keep_out: Vec::new(),
            cache: None,
            checks: CheckConfig::default(),
            tiles: TileRule::default(),
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
    let synthesizer = Arc::new(synthesizer(config)?);
    let ledger_file = config.out.join("ledger.json");
    let step = match Step::open(STEP, &config.out, &identity(config, &synthesizer), inputs.identity.clone())?
    {
        Opened::Finished(summary) => {
            let ledger = read_json(&ledger_file)?.unwrap_or_default();
            return Ok(SynthesizeSummary { summary, ledger });
        }
        Opened::Work(step) => step,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::step(STEP, "threads of the client"))?;
    let sent = if config.batch { send_batches(&inputs, &synthesizer, &runtime, progress) } else { Ok(()) };
    let asked = sent.and_then(|()| ask(&step, &inputs, &synthesizer, config.give_up, &runtime, progress));
    // Whatever happened, the account of what was spent stands.
    let ledger = synthesizer.client().ledger();
    write_json(&ledger_file, &ledger)?;
    asked?;
    let report = reduce(&step, inputs.shards.len(), &config.checks, progress)?;
    let page = step.out().join("report.html");
    std::fs::write(&page, report.html(&ledger)).map_err(Error::io("write", &page))?;
    Ok(SynthesizeSummary { summary: step.finish()?, ledger })
}

fn synthesizer(config: &SynthesizeConfig) -> Result<Synthesizer, Error> {
    let wrong = |error: tsumugi_chat::Error| Error::config(STEP, error.to_string());
    let mut client = ClientConfig::from_env(config.base_url.as_deref()).map_err(wrong)?;
    client.cache = Some(config.cache.clone().unwrap_or_else(|| config.out.join("cache")));
    client.budget_usd = config.budget_usd;
    if let Some(concurrency) = config.concurrency {
        client.concurrency = concurrency;
    }
    if let Some(prices) = &config.prices {
        client.prices = Prices::load(prices).map_err(wrong)?;
    }
    let client = Client::new(client).map_err(wrong)?;
    let mut questions = Vec::new();
    for path in &config.keep_out {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        questions.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    let synth =
        SynthConfig { model: config.model.clone(), checks: config.checks.clone(), tiles: config.tiles };
    Synthesizer::new(client, synth, &config.tasks, config.prompts.as_deref(), &questions)
        .map_err(|error| Error::config(STEP, error.to_string()))
}

/// All that decides the result: prompts by content; neither endpoint, limits nor folders.
fn identity(config: &SynthesizeConfig, synthesizer: &Synthesizer) -> serde_json::Value {
    serde_json::json!({
        "model": config.model,
        "prompts": synthesizer.prompts(),
        "checks": config.checks,
        "tiles": config.tiles,
    })
}

/// A unit of work.
enum Shard {
    Pairs(PathBuf),
    Images(PathBuf),
    /// Items of the annotation files.
    Items(Range<usize>),
}

/// What is asked about.
struct Inputs {
    shards: Vec<Shard>,
    identity: BTreeMap<String, String>,
    items: Vec<Item>,
    /// Where the annotations' pictures are.
    folder: Option<PathBuf>,
}

impl Inputs {
    fn find(config: &SynthesizeConfig) -> Result<Self, Error> {
        check_flags(config)?;
        let mut inputs =
            Self { shards: Vec::new(), identity: BTreeMap::new(), items: Vec::new(), folder: None };
        let annotated = config.captions.is_some() || config.instructions.is_some();
        if let Some(folder) = &config.images {
            if !folder.is_dir() {
                return Err(Error::config("--images", format!("{} is no folder", folder.display())));
            }
            inputs.folder = Some(folder.clone());
            match inputs.add_table(folder) {
                // Beside annotation files it may be a plain folder of pictures.
                Err(Error::NoTable { .. }) if annotated => {}
                other => other?,
            }
        }
        inputs.add_annotations(config)?;
        for path in &config.keep_out {
            inputs.identity.insert(format!("keep-out {}", path.display()), file_identity(path)?);
        }
        Ok(inputs)
    }

    fn add_table(&mut self, folder: &Path) -> Result<(), Error> {
        let pairs = input_table(folder, Pair::KIND);
        let is_pairs = !matches!(pairs, Err(Error::NoTable { .. }));
        let table = if is_pairs { pairs? } else { input_table(folder, ImageRow::KIND)? };
        let shard: fn(PathBuf) -> Shard = if is_pairs { Shard::Pairs } else { Shard::Images };
        self.shards.extend(table.shards.into_iter().map(shard));
        self.identity.extend(table.identity);
        Ok(())
    }

    /// Hands over the items of a shard, some at a time.
    fn read(&self, shard: &Shard, mut each: impl FnMut(Vec<Item>) -> Result<(), Error>) -> Result<(), Error> {
        match shard {
            Shard::Pairs(path) => ShardReader::<Pair>::open(path)?
                .try_for_each(|rows| each(rows?.into_iter().map(Item::from).collect())),
            Shard::Images(path) => ShardReader::<ImageRow>::open(path)?
                .try_for_each(|rows| each(rows?.into_iter().map(Item::from).collect())),
            Shard::Items(range) => {
                let mut items = self.items[range.clone()].to_vec();
                for item in &mut items {
                    if let Some(folder) = &self.folder {
                        item.load_image(folder).map_err(Error::step(STEP, item.id.clone()))?;
                    }
                }
                each(items)
            }
        }
    }

    fn add_annotations(&mut self, config: &SynthesizeConfig) -> Result<(), Error> {
        let wrong = |error: tsumugi_synth::Error| Error::config(STEP, error.to_string());
        for (flag, path) in
            [("captions", &config.captions), ("boxes", &config.boxes), ("instructions", &config.instructions)]
        {
            if let Some(path) = path {
                self.identity.insert(flag.to_owned(), file_identity(path)?);
            }
        }
        if let Some(captions) = &config.captions {
            self.items.extend(sources::coco(captions, config.boxes.as_deref()).map_err(wrong)?);
        }
        if let Some(instructions) = &config.instructions {
            self.items.extend(sources::instructions(instructions).map_err(wrong)?);
        }
        let count = self.items.len();
        self.shards.extend((0..count).step_by(CHUNK).map(|from| Shard::Items(from..count.min(from + CHUNK))));
        Ok(())
    }
}

fn check_flags(config: &SynthesizeConfig) -> Result<(), Error> {
    if config.tasks.is_empty() {
        return Err(Error::config("--task", "names no task"));
    }
    if config.images.is_none() && config.captions.is_none() && config.instructions.is_none() {
        return Err(Error::config(
            "synthesize",
            "needs --images DIR, --captions FILE or --instructions FILE",
        ));
    }
    if config.boxes.is_some() && config.captions.is_none() {
        return Err(Error::config("--boxes", "needs --captions FILE beside it"));
    }
    if config.tasks.contains(&Task::Translate) && config.instructions.is_none() {
        return Err(Error::config("--task translate", "needs --instructions FILE"));
    }
    let sees = config.tasks.iter().any(|task| task.sees());
    if sees && config.images.is_none() {
        return Err(Error::config("--task", "photo, vqa and ocr look at pictures and need --images DIR"));
    }
    Ok(())
}

/// Sends everything that the cache lacks through batches, and waits for them.
fn send_batches(
    inputs: &Inputs,
    synthesizer: &Arc<Synthesizer>,
    runtime: &Runtime,
    progress: &Progress,
) -> Result<(), Error> {
    let fail = |error: tsumugi_chat::Error| Error::step(STEP, "batches")(error);
    let mut batches = synthesizer.client().batches(BatchConfig::default()).map_err(fail)?;
    for shard in &inputs.shards {
        inputs.read(shard, |items| {
            runtime.block_on(synthesizer.enqueue(items, &mut batches)).map_err(Error::step(STEP, "batches"))
        })?;
    }
    let bar = progress.bar("synthesize batches", None, "batches");
    runtime.block_on(batches.finish(|ended, _| bar.set_position(ended as u64))).map_err(fail)?;
    bar.finish();
    Ok(())
}

/// The first phase.
fn ask(
    step: &Step,
    inputs: &Inputs,
    synthesizer: &Arc<Synthesizer>,
    give_up: bool,
    runtime: &Runtime,
    progress: &Progress,
) -> Result<(), Error> {
    let bar = progress.bar("synthesize replies", None, "items");
    step.phase("ask", &inputs.shards, progress, |number, shard, outputs| {
        let mut kept = outputs.create::<Conversation>(ASKED)?;
        let mut dropped = outputs.create::<Excluded>(DROPPED)?;
        let place = format!("shard {number}");
        let mut unanswered = Vec::new();
        let mut batch = |items: Vec<Item>, outputs: &mut Outputs| -> Result<(), Error> {
            let work = synthesizer.run(items, |_| bar.inc(1));
            for outcome in runtime.block_on(work).map_err(Error::step(STEP, place.clone()))? {
                unanswered.extend(passing(&outcome));
                write(outcome, &mut kept, &mut dropped, outputs)?;
            }
            Ok(())
        };
        inputs.read(shard, |items| batch(items, outputs))?;
        if let (Some(last), false) = (unanswered.last(), give_up) {
            let count = unanswered.len();
            let message = format!(
                "{count} requests stayed unanswered ({last}); run again to ask these alone, or with --give-up to leave them out"
            );
            return Err(Error::step(STEP, place)(message));
        }
        outputs.finish(kept)?;
        outputs.finish(dropped)
    })?;
    bar.finish();
    Ok(())
}

/// Why a request stayed unanswered that might be answered at another time.
fn passing(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Rejected(_, row) if matches!(row.reason.as_str(), "gave_up" | "deadline") => {
            row.value.clone()
        }
        _ => None,
    }
}

fn write(
    outcome: Outcome,
    kept: &mut ShardWriter<Conversation>,
    dropped: &mut ShardWriter<Excluded>,
    outputs: &mut Outputs,
) -> Result<(), Error> {
    match outcome {
        Outcome::Kept(conversation) => {
            outputs.funnel().stage(&conversation.task, "requests").keep();
            kept.push(conversation)?;
        }
        Outcome::Rejected(task, excluded) => {
            outputs.funnel().stage(task.name(), "requests").drop(&excluded.reason);
            dropped.push(excluded)?;
        }
    }
    Ok(())
}

/// The second phase: near-duplicates go, and the report is written.
fn reduce(step: &Step, shards: usize, checks: &CheckConfig, progress: &Progress) -> Result<Report, Error> {
    let asked = |number| step.out().join(ASKED).join(shard_name(Conversation::KIND, number));
    let dropped = |number| step.out().join(DROPPED).join(shard_name(Excluded::KIND, number));
    let (mut seen, mut reporter) = (NearDuplicates::new(checks), Reporter::default());
    let mut verdicts: Vec<Vec<Option<f64>>> = Vec::with_capacity(shards);
    for number in 0..shards {
        let mut verdict = Vec::new();
        for rows in ShardReader::<Conversation>::open(asked(number))? {
            for row in &rows? {
                let duplicate = seen.duplicate(row);
                match duplicate {
                    None => reporter.add(row),
                    Some(_) => reporter.reject(&row.task, "near_duplicate"),
                }
                verdict.push(duplicate);
            }
        }
        for rows in ShardReader::<Excluded>::open(dropped(number))? {
            rows?
                .iter()
                .for_each(|row| reporter.reject(row.step.trim_start_matches("synthesize/"), &row.reason));
        }
        verdicts.push(verdict);
    }
    let report = reporter.finish();
    write_json(&step.out().join("report.json"), &report)?;
    step.phase("reduce", &verdicts, progress, |number, verdict, outputs| {
        let mut kept = outputs.create::<Conversation>("")?;
        let mut gone = outputs.create::<Excluded>("excluded")?;
        for rows in ShardReader::<Excluded>::open(dropped(number))? {
            gone.write(&rows?)?;
        }
        let mut verdict = verdict.iter();
        for rows in ShardReader::<Conversation>::open(asked(number))? {
            for row in rows? {
                let stage = outputs.funnel().stage("near-duplicates", "conversations");
                match verdict.next().copied().flatten() {
                    None => {
                        stage.keep();
                        kept.push(row)?;
                    }
                    Some(similarity) => {
                        stage.drop("near_duplicate");
                        gone.push(Excluded {
                            step: format!("synthesize/{}", row.task),
                            id: row.id,
                            reason: "near_duplicate".into(),
                            value: Some(format!("{similarity:.2}")),
                            ..Excluded::default()
                        })?;
                    }
                }
            }
        }
        outputs.finish(kept)?;
        outputs.finish(gone)
    })?;
    Ok(report)
}

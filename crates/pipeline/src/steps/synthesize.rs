//! Step `synthesize`: instruction data through an OpenAI-compatible API.
//!
//! The first phase asks for conversations, shard by shard, and checks each reply; the second drops near-duplicates across
//! all shards. It writes the tables `conversations` and `excluded/`, `ledger.json` (tokens and money in all) with
//! `ledger/calls-*.jsonl` (tokens, money and time of each reply), and `report.json` with `report.html` (kinds, lengths,
//! openings, variety, rejections, cost). Replies are kept in `cache/`, so that a run repeated or resumed sends only what is
//! missing.

mod ask;
mod config;
mod items;
mod ledger;
mod reduce;
mod tracker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use tokio::runtime::Runtime;
use tsumugi_chat::Ledger;
use tsumugi_record::{read_json, write_json};
use tsumugi_synth::{Synthesizer, TileRules};

use self::items::Items;
use self::reduce::Verdicts;
use self::tracker::Tracker;
use crate::runner::{Inputs, Phase, Step, Summary, Work};
use crate::{Context, Error, Group};

pub use config::SynthesizeConfig;

/// Name of the step.
const STEP: &str = "synthesize";
/// Folder of the conversations that passed the checks, near-duplicates included.
const ASKED: &str = "_asked";
/// Folder of where those came from.
const SOURCES: &str = "_sources";
/// Folder of what was dropped while asking.
const DROPPED: &str = "_dropped";

/// The step.
pub struct Synthesize {
    settings: SynthesizeConfig,
    items: Items,
    synthesizer: Arc<Synthesizer>,
    runtime: Runtime,
    tracker: OnceLock<Tracker>,
    verdicts: OnceLock<Verdicts>,
    /// Held while the ledger is written, so that it never goes back.
    ledger: Mutex<()>,
}

impl Step for Synthesize {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Instructions;
    const ABOUT: &'static str = "Writes instruction data with a model behind an OpenAI-compatible API";
    type Settings = SynthesizeConfig;

    fn out(settings: &SynthesizeConfig) -> &Path {
        &settings.out
    }

    fn open(settings: SynthesizeConfig, inputs: &mut Inputs, context: &Context) -> Result<Synthesize, Error> {
        let items = Items::find(&settings, inputs)?;
        if let Some(left_out) = &items.left_out {
            context.progress.line(&format!("{STEP}: {left_out}"));
        }
        let rules = match &settings.tiles {
            Some(path) => TileRules::load(path).map_err(wrong)?,
            None => TileRules::builtin(),
        };
        let synthesizer = settings.synthesizer(&rules)?;
        inputs.resolved("tiles", &rules.find(&settings.model))?;
        let pack = synthesizer.pack();
        inputs.resolved("language", &format!("{} {:032x}", pack.code(), pack.hash()))?;
        inputs.resolved("prompts", &(synthesizer.prompts(), synthesizer.second_look()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        Ok(Synthesize {
            settings,
            items,
            synthesizer: Arc::new(synthesizer),
            runtime: runtime.map_err(Error::step(STEP, "threads of the client"))?,
            tracker: OnceLock::new(),
            verdicts: OnceLock::new(),
            ledger: Mutex::default(),
        })
    }

    fn phases(&self) -> Vec<Phase<Synthesize>> {
        vec![
            Phase::map("ask", Synthesize::ask_shards, Synthesize::ask),
            Phase::map("reduce", Synthesize::reduce_shards, Synthesize::reduce),
        ]
    }

    /// Adds the ledger to the summary. A run all of whose replies were dropped has done its work, but gave nothing to learn
    /// from: that is not a success.
    fn conclude(&self, _: &Work, summary: &mut Summary) -> Result<(), Error> {
        let ledger: Ledger = read_json(&self.ledger_file())?.unwrap_or_default();
        summary.add(&Account { ledger })?;
        let rows = |table: &str| summary.rows.get(table).copied().unwrap_or(0);
        let dropped = rows("excluded");
        if rows("conversations") > 0 || dropped == 0 {
            return Ok(());
        }
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for (reason, count) in summary.funnel.stages.iter().flat_map(|stage| &stage.dropped) {
            *reasons.entry(reason).or_default() += count;
        }
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let message = format!(
            "none of {dropped} requests gave a conversation ({}). The replies are in excluded/ and report.html; look at the model, the prompts and the checks",
            reasons.join(", ")
        );
        Err(Error::step(STEP, "the end")(message))
    }
}

/// What the summary says beside the counts.
#[derive(Serialize)]
struct Account {
    /// Tokens and money.
    ledger: Ledger,
}

impl Synthesize {
    fn ledger_file(&self) -> PathBuf {
        self.settings.out.join("ledger.json")
    }

    /// Does some work and writes the ledger, whatever came of it: the account of what was spent always stands.
    fn accounted<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let done = work();
        let _guard = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        write_json(&self.ledger_file(), &self.synthesizer.client().ledger())?;
        done
    }
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::setting(STEP)(error)
}

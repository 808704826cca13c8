//! The first phase: conversations are asked for, and replies checked.

use std::path::{Path, PathBuf};

use tsumugi_chat::BatchConfig;
use tsumugi_record::{Conversation, Excluded, Record as _, ShardReader, record, shards};
use tsumugi_synth::{Item, Outcome, Verdict};

use super::tracker::Tracker;
use super::{ASKED, DROPPED, SOURCES, STEP, Synthesize, ledger};
use crate::runner::{Outputs, Stage, Work};
use crate::steps::once::once;
use crate::{Error, Progress};

record! {
    /// Projection of table `conversations`: what was asked for.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct ConversationTask = "conversations", 1 {
        /// Name of the task.
        task: String,
    }
}

/// Items that are asked about one by one before the others go into batches: as many as replies are on trial.
const TRIED_SINGLY: usize = 20;

impl Synthesize {
    pub(super) fn ask_shards(&self, work: &Work) -> Result<usize, Error> {
        self.tracker(work)?;
        self.recall_trials(work.out())?;
        if self.settings.batch {
            self.accounted(|| self.try_singly())?;
            self.accounted(|| self.send_batches(work.progress()))?;
        }
        Ok(self.items.shards())
    }

    fn tracker(&self, work: &Work) -> Result<&Tracker, Error> {
        once(&self.tracker, || {
            let requests = self.items.requests(&self.settings.tasks)?;
            Ok(Tracker::new(requests, &self.synthesizer, work.progress()))
        })
    }

    /// Takes over what shards of an earlier run say of the tasks: one that has conversations is not on trial again, and what was
    /// dropped of others counts.
    fn recall_trials(&self, out: &Path) -> Result<(), Error> {
        let synthesizer = &self.synthesizer;
        let is_done = || self.settings.tasks.iter().all(|task| synthesizer.is_trusted(*task));
        for shard in earlier(&out.join(ASKED), ConversationTask::KIND)? {
            if is_done() {
                return Ok(());
            }
            for rows in ShardReader::<ConversationTask>::open(&shard)? {
                rows?.iter().filter_map(|row| row.task.parse().ok()).for_each(|task| synthesizer.trust(task));
            }
        }
        for shard in earlier(&out.join(DROPPED), Excluded::KIND)? {
            for rows in ShardReader::<Excluded>::open(&shard)? {
                for row in rows? {
                    let task = row.step.trim_start_matches("synthesize/").parse();
                    let Ok(task) = task else { continue };
                    synthesizer.recall_dropped(task, &row).map_err(Error::step(STEP, "an earlier run"))?;
                }
            }
            if is_done() {
                break;
            }
        }
        Ok(())
    }

    /// Asks about one item, and then about the first few, until a reply to each task was kept: before thousands of requests go
    /// into batches, it shows which parameters the model refuses and whether its replies are of use.
    fn try_singly(&self) -> Result<(), Error> {
        let synthesizer = &self.synthesizer;
        let mut first = Vec::new();
        for shard in 0..self.items.shards() {
            if first.len() >= TRIED_SINGLY {
                break;
            }
            self.items.read(shard, |items| {
                first.extend(items.into_iter().take(TRIED_SINGLY - first.len()));
                Ok(())
            })?;
        }
        let rounds: &[usize] = if self.settings.keep_going { &[1] } else { &[1, TRIED_SINGLY] };
        for count in rounds {
            let items = first.iter().take(*count).cloned().collect();
            let asked = self.runtime.block_on(synthesizer.run(items, |_| {}));
            asked.map_err(Error::step(STEP, "the first items"))?;
            if self.settings.tasks.iter().all(|task| synthesizer.is_trusted(*task)) {
                break;
            }
        }
        Ok(())
    }

    /// Sends everything that the cache lacks through batches, and waits for them.
    fn send_batches(&self, progress: &Progress) -> Result<(), Error> {
        let fail = |error: tsumugi_chat::Error| Error::step(STEP, "batches")(error);
        let synthesizer = &self.synthesizer;
        // The second calls are made of the replies to the first.
        let rounds = if synthesizer.second_look().is_some() { 2 } else { 1 };
        for _ in 0..rounds {
            let mut batches = synthesizer.client().batches(BatchConfig::default()).map_err(fail)?;
            for shard in 0..self.items.shards() {
                self.items.read(shard, |items| {
                    let enqueued = self.runtime.block_on(synthesizer.enqueue(items, &mut batches));
                    enqueued.map_err(Error::step(STEP, "batches"))
                })?;
            }
            let bar = progress.bar("synthesize batches", None, "batches");
            self.runtime.block_on(batches.finish(|ended, _| bar.set_position(ended as u64))).map_err(fail)?;
            bar.finish();
        }
        Ok(())
    }

    pub(super) fn ask(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        self.accounted(|| self.ask_shard(work, number, outputs))
    }

    fn ask_shard(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Conversation>(ASKED)?;
        outputs.begin::<Excluded>(DROPPED)?;
        outputs.begin::<Excluded>(SOURCES)?;
        let tracker = self.tracker(work)?;
        let (mut missing, mut calls) = (Vec::new(), Vec::new());
        self.items.read(number, |items: Vec<Item>| {
            let asked = self.synthesizer.run(items, |outcome| tracker.note(outcome));
            let asked = self.runtime.block_on(asked).map_err(Error::step(STEP, format!("shard {number}")))?;
            for mut outcome in asked {
                missing.extend(unanswered(&outcome));
                calls.append(&mut outcome.calls);
                write(outcome, outputs)?;
            }
            Ok(())
        })?;
        if let (Some(last), false) = (missing.last(), self.settings.give_up) {
            // The replies are in the cache: the next run makes this shard of them, and asks what is missing.
            let count = missing.len();
            outputs.leave_unfinished(format!(
                "{count} requests stayed unanswered: {last}; `give_up` leaves them out"
            ));
            return Ok(());
        }
        ledger::write(work.out(), number, &calls)
    }
}

/// Shards of a folder that an earlier run may have left.
fn earlier(folder: &Path, kind: &str) -> Result<Vec<PathBuf>, Error> {
    if folder.is_dir() { Ok(shards(folder, kind)?) } else { Ok(Vec::new()) }
}

/// Why a request stayed unanswered that might be answered at another time.
fn unanswered(outcome: &Outcome) -> Option<String> {
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

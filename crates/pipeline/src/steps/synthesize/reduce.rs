//! The second phase: near-duplicates across all shards are dropped, and the report is written.

use std::collections::HashMap;
use std::path::Path;

use tsumugi_record::{Conversation, Excluded, Provenance, Record, ShardReader, shard_name, write_json};
use tsumugi_synth::{CheckConfig, NearDuplicates, Report, Reporter};
use tsumugi_text::LanguagePack;

use super::{ASKED, DROPPED, SOURCES, STEP, Synthesize, ledger};
use crate::Error;
use crate::runner::{Outputs, Stage, Work};
use crate::steps::once::once;

impl Synthesize {
    /// Compares all conversations, and writes the report.
    pub(super) fn reduce_shards(&self, work: &Work) -> Result<usize, Error> {
        if let Some(tracker) = self.tracker.get() {
            tracker.finish();
        }
        let verdicts = self.verdicts(work)?;
        write_json(&work.out().join("report.json"), &verdicts.report)?;
        let page = work.out().join("report.html");
        let ledger = self.synthesizer.client().ledger();
        let written = verdicts.report.page(&ledger).write(&page);
        written.map_err(Error::step(STEP, page.display().to_string()))?;
        Ok(self.items.shards())
    }

    fn verdicts(&self, work: &Work) -> Result<&Verdicts, Error> {
        let (checks, pack) = (&self.settings.checks, self.synthesizer.pack());
        once(&self.verdicts, || judge(work.out(), self.items.shards(), checks, pack))
    }

    /// Drops the near-duplicates of a shard.
    pub(super) fn reduce(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let verdicts = self.verdicts(work)?;
        let mut verdicts = verdicts.by_shard.get(number).into_iter().flatten();
        outputs.begin::<Conversation>("")?;
        outputs.begin::<Excluded>("excluded")?;
        for rows in ShardReader::<Excluded>::open(dropped(work.out(), number))? {
            rows?.into_iter().try_for_each(|row| outputs.write("excluded", row))?;
        }
        let mut sources = sources(work.out(), number)?;
        for rows in ShardReader::<Conversation>::open(asked(work.out(), number))? {
            for row in rows? {
                match verdicts.next().copied().flatten() {
                    None => outputs.keep(NEAR_DUPLICATES, "", row)?,
                    Some(similarity) => {
                        let provenance = sources.remove(&row.id).unwrap_or_default();
                        let row = Excluded { provenance, ..excluded(row, similarity) };
                        outputs.exclude(NEAR_DUPLICATES, row)?;
                    }
                }
            }
        }
        Ok(())
    }
}

const NEAR_DUPLICATE: &str = "near_duplicate";
/// The comparison of all conversations of a task.
const NEAR_DUPLICATES: Stage = Stage { name: "near-duplicates", unit: "conversations" };

fn asked(out: &Path, number: usize) -> std::path::PathBuf {
    out.join(ASKED).join(shard_name(Conversation::KIND, number))
}

fn dropped(out: &Path, number: usize) -> std::path::PathBuf {
    out.join(DROPPED).join(shard_name(Excluded::KIND, number))
}

/// Where a shard's conversations came from, by their ids.
fn sources(out: &Path, number: usize) -> Result<HashMap<String, Provenance>, Error> {
    let path = out.join(SOURCES).join(shard_name(Excluded::KIND, number));
    let mut sources = HashMap::new();
    for rows in ShardReader::<Excluded>::open(path)? {
        sources.extend(rows?.into_iter().map(|row| (row.id, row.provenance)));
    }
    Ok(sources)
}

/// What the comparison finds.
pub(super) struct Verdicts {
    /// For each row of each shard the similarity to an earlier one, where it is a near-duplicate.
    by_shard: Vec<Vec<Option<f64>>>,
    report: Report,
}

fn judge(out: &Path, shards: usize, checks: &CheckConfig, pack: &LanguagePack) -> Result<Verdicts, Error> {
    let (mut seen, mut reporter) = (NearDuplicates::new(checks), Reporter::new(pack));
    let mut by_shard = Vec::with_capacity(shards);
    for number in 0..shards {
        let mut verdict = Vec::new();
        for rows in ShardReader::<Conversation>::open(asked(out, number))? {
            for row in &rows? {
                let duplicate = seen.duplicate(row);
                match duplicate {
                    None => reporter.add(row),
                    Some(_) => reporter.reject(&row.task, NEAR_DUPLICATE),
                }
                verdict.push(duplicate);
            }
        }
        for rows in ShardReader::<Excluded>::open(dropped(out, number))? {
            for row in rows? {
                reporter.reject(row.step.trim_start_matches("synthesize/"), &row.reason);
            }
        }
        ledger::read(out, number, |call| reporter.call(&call))?;
        by_shard.push(verdict);
    }
    Ok(Verdicts { by_shard, report: reporter.finish() })
}

/// The row of the exclusion table, with all that was said.
fn excluded(row: Conversation, similarity: f64) -> Excluded {
    let texts: Vec<&str> = row
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .filter_map(|content| content.text.as_deref())
        .collect();
    let value = serde_json::json!({ "found": format!("{similarity:.2}"), "reply": texts });
    Excluded {
        step: format!("synthesize/{}", row.task),
        reason: NEAR_DUPLICATE.into(),
        value: Some(value.to_string()),
        id: row.id,
        ..Excluded::default()
    }
}

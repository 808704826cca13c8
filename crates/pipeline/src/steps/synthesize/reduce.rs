//! The second phase: near-duplicates across all shards are dropped, and the report is written.

use std::collections::HashMap;
use std::path::Path;

use tsumugi_record::{Conversation, Excluded, Provenance, Record, ShardReader, shard_name, write_json};
use tsumugi_synth::{CheckConfig, NearDuplicates, Report, Reporter};
use tsumugi_text::LanguagePack;

use super::{ASKED, DROPPED, SOURCES, ledger};
use crate::runner::{OutputFolder, Stage};
use crate::{Error, Progress};

/// Drops near-duplicates and writes the report.
pub(super) fn reduce(
    step: &OutputFolder,
    shards: usize,
    checks: &CheckConfig,
    pack: &LanguagePack,
    progress: &Progress,
) -> Result<Report, Error> {
    let verdicts = judge(step.out(), shards, checks, pack)?;
    step.phase("reduce", &verdicts.by_shard, progress, |number, verdict, outputs| {
        outputs.begin::<Conversation>("")?;
        outputs.begin::<Excluded>("excluded")?;
        for rows in ShardReader::<Excluded>::open(dropped(step.out(), number))? {
            rows?.into_iter().try_for_each(|row| outputs.write("excluded", row))?;
        }
        let mut sources = sources(step.out(), number)?;
        let mut verdict = verdict.iter();
        for rows in ShardReader::<Conversation>::open(asked(step.out(), number))? {
            for row in rows? {
                match verdict.next().copied().flatten() {
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
    })?;
    write_json(&step.out().join("report.json"), &verdicts.report)?;
    Ok(verdicts.report)
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

struct Verdicts {
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

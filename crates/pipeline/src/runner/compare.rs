//! Compare phases: declared operators over the key columns of all shards.

use std::path::PathBuf;

use tsumugi_record::{ShardReader, ShardWriter, record, shard_name};
use tsumugi_tables::{Memory, Operator, compare_files};

use super::rules::{Keys, Rule};
use super::step::Work;
use crate::Error;

record! {
    /// The verdict of a compare phase on one row of a shard.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Verdict = "verdicts", 1 {
        /// The reason of the rule that drops the row; none where it stays.
        pub reason: Option<String>,
    }
}

/// The folder of a phase's verdicts, inside the output folder.
fn folder(phase: &str) -> String {
    format!("_verdicts-{phase}")
}

impl Work {
    /// The verdicts of a compare phase on the rows of a shard, in their order: the reason of the rule that drops the row, or
    /// none where it stays.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn verdicts(&self, phase: &str, shard: usize) -> Result<Vec<Option<String>>, Error> {
        let path = self.shard::<Verdict>(&folder(phase), shard);
        let rows = ShardReader::<Verdict>::open(path)?.read_all()?;
        Ok(rows.into_iter().map(|verdict| verdict.reason).collect())
    }
}

/// Compares the rows of all shards by the keys that lie in `keys`, and writes the verdicts, a file for each shard.
pub(super) fn compare(
    work: &Work,
    phase: &'static str,
    keys: Keys,
    shards: usize,
    rules: &[Rule],
) -> Result<(), Error> {
    let place = |number| work.out.join(folder(phase)).join(shard_name("verdicts", number));
    if (0..shards).all(|number| place(number).is_file()) {
        return Ok(());
    }
    let files: Vec<PathBuf> =
        (0..shards).map(|number| work.out.join(keys.folder).join(shard_name(keys.kind, number))).collect();
    let operators: Vec<Operator> = rules.iter().map(|rule| rule.operator.clone()).collect();
    let memory = Memory { bytes: work.memory, scratch: work.out.clone() };
    let found = compare_files(&files, &operators, &memory).map_err(Error::step(phase, "comparison"))?;
    for number in 0..shards {
        let mut writer = ShardWriter::<Verdict>::create(place(number))?;
        for verdict in found.of_file(number) {
            writer.push(Verdict { reason: verdict.map(|rule| rules[rule].reason.to_owned()) })?;
        }
        writer.finish()?;
    }
    Ok(())
}

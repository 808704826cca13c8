//! Compare phases: declared operators over the key columns of all shards.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_record::{ShardReader, ShardWriter, record, shard_name};
use tsumugi_tables::{Columns, Operator, verdicts};

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
    out: &Path,
    phase: &'static str,
    keys: Keys,
    shards: usize,
    rules: &[Rule],
) -> Result<(), Error> {
    let place = |number| out.join(folder(phase)).join(shard_name("verdicts", number));
    if (0..shards).all(|number| place(number).is_file()) {
        return Ok(());
    }
    let files: Vec<PathBuf> =
        (0..shards).map(|number| out.join(keys.folder).join(shard_name(keys.kind, number))).collect();
    let operators: Vec<Operator> = rules.iter().map(|rule| rule.operator.clone()).collect();
    let names = columns_of(&operators);
    let failed = Error::step(phase, "comparison");
    let (rows, found) = read(&files, &names)
        .and_then(|(rows, table)| Ok((rows, verdicts(&table, &operators)?)))
        .map_err(failed)?;
    let mut found = found.into_iter();
    for (number, rows) in rows.into_iter().enumerate() {
        let mut writer = ShardWriter::<Verdict>::create(place(number))?;
        for verdict in found.by_ref().take(rows) {
            writer.push(Verdict { reason: verdict.map(|rule| rules[rule].reason.to_owned()) })?;
        }
        writer.finish()?;
    }
    Ok(())
}

/// The key columns of all shards, one after another, and how many rows each has.
fn read(files: &[PathBuf], names: &[&str]) -> Result<(Vec<usize>, Columns), tsumugi_tables::Error> {
    let tables: Result<Vec<Columns>, _> = files.par_iter().map(|file| Columns::read(file, names)).collect();
    let (mut rows, mut all) = (Vec::new(), Columns::new());
    for table in tables? {
        rows.push(table.rows());
        if table.rows() > 0 {
            all.extend(table)?;
        }
    }
    Ok((rows, all))
}

/// The columns that operators read.
fn columns_of(operators: &[Operator]) -> Vec<&str> {
    let mut names: Vec<&str> = operators.iter().flat_map(Operator::columns).collect();
    names.sort_unstable();
    names.dedup();
    names
}

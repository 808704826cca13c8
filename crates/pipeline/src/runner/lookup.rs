//! Lookup phases: which contents lie behind the keys of all shards.

use std::collections::HashMap;
use std::path::PathBuf;

use tsumugi_record::{Record, ShardReader, ShardWriter, record, shard_name};
use tsumugi_tables::{Lookup, Memory};

use super::rules::Keys;
use super::step::{Shards, Work};
use crate::Error;

record! {
    /// The content behind a key of a shard.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct FoundContent = "found", 1 {
        /// The key that was looked up.
        pub key: [u8; 16],
        /// The values of the content.
        pub values: Vec<i64>,
    }
}

/// Tables that a lookup phase reads: where they are, and how many shards they have.
pub struct LookupTable<S> {
    /// A folder inside the output folder, and the kind of the table.
    pub(super) keys: Keys,
    /// Number of shards.
    pub(super) shards: Shards<S>,
}

impl<S> LookupTable<S> {
    /// The table `K` in a folder inside the output folder, which an earlier phase wrote.
    pub fn new<K: Record>(folder: &'static str, shards: Shards<S>) -> Self {
        LookupTable { keys: Keys { folder, kind: K::KIND }, shards }
    }
}

/// The columns of a lookup phase.
#[derive(Debug, Clone, Copy)]
pub struct LookupColumns {
    /// The key that is looked up, and the key of a link.
    pub key: &'static str,
    /// The content that a link leads to, and the key of a content.
    pub target: &'static str,
    /// What is found of a content. The first tells the contents of one key apart.
    pub values: [&'static str; 3],
}

/// The folder of what a phase found, inside the output folder.
fn folder(phase: &str) -> String {
    format!("_found-{phase}")
}

impl Work {
    /// What a lookup phase found for the keys of a shard.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn found(&self, phase: &str, shard: usize) -> Result<HashMap<[u8; 16], [i64; 3]>, Error> {
        let path = self.shard::<FoundContent>(&folder(phase), shard);
        let mut found = HashMap::new();
        for batch in ShardReader::<FoundContent>::open(&path)? {
            for row in batch? {
                let values = row.values.try_into().map_err(|_| {
                    Error::config(path.display().to_string(), "a content has another number of values")
                })?;
                found.insert(row.key, values);
            }
        }
        Ok(found)
    }
}

/// Looks up the keys of `wanted`, `links` and `contents`, each given with its number of shards, and writes what is found, a file
/// for each shard of `wanted`.
pub(super) fn look_up(
    work: &Work,
    phase: &'static str,
    tables: [(Keys, usize); 3],
    columns: LookupColumns,
) -> Result<(), Error> {
    let shards = tables[0].1;
    let place = |number| work.out.join(folder(phase)).join(shard_name(FoundContent::KIND, number));
    if (0..shards).all(|number| place(number).is_file()) {
        return Ok(());
    }
    let [wanted, links, contents] = tables.map(|(keys, shards)| -> Vec<PathBuf> {
        (0..shards).map(|number| work.out.join(keys.folder).join(shard_name(keys.kind, number))).collect()
    });
    let lookup = Lookup {
        wanted: &wanted,
        key: columns.key,
        links: &links,
        target: columns.target,
        contents: &contents,
        values: columns.values,
    };
    let failed = || Error::step(phase, "lookup");
    let memory = Memory { bytes: work.memory, scratch: work.out.clone() };
    let mut found = lookup.run(&memory).map_err(failed())?.peekable();
    for number in 0..shards {
        let mut writer = ShardWriter::<FoundContent>::create(place(number))?;
        while let Some(next) = found.next_if(|next| next.as_ref().map_or(true, |next| next.file == number)) {
            let next = next.map_err(failed())?;
            writer.push(FoundContent { key: next.key, values: next.values.to_vec() })?;
        }
        writer.finish()?;
    }
    Ok(())
}

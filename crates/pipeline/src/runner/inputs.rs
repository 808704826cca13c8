//! What a step reads, told apart by content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use tsumugi_record::{Record, ShardReader};

use super::hash::content_hash;
use super::input::{InputTable, input_table};
use crate::{Context, Error};

/// The inputs of a step, declared when it is opened. Each belongs to a setting whose schema says `x-role: input`; the runner
/// refuses a step that reads such a setting without declaring what it holds.
#[derive(Debug, Default)]
pub struct Inputs {
    pub(super) hashes: BTreeMap<String, String>,
    pub(super) resolved: Map<String, Value>,
    pub(super) declared: BTreeSet<String>,
    /// A worker need not know: the driver has compared the hashes.
    is_worker: bool,
    allow_empty: bool,
}

impl Inputs {
    /// Inputs of a run in this context.
    pub fn of(context: &Context) -> Inputs {
        Inputs { allow_empty: context.allow_empty, ..Inputs::default() }
    }

    pub(super) fn of_worker() -> Inputs {
        Inputs { is_worker: true, allow_empty: true, ..Inputs::default() }
    }

    /// Whether hashes are used. A step that computes hashes of its own may leave them out where they are not.
    pub fn are_hashed(&self) -> bool {
        !self.is_worker
    }

    /// Declares a table: the folder of a finished step, or a folder of Parquet files made elsewhere.
    ///
    /// # Errors
    /// Where the folder cannot be read, the step that writes it has not finished, it holds no such table, or the table has no rows
    /// and empty tables are not accepted.
    pub fn table<R: Record>(&mut self, key: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let table = input_table(folder, R::KIND)?;
        if !self.allow_empty && !has_rows::<R>(&table)? {
            return Err(Error::EmptyTable { folder: folder.to_owned(), kind: R::KIND.to_owned() });
        }
        Ok(self.add_table(key, R::KIND, table))
    }

    /// Declares a table that may be missing.
    ///
    /// # Errors
    /// As [`Inputs::table`], but for the missing table.
    pub fn optional_table<R: Record>(&mut self, key: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        match input_table(folder, R::KIND) {
            Ok(table) => Ok(self.add_table(key, R::KIND, table)),
            Err(Error::NoTable { .. }) => Ok(self.add_table(key, R::KIND, InputTable::default())),
            Err(error) => Err(error),
        }
    }

    fn add_table(&mut self, key: &str, kind: &str, table: InputTable) -> Vec<PathBuf> {
        self.hashes(key, table.identity.into_iter().map(|(name, hash)| (format!("{kind}:{name}"), hash)));
        table.shards
    }

    /// Declares a file by its content.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn file(&mut self, key: &str, path: &Path) -> Result<(), Error> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if self.are_hashed() {
            self.hashes(key, [(name, content_hash(path)?)]);
        }
        Ok(())
    }

    /// Declares an input by hashes that the caller has: name and hash of each part.
    pub fn hashes(&mut self, key: &str, parts: impl IntoIterator<Item = (String, String)>) {
        self.declared.insert(key.to_owned());
        for (name, hash) in parts {
            let same = format!("{key}:{name}");
            // Files of the same name may come from several folders.
            let numbered = (2..).map(|number| format!("{same}#{number}"));
            let free =
                std::iter::once(same.clone()).chain(numbered).find(|key| !self.hashes.contains_key(key));
            self.hashes.insert(free.unwrap_or(same), hash);
        }
    }

    /// Declares an input by the value that it was resolved to, such as the profile behind a name. The value takes the place
    /// of the setting in what tells one run from another, and in the manifest.
    ///
    /// # Errors
    /// Where the value cannot be written as JSON.
    pub fn resolved(&mut self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.declared.insert(key.to_owned());
        let value = serde_json::to_value(value).map_err(Error::step("inputs", key))?;
        self.resolved.insert(key.to_owned(), value);
        Ok(())
    }
}

/// Whether any shard of a table has a row.
fn has_rows<R: Record>(table: &InputTable) -> Result<bool, Error> {
    for shard in &table.shards {
        if ShardReader::<R>::open(shard)?.rows() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

//! The files and counts of one shard.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tsumugi_record::{Excluded, Funnel, Record, ShardEntry, ShardWriter, shard_name};

use super::rules::{Rule, Stage};
use crate::Error;

/// The files and counts of one shard while a map phase treats it. Files end and get their names when the phase has returned.
pub struct Outputs {
    out: PathBuf,
    number: usize,
    files: Vec<OpenFile>,
    pub(super) marker: Marker,
    /// Why the next run is to treat this shard again.
    pub(super) unfinished: Option<String>,
}

/// What a finished shard leaves behind until the step is finished.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) files: Vec<ShardEntry>,
    pub(super) funnel: Funnel,
    pub(super) counts: BTreeMap<String, u64>,
}

impl Marker {
    /// SHA-256 of the only file, or of the hashes of all, in hex.
    pub(super) fn hash(&self) -> String {
        if let [file] = &self.files[..] {
            return file.sha256.clone();
        }
        let mut hasher = Sha256::new();
        self.files.iter().for_each(|file| hasher.update(&file.sha256));
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }
}

struct OpenFile {
    folder: String,
    row: TypeId,
    writer: Box<dyn AnyWriter>,
}

/// A shard writer of any row type.
trait AnyWriter: Any + Send {
    fn finish(self: Box<Self>) -> Result<(PathBuf, &'static str, tsumugi_record::ShardInfo), Error>;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<R: Record> AnyWriter for ShardWriter<R> {
    fn finish(self: Box<Self>) -> Result<(PathBuf, &'static str, tsumugi_record::ShardInfo), Error> {
        let path = self.path().to_owned();
        Ok((path, R::KIND, (*self).finish()?))
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Outputs {
    pub(super) fn new(out: &Path, number: usize) -> Self {
        Outputs {
            out: out.to_owned(),
            number,
            files: Vec::new(),
            marker: Marker::default(),
            unfinished: None,
        }
    }

    /// Leaves this shard to the next run, while the others of the phase go on. The step then ends with an error that says
    /// why.
    pub fn leave_unfinished(&mut self, why: impl Into<String>) {
        self.unfinished = Some(why.into());
    }

    /// Begins this shard's file of table `R` in a folder inside the output folder: `""` for the step's main table, the
    /// table's name for further ones, a name that begins with an underscore for what later phases read and the finished
    /// step no longer has. A file without rows is written too.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn begin<R: Record>(&mut self, folder: &str) -> Result<(), Error> {
        let path = self.out.join(folder).join(shard_name(R::KIND, self.number));
        let writer = Box::new(ShardWriter::<R>::create(path)?);
        self.files.push(OpenFile { folder: folder.to_owned(), row: TypeId::of::<R>(), writer });
        Ok(())
    }

    /// Writes a row into the file that [`Outputs::begin`] began for its table in this folder.
    ///
    /// # Errors
    /// Where no such file was begun, or it cannot be written.
    pub fn write<R: Record>(&mut self, folder: &str, row: R) -> Result<(), Error> {
        let row_type = TypeId::of::<R>();
        let file = self.files.iter_mut().find(|file| file.row == row_type && file.folder == folder);
        let writer = file.and_then(|file| file.writer.as_any().downcast_mut::<ShardWriter<R>>());
        match writer {
            Some(writer) => Ok(writer.push(row)?),
            None => Err(Error::NotBegun { folder: folder.to_owned(), kind: R::KIND }),
        }
    }

    /// Writes all rows of a table at once.
    ///
    /// # Errors
    /// As [`Outputs::begin`] and [`Outputs::write`].
    pub fn write_all<R: Record>(
        &mut self,
        folder: &str,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<(), Error> {
        self.begin::<R>(folder)?;
        rows.into_iter().try_for_each(|row| self.write(folder, row))
    }

    /// Keeps a row: writes it and counts it as kept in `stage`.
    ///
    /// # Errors
    /// As [`Outputs::write`].
    pub fn keep<R: Record>(&mut self, stage: Stage, folder: &str, row: R) -> Result<(), Error> {
        self.write(folder, row)?;
        self.pass(stage);
        Ok(())
    }

    /// Drops an item: counts it in `stage` by its reason, and writes it into the table of dropped items, in the folder that
    /// was begun for it.
    ///
    /// # Errors
    /// As [`Outputs::write`].
    pub fn exclude(&mut self, stage: Stage, row: Excluded) -> Result<(), Error> {
        self.drop(stage, &row.reason);
        let of_excluded = |file: &&OpenFile| file.row == TypeId::of::<Excluded>();
        let folder = self.files.iter().find(of_excluded).map(|file| file.folder.clone());
        self.write(folder.as_deref().unwrap_or(Excluded::KIND), row)
    }

    /// Counts an item that passes `stage` and is written later, or not by itself.
    pub fn pass(&mut self, stage: Stage) {
        self.marker.funnel.stage(stage.name, stage.unit).keep();
    }

    /// Counts an item that is dropped in `stage` and has no row of its own.
    pub fn drop(&mut self, stage: Stage, reason: &str) {
        self.marker.funnel.stage(stage.name, stage.unit).drop(reason);
    }

    /// Counts a row in the stage of each rule that it reaches: dropped in that of the rule whose reason is the verdict,
    /// kept in those before it. Returns the stage that drops it, or none where the row stays.
    pub fn judge(&mut self, rules: &[Rule], verdict: Option<&str>) -> Option<Stage> {
        for rule in rules {
            if verdict == Some(rule.reason) {
                return Some(rule.stage);
            }
            self.pass(rule.stage);
        }
        None
    }

    /// Adds to a named count of the summary.
    pub fn count(&mut self, name: &str, n: u64) {
        *self.marker.counts.entry(name.to_owned()).or_default() += n;
    }

    /// Ends all files, in the order in which they were begun.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        for file in std::mem::take(&mut self.files) {
            let (path, kind, info) = file.writer.finish()?;
            let file = path.strip_prefix(&self.out).unwrap_or(&path).to_string_lossy().into_owned();
            let kind = kind.to_owned();
            let entry = ShardEntry { file, kind, rows: info.rows, bytes: info.bytes, sha256: info.sha256 };
            self.marker.files.push(entry);
        }
        Ok(())
    }
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_record::{Funnel, Record, ShardEntry, ShardWriter, shard_name};

use crate::Error;

/// The files and counts of one shard while it is being treated.
pub struct Outputs {
    out: PathBuf,
    number: usize,
    pub(super) marker: Marker,
    /// Whether the next run is to treat this shard again.
    pub(super) unfinished: bool,
}

/// What a finished shard leaves behind until the step is finished.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) files: Vec<ShardEntry>,
    pub(super) funnel: Funnel,
    pub(super) counts: BTreeMap<String, u64>,
}

impl Outputs {
    pub(super) fn new(out: &Path, number: usize) -> Self {
        Outputs { out: out.to_owned(), number, marker: Marker::default(), unfinished: false }
    }

    /// Leaves this shard to the next run, while the others go on. The step must then not be finished.
    pub fn leave_unfinished(&mut self) {
        self.unfinished = true;
    }

    /// Begins this shard's file of table `R`, in a folder inside the output folder: `""` for the step's main table, the
    /// table's name for further ones, a name that begins with an underscore for what the next phase reads and the
    /// finished step no longer has.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create<R: Record>(&self, folder: &str) -> Result<ShardWriter<R>, Error> {
        Ok(ShardWriter::create(self.out.join(folder).join(shard_name(R::KIND, self.number)))?)
    }

    /// Ends a file that [`Outputs::create`] began.
    ///
    /// # Errors
    /// Where the disk is full or the file cannot be written.
    pub fn finish<R: Record>(&mut self, writer: ShardWriter<R>) -> Result<(), Error> {
        let path = writer.path().to_owned();
        let info = writer.finish()?;
        let file = path.strip_prefix(&self.out).unwrap_or(&path).to_string_lossy().into_owned();
        let kind = R::KIND.to_owned();
        let entry = ShardEntry { file, kind, rows: info.rows, bytes: info.bytes, sha256: info.sha256 };
        self.marker.files.push(entry);
        Ok(())
    }

    /// Writes all rows of a table at once.
    ///
    /// # Errors
    /// As [`Outputs::finish`].
    pub fn write_all<R: Record>(&mut self, folder: &str, rows: &[R]) -> Result<(), Error> {
        let mut writer = self.create::<R>(folder)?;
        writer.write(rows)?;
        self.finish(writer)
    }

    /// The shard's part of the funnel.
    pub fn funnel(&mut self) -> &mut Funnel {
        &mut self.marker.funnel
    }

    /// Adds to a named count of the summary.
    pub fn count(&mut self, name: &str, n: u64) {
        *self.marker.counts.entry(name.to_owned()).or_default() += n;
    }
}

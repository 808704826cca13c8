//! Tables of Parquet shards as data sources.

use std::path::{Path, PathBuf};

use tsumugi_record::{Record, ShardReader};

use super::order::BlockOrder;
use super::source::{DataSource, Place};
use crate::lower::Lowered;
use crate::{Drawn, Error, Result};

/// Row groups whose rows are shuffled together. A row group of this project's tables has at most 64 MiB.
const TOGETHER: usize = 4;

/// Turns a row into its identifier and its sample. It also gets a name for rows without an identifier: file and row.
type Lower<R> = Box<dyn Fn(R, String) -> (String, Lowered) + Send>;

/// The rows of a table, lowered to samples. Reads row groups when their turn comes and holds a fixed number at a time.
pub struct TableSource<R: Record> {
    files: Vec<PathBuf>,
    blocks: Vec<Block>,
    lower: Lower<R>,
    order: Option<(u64, u64, BlockOrder)>,
    window: Option<Window<R>>,
}

struct Block {
    file: usize,
    group: usize,
    /// Number of its first row in the file, from 0.
    first: u64,
    rows: u64,
}

struct Window<R> {
    number: usize,
    /// The block and the number in it of each row.
    places: Vec<(usize, u64)>,
    rows: Vec<R>,
    order: Vec<u64>,
}

impl<R: Record> TableSource<R> {
    /// Opens the table in a folder (files `KIND-*.parquet`, or any `*.parquet` if there are none) or in one file, and uses at
    /// most `limit` rows. Only the columns of `R` are read, and files of other writers are read in whatever layout they have.
    /// `lower` returns a row's identifier and its sample, or the reason to drop it; it gets the row and a name for a row that
    /// has no identifier.
    ///
    /// # Errors
    /// [`Error::Data`] if there are no shards, or a column is missing or of another kind; [`Error::Record`] if a shard belongs
    /// to another table or cannot be read.
    pub fn open(
        path: &Path,
        limit: Option<u64>,
        lower: impl Fn(R, String) -> (String, Lowered) + Send + 'static,
    ) -> Result<Self> {
        let files = shard_files(path, R::KIND)?;
        let mut left = limit.unwrap_or(u64::MAX);
        let mut blocks = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let shard = ShardReader::<R>::open(file).map_err(in_file(file))?;
            let mut first = 0;
            for (group, &rows) in shard.row_groups().iter().enumerate() {
                let used = rows.min(left);
                left -= used;
                if used > 0 {
                    blocks.push(Block { file: number, group, first, rows: used });
                }
                first += rows;
            }
        }
        Ok(Self { files, blocks, lower: Box::new(lower), order: None, window: None })
    }

    fn load(&self, block: &Block) -> Result<Vec<R>> {
        let path = &self.files[block.file];
        let shard = ShardReader::<R>::open_row_group(path, block.group).map_err(in_file(path))?;
        let mut rows = shard.read_all().map_err(in_file(path))?;
        rows.truncate(block.rows as usize);
        if rows.len() as u64 != block.rows {
            let reason = format!("row group {} has changed since it was opened", block.group);
            return Err(Error::Data { path: path.clone(), reason });
        }
        Ok(rows)
    }
}

impl<R: Record> DataSource for TableSource<R> {
    fn len(&self) -> u64 {
        self.blocks.iter().map(|b| b.rows).sum()
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        if !matches!(&self.order, Some((seed, epoch, _)) if *seed == place.seed && *epoch == place.epoch) {
            let rows: Vec<u64> = self.blocks.iter().map(|b| b.rows).collect();
            let order = BlockOrder::new(&rows, TOGETHER, place.seed, place.epoch);
            self.order = Some((place.seed, place.epoch, order));
            self.window = None;
        }
        let Some((_, _, order)) = &self.order else { return Ok(Drawn::dropped("", "no_order")) };
        let (number, within) = order.window_of(place.position);
        if self.window.as_ref().is_none_or(|w| w.number != number) {
            self.window = None; // Frees the old rows before the new ones are read.
            let (mut rows, mut places) = (Vec::new(), Vec::new());
            for &block in order.blocks(number) {
                rows.extend(self.load(&self.blocks[block])?);
                places.extend((0..self.blocks[block].rows).map(|row| (block, row)));
            }
            self.window = Some(Window { number, places, rows, order: order.rows(number) });
        }
        let Some(window) = &self.window else { return Ok(Drawn::dropped("", "no_window")) };
        let row = window.order[within as usize] as usize;
        let (id, lowered) = (self.lower)(window.rows[row].clone(), self.name(window.places[row]));
        Ok(match lowered {
            Ok(sample) => Drawn::Sample(sample),
            Err(reason) => Drawn::dropped(id, reason),
        })
    }
}

impl<R: Record> TableSource<R> {
    /// File and row of a place.
    fn name(&self, (block, row): (usize, u64)) -> String {
        let block = &self.blocks[block];
        let file = self.files[block.file].file_name().unwrap_or_default().to_string_lossy();
        format!("{file} row {}", block.first + row + 1)
    }
}

/// Names the file in errors about its columns, which do not name it themselves.
fn in_file(path: &Path) -> impl FnOnce(tsumugi_record::Error) -> Error {
    let path = path.to_owned();
    move |error| match std::error::Error::source(&error) {
        None if !matches!(error, tsumugi_record::Error::Kind { .. }) => {
            Error::Data { path, reason: error.to_string() }
        }
        _ => Error::Record(error),
    }
}

fn shard_files(path: &Path, kind: &str) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let missing = |reason: &str| Error::Data { path: path.to_owned(), reason: reason.to_owned() };
    if !path.is_dir() {
        return Err(missing("no such folder or file"));
    }
    let mut files = tsumugi_record::shards(path, kind)?;
    if files.is_empty() {
        for entry in std::fs::read_dir(path).map_err(Error::io(path))? {
            let file = entry.map_err(Error::io(path))?.path();
            let hidden = file.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if file.extension().is_some_and(|e| e == "parquet") && !hidden {
                files.push(file);
            }
        }
        files.sort();
    }
    if files.is_empty() {
        return Err(missing(&format!("has no shard {kind}-*.parquet")));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use tsumugi_record::{Excluded, ShardWriter};

    use super::*;
    use crate::Sample;

    fn write(folder: &Path, number: usize, ids: std::ops::Range<usize>) {
        let mut writer =
            ShardWriter::create(folder.join(tsumugi_record::shard_name("excluded", number))).unwrap();
        for id in ids {
            writer.push(Excluded { id: id.to_string(), ..Default::default() }).unwrap();
        }
        writer.finish().unwrap();
    }

    fn open(folder: &Path, limit: Option<u64>) -> TableSource<Excluded> {
        TableSource::open(folder, limit, |row: Excluded, _| (row.id.clone(), Ok(Sample::new(row.id))))
            .unwrap()
    }

    fn ids(source: &mut TableSource<Excluded>, epoch: u64) -> Vec<usize> {
        (0..source.len())
            .map(|position| match source.draw(Place { seed: 7, epoch, position }).unwrap() {
                Drawn::Sample(sample) => sample.id.parse().unwrap(),
                Drawn::Dropped { .. } => panic!("dropped"),
            })
            .collect()
    }

    #[test]
    fn epochs_hold_each_row_once_and_can_be_entered_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..6 {
            write(folder.path(), number, number * 10..number * 10 + 10);
        }
        let mut source = open(folder.path(), None);
        let first = ids(&mut source, 0);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..60).collect::<Vec<_>>());
        assert_ne!(first, ids(&mut source, 1));
        let mut again = open(folder.path(), None);
        let Drawn::Sample(late) = again.draw(Place { seed: 7, epoch: 0, position: 57 }).unwrap() else {
            panic!()
        };
        assert_eq!(late.id, first[57].to_string());
        assert_eq!(open(folder.path(), Some(25)).len(), 25);
    }

    #[test]
    fn a_wrong_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| {
            TableSource::<Excluded>::open(path, None, |r, _| (r.id, Err("x"))).err().unwrap().to_string()
        };
        assert!(open(folder.path()).contains("excluded-*.parquet"));
        assert!(open(&folder.path().join("none")).contains("no such folder"));
    }
}

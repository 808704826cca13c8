//! Shards: the Parquet files of a table.

use std::fs::{self, File};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{DataType, Fields};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::SchemaDescriptor;
use sha2::{Digest, Sha256};

use crate::atomic::sync_folder;
use crate::table::KIND_KEY;
use crate::{Column, Error, Record};

/// Bytes of rows (before compression) after which a batch is handed to the Parquet writer.
const BATCH_BYTES: usize = 16 << 20;
/// Rows after which a batch is handed on, however small they are.
const BATCH_ROWS: usize = 1024;
/// Bytes of a row group: what a reader of one column must hold, and what a viewer must load for one image.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// What is known of a finished shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardInfo {
    /// Rows in the file.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// Counts and hashes what goes into a file, so that the file need not be read again.
struct HashingFile {
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl Write for HashingFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.file.write(data)?;
        self.hasher.update(&data[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes rows to a shard. The file has a temporary name until it is finished, so that a file with the final name is complete.
pub struct ShardWriter<R: Record> {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<ArrowWriter<HashingFile>>,
    pending: Vec<R>,
    pending_bytes: usize,
    rows: u64,
    renamed: bool,
}

impl<R: Record> ShardWriter<R> {
    /// Begins the shard `path`. Its folder is made if it is missing.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
        let partial = partial_name(&path);
        let file = File::create(&partial).map_err(Error::io("create", &partial))?;
        let sink = HashingFile { file, hasher: Sha256::new(), bytes: 0 };
        let writer = ArrowWriter::try_new(sink, R::schema(), Some(properties::<R>(&path)?))
            .map_err(|source| write_error(&path, source))?;
        let pending = Vec::new();
        Ok(ShardWriter {
            path,
            partial,
            writer: Some(writer),
            pending,
            pending_bytes: 0,
            rows: 0,
            renamed: false,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Where the disk is full or the file cannot be written.
    pub fn write(&mut self, rows: &[R]) -> Result<(), Error> {
        rows.iter().try_for_each(|row| self.push(row.clone()))
    }

    /// Appends one row.
    ///
    /// # Errors
    /// As [`ShardWriter::write`].
    pub fn push(&mut self, row: R) -> Result<(), Error> {
        self.pending_bytes += row.weight();
        self.pending.push(row);
        self.rows += 1;
        if self.pending_bytes >= BATCH_BYTES || self.pending.len() >= BATCH_ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Rows given so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The final name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn flush(&mut self) -> Result<(), Error> {
        let Some(writer) = self.writer.as_mut() else { return Ok(()) };
        let batch =
            R::to_batch(&self.pending).map_err(|source| Error::Arrow { path: self.path.clone(), source })?;
        self.pending.clear();
        self.pending_bytes = 0;
        let result = writer.write(&batch).and_then(|()| match writer.in_progress_size() {
            size if size >= ROW_GROUP_BYTES => writer.flush(),
            _ => Ok(()),
        });
        result.map_err(|source| write_error(&self.path, source))
    }

    /// Ends the file, syncs it, and gives it its final name.
    ///
    /// # Errors
    /// As [`ShardWriter::write`]; the temporary file is removed.
    pub fn finish(mut self) -> Result<ShardInfo, Error> {
        self.flush()?;
        let parquet_error = |source| write_error(&self.path, source);
        // The writer is taken here alone, and this consumes the shard.
        let Some(writer) = self.writer.take() else {
            return Err(Error::io("finish", &self.path)(io::ErrorKind::NotFound.into()));
        };
        let sink = writer.into_inner().map_err(parquet_error)?;
        sink.file.sync_all().map_err(Error::io("sync", &self.partial))?;
        fs::rename(&self.partial, &self.path).map_err(Error::io("rename", &self.path))?;
        self.renamed = true;
        sync_folder(&self.path)?;
        let sha256 = data_encoding::HEXLOWER.encode(&sink.hasher.finalize());
        Ok(ShardInfo { rows: self.rows, bytes: sink.bytes, sha256 })
    }
}

impl<R: Record> Drop for ShardWriter<R> {
    fn drop(&mut self) {
        if !self.renamed {
            // A shard that was not finished must not be mistaken for one; the error of removing it helps nobody.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// What the file system refused is told apart from what is wrong with rows: a full disk is no damaged file.
fn write_error(path: &Path, source: ParquetError) -> Error {
    match source {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => Error::io("write", path)(*cause),
            Err(cause) => Error::Parquet { path: path.to_owned(), source: ParquetError::External(cause) },
        },
        source => Error::Parquet { path: path.to_owned(), source },
    }
}

/// The temporary name: hidden, so that `*.parquet` does not match it.
fn partial_name(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.partial"))
}

fn properties<R: Record>(path: &Path) -> Result<WriterProperties, Error> {
    let parquet_error = |source| Error::Parquet { path: path.to_owned(), source };
    let level = ZstdLevel::try_new(3).map_err(parquet_error)?;
    let mut builder = WriterProperties::builder().set_compression(Compression::ZSTD(level));
    let schema = ArrowSchemaConverter::new().convert(&R::schema()).map_err(parquet_error)?;
    for column in schema.columns() {
        // A dictionary of images would never repay its cost.
        if column.name() == "bytes" {
            builder = builder.set_column_dictionary_enabled(column.path().clone(), false);
        }
    }
    Ok(builder.build())
}

/// Streams the rows of a shard in batches.
pub struct ShardReader<R: Record> {
    path: PathBuf,
    groups: Vec<u64>,
    batches: ParquetRecordBatchReader,
    row: PhantomData<R>,
}

impl<R: Record> ShardReader<R> {
    /// Opens a shard. Of the file only the columns of `R` are read, so that a projection (a row type with fewer fields, see
    /// [`record!`](crate::record!)) costs what its own columns cost.
    ///
    /// # Errors
    /// Where the file is missing, is not a Parquet file, or holds another table: [`Error::Kind`], [`Error::ColumnMissing`] or
    /// [`Error::ColumnType`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_groups(path.as_ref(), None)
    }

    /// Opens one row group of a shard; it has no rows where the shard has no such group.
    ///
    /// # Errors
    /// As [`ShardReader::open`].
    pub fn open_row_group(path: impl AsRef<Path>, group: usize) -> Result<Self, Error> {
        Self::open_groups(path.as_ref(), Some(group))
    }

    fn open_groups(path: &Path, group: Option<usize>) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let parquet_error = |source| Error::Parquet { path: path.to_owned(), source };
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_error)?;
        check_kind::<R>(path, builder.schema().metadata().get(KIND_KEY))?;
        let mask = projection(builder.parquet_schema(), R::schema().fields());
        let groups: Vec<u64> =
            builder.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as u64).collect();
        if let Some(group) = group {
            builder = builder.with_row_groups((0..groups.len()).filter(|&number| number == group).collect());
        }
        // Rows may hold images of megabytes, so batches are short.
        let batches = builder.with_projection(mask).with_batch_size(128).build().map_err(parquet_error)?;
        // Tells of missing columns and wrong types before the first row is asked for.
        R::from_batch(&RecordBatch::new_empty(batches.schema()))?;
        Ok(ShardReader { path: path.to_owned(), groups, batches, row: PhantomData })
    }

    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.groups.iter().sum()
    }

    /// Rows of each row group of the file.
    pub fn row_groups(&self) -> &[u64] {
        &self.groups
    }

    /// All rows at once.
    ///
    /// # Errors
    /// Where a batch cannot be read.
    pub fn read_all(self) -> Result<Vec<R>, Error> {
        let mut rows = Vec::new();
        for batch in self {
            rows.extend(batch?);
        }
        Ok(rows)
    }
}

impl<R: Record> Iterator for ShardReader<R> {
    type Item = Result<Vec<R>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(
            batch
                .map_err(|source| Error::Arrow { path: self.path.clone(), source })
                .and_then(|batch| R::from_batch(&batch)),
        )
    }
}

/// Files of other writers say no kind and are read by their columns; ours must be the right table.
fn check_kind<R: Record>(path: &Path, stated: Option<&String>) -> Result<(), Error> {
    let Some(stated) = stated else { return Ok(()) };
    let (kind, version) = stated.split_once(' ').unwrap_or((stated, "1"));
    if kind == R::KIND && version.parse::<u32>().is_ok_and(|v| v <= R::VERSION) {
        return Ok(());
    }
    let expected = format!("{} {}", R::KIND, R::VERSION);
    Err(Error::Kind { path: path.to_owned(), expected, found: stated.clone() })
}

/// The identifiers (column `id`) of the rows of a shard of any table.
///
/// # Errors
/// Where the file is missing, is no Parquet file, or has no such column of texts.
pub fn ids(path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
    let path = path.as_ref();
    let file = File::open(path).map_err(Error::io("open", path))?;
    let parquet_error = |source| Error::Parquet { path: path.to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_error)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["id"]);
    let mut found = Vec::new();
    for batch in builder.with_projection(mask).build().map_err(parquet_error)? {
        let batch = batch.map_err(|source| Error::Arrow { path: path.to_owned(), source })?;
        let missing = || Error::ColumnMissing { column: "id".to_owned() };
        let column = batch.column_by_name("id").ok_or_else(missing)?;
        found.extend(String::decode(column.as_ref()).map_err(|e| e.within("id"))?.into_iter().flatten());
    }
    Ok(found)
}

/// The columns of a file that rows with these fields read.
fn projection(file: &SchemaDescriptor, fields: &Fields) -> ProjectionMask {
    let wanted = file.columns().iter().enumerate();
    ProjectionMask::leaves(
        file,
        wanted.filter(|(_, column)| reads(fields, column.path().parts())).map(|(at, _)| at),
    )
}

/// Whether fields read the column at a path of names.
fn reads(fields: &Fields, path: &[String]) -> bool {
    let Some((name, mut rest)) = path.split_first() else { return true };
    let Some((_, field)) = fields.find(name) else { return false };
    let mut data_type = field.data_type();
    // Parquet has two levels between a list and its items.
    while let DataType::List(item) = data_type {
        data_type = item.data_type();
        rest = rest.get(2..).unwrap_or_default();
    }
    match data_type {
        DataType::Struct(fields) => reads(fields, rest),
        _ => true,
    }
}

/// The finished shards of a table in a folder, in the order of their names.
///
/// # Errors
/// Where the folder cannot be read.
pub fn shards(folder: impl AsRef<Path>, kind: &str) -> Result<Vec<PathBuf>, Error> {
    let folder = folder.as_ref();
    let prefix = format!("{kind}-");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read folder", folder))? {
        let path = entry.map_err(Error::io("read folder", folder))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(&prefix) && name.ends_with(".parquet") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// File name of shard `number` of a table.
pub fn shard_name(kind: &str, number: usize) -> String {
    format!("{kind}-{number:05}.parquet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_damaged_file() {
        let path = Path::new("a.parquet");
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = write_error(path, full.into());
        assert!(matches!(&error, Error::Io { action: "write", .. }) && error.is_io(), "{error}");
        let other = write_error(path, ParquetError::General("rows".into()));
        assert!(matches!(other, Error::Parquet { .. }) && !other.is_io());
    }
}

//! The columnar index: Parquet files with one row per capture, as in Common Crawl's `cc-index-table`.
//!
//! Of a remote file, only these parts are fetched: the footer; in the row groups that their statistics do not rule out,
//! the columns that the selection examines; and the columns of the location, if any row is left.

use std::error::Error as StdError;
use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions,
    ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;

use super::collector::Collector;
use super::fault::not_an_index;
use super::select::{Selection, host};
use crate::error::Error;
use crate::{Address, Remote, Version};

/// Rows per batch.
const ROWS: usize = 8192;
/// Bytes fetched at the end of a file, for the footer.
const FOOTER: u64 = 1 << 20;

/// Columns of the location.
const LOCATION: [&str; 3] = ["warc_filename", "warc_record_offset", "warc_record_length"];

pub(super) fn read(remote: &Remote, index: &Address, collector: &mut Collector<'_>) -> Result<(), Error> {
    let unreadable = |error: ParquetError| {
        let source: Box<dyn StdError + Send + Sync> = match error {
            ParquetError::External(error) => match error.downcast::<Error>() {
                Ok(error) => return *error,
                Err(error) => error,
            },
            error => Box::new(error),
        };
        not_an_index(index, "it is not a readable Parquet index", Some(source))
    };
    match index {
        Address::File(path) => {
            let file = File::open(path).map_err(|source| Error::Open { path: path.clone(), source })?;
            read_table(index, collector, |_| file.try_clone().map_err(ParquetError::from)).map_err(unreadable)
        }
        _ => {
            let version = remote.version(index)?;
            let Some(length) = version.length else {
                return Err(not_an_index(index, "the server does not report its length", None));
            };
            let object = RemoteFile {
                remote: remote.clone(),
                index: index.clone(),
                version,
                length,
                chunks: Mutex::default(),
                regions: Vec::new(),
            };
            read_table(index, collector, |group| {
                Ok(object.with_regions(
                    group
                        .map(|group| group.columns().iter().filter_map(byte_range).collect())
                        .unwrap_or_default(),
                ))
            })
            .map_err(unreadable)
        }
    }
}

/// Reads a table. `open` returns its bytes, once for the footer and once for each row group.
fn read_table<R: ChunkReader + 'static>(
    index: &Address,
    collector: &mut Collector<'_>,
    open: impl Fn(Option<&RowGroupMetaData>) -> Result<R, ParquetError>,
) -> Result<(), ParquetError> {
    // Without an embedded Arrow schema there are only the plain types that `numbers` and `texts` know.
    let options = ArrowReaderOptions::default().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&open(None)?, options)?;
    let schema = metadata.parquet_schema();
    if let Some(missing) = LOCATION.iter().find(|name| leaf(schema, name).is_none()) {
        return Err(ParquetError::General(format!("the table has no column {missing}")));
    }
    for number in wanted_groups(metadata.metadata(), collector.selection) {
        let group = metadata.metadata().row_group(number);
        collector.counts.captures += u64::try_from(group.num_rows()).unwrap_or_default();
        let filter = RowFilter::new(predicates(schema, collector.selection)?);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(open(Some(group))?, metadata.clone())
            .with_row_groups(vec![number])
            .with_batch_size(ROWS)
            .with_row_filter(filter)
            .with_projection(mask(schema, &LOCATION)?)
            .build()?;
        for batch in reader {
            take(&batch?, index, collector)?;
        }
    }
    Ok(())
}

/// Keeps the locations of the remaining rows.
fn take(batch: &RecordBatch, index: &Address, collector: &mut Collector<'_>) -> Result<(), ArrowError> {
    let names = texts(batch, LOCATION[0])?;
    let (offsets, lengths) = (numbers(batch, LOCATION[1])?, numbers(batch, LOCATION[2])?);
    for row in 0..batch.num_rows() {
        let complete = names.is_valid(row) && offsets.is_valid(row) && lengths.is_valid(row);
        let location = (u64::try_from(offsets.value(row)), u64::try_from(lengths.value(row)));
        let result = match location {
            (Ok(offset), Ok(length)) if complete && length > 0 => {
                collector.keep(names.value(row), offset, length, index)
            }
            _ => Err("a row lacks an archive, an offset or a length".into()),
        };
        if let Err(reason) = result {
            collector.malformed(format!("{index}: {reason}"));
        }
    }
    Ok(())
}

fn leaf(schema: &SchemaDescriptor, name: &str) -> Option<usize> {
    schema.columns().iter().position(|column| column.path().string() == name)
}

/// The columns with these names. A missing column is an error.
fn mask(schema: &SchemaDescriptor, names: &[&str]) -> Result<ProjectionMask, ParquetError> {
    let leaves: Result<Vec<usize>, ParquetError> = names
        .iter()
        .map(|name| {
            let missing = || {
                ParquetError::General(format!("the table has no column {name}, which the selection needs"))
            };
            leaf(schema, name).ok_or_else(missing)
        })
        .collect();
    Ok(ProjectionMask::leaves(schema, leaves?))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("the table has no column {name}"));
    batch.column_by_name(name).map(|column| &**column).ok_or_else(missing)
}

/// A column of text.
fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, ArrowError> {
    let column = column(batch, name)?;
    match column.data_type() {
        DataType::Utf8 => Ok(column.as_string().clone()),
        DataType::Binary => StringArray::try_from_binary(column.as_binary().clone()),
        other => Err(ArrowError::SchemaError(format!("the column {name} is of type {other}, not text"))),
    }
}

/// A column of whole numbers.
fn numbers(batch: &RecordBatch, name: &str) -> Result<Int64Array, ArrowError> {
    let column = column(batch, name)?;
    Ok(match column.data_type() {
        DataType::Int8 => column.as_primitive::<Int8Type>().unary(i64::from),
        DataType::Int16 => column.as_primitive::<Int16Type>().unary(i64::from),
        DataType::Int32 => column.as_primitive::<Int32Type>().unary(i64::from),
        DataType::Int64 => column.as_primitive().clone(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().unary(i64::from),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().unary(i64::from),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().unary(i64::from),
        DataType::UInt64 => {
            column.as_primitive::<UInt64Type>().unary_opt(|number| i64::try_from(number).ok())
        }
        other => {
            let reason = format!("the column {name} is of type {other}, not of whole numbers");
            return Err(ArrowError::SchemaError(reason));
        }
    })
}

/// Whether a row is wanted, by the values of some text columns.
type Wants = Box<dyn Fn(&[Option<&str>]) -> bool + Send>;

/// One predicate per key of the selection. The cheapest columns come first, and each predicate sees only the rows that
/// the ones before it left.
fn predicates(
    schema: &SchemaDescriptor,
    selection: &Selection,
) -> Result<Vec<Box<dyn ArrowPredicate>>, ParquetError> {
    let mut predicates: Vec<Box<dyn ArrowPredicate>> = Vec::new();
    if !selection.statuses.is_empty() {
        let wanted = selection.clone();
        let keep = move |batch: RecordBatch| {
            let statuses = numbers(&batch, "fetch_status")?;
            let status = |status: Option<i64>| status.and_then(|status| u16::try_from(status).ok());
            Ok(statuses
                .iter()
                .map(|value| Some(wanted.wants_status(status(value))))
                .collect::<BooleanArray>())
        };
        predicates.push(Box::new(ArrowPredicateFn::new(mask(schema, &["fetch_status"])?, keep)));
    }
    let mut add = |names: &'static [&'static str], wants: Wants| {
        let keep = move |batch: RecordBatch| {
            let columns: Result<Vec<StringArray>, ArrowError> =
                names.iter().map(|name| texts(&batch, name)).collect();
            let columns = columns?;
            let row = |row: usize| -> Vec<Option<&str>> {
                columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect()
            };
            Ok((0..batch.num_rows()).map(|number| Some(wants(&row(number)))).collect::<BooleanArray>())
        };
        predicates
            .push(Box::new(ArrowPredicateFn::new(mask(schema, names)?, keep)) as Box<dyn ArrowPredicate>);
        Ok::<(), ParquetError>(())
    };
    if !selection.languages.is_empty() {
        let wanted = selection.clone();
        add(&["content_languages"], Box::new(move |row| wanted.wants_language(row[0])))?;
    }
    if !selection.charsets.is_empty() {
        let wanted = selection.clone();
        add(&["content_charset"], Box::new(move |row| wanted.wants_charset(row[0])))?;
    }
    if !selection.mimes.is_empty() {
        let wanted = selection.clone();
        let detected = leaf(schema, "content_mime_detected").is_some();
        let names: &[&str] =
            if detected { &["content_mime_type", "content_mime_detected"] } else { &["content_mime_type"] };
        add(names, Box::new(move |row| wanted.wants_mime(row.last().copied().flatten().or(row[0]))))?;
    }
    if !selection.domains.is_empty() {
        let wanted = selection.clone();
        if leaf(schema, "url_host_name").is_some() {
            add(&["url_host_name"], Box::new(move |row| wanted.wants_host(row[0])))?;
        } else {
            add(&["url"], Box::new(move |row| wanted.wants_host(row[0].and_then(host))))?;
        }
    }
    Ok(predicates)
}

/// The row groups that may contain wanted rows, judged by their statistics.
fn wanted_groups(metadata: &ParquetMetaData, selection: &Selection) -> Vec<usize> {
    let schema = metadata.file_metadata().schema_descr();
    let statistics = |group: usize, name: &str| {
        leaf(schema, name).and_then(|leaf| metadata.row_group(group).columns().get(leaf)?.statistics())
    };
    (0..metadata.num_row_groups())
        .filter(|group| {
            statistics(*group, "url_surtkey").is_none_or(|of_key| may_include_domain(of_key, selection))
                && statistics(*group, "fetch_status")
                    .is_none_or(|of_status| may_include_status(of_status, selection))
        })
        .collect()
}

fn may_include_domain(statistics: &Statistics, selection: &Selection) -> bool {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match (text(statistics.min_bytes_opt()), text(statistics.max_bytes_opt())) {
        (Some(first), Some(last)) => selection.may_want_keys(&first, Some(&last)),
        _ => true,
    }
}

fn may_include_status(statistics: &Statistics, selection: &Selection) -> bool {
    let Statistics::Int32(statistics) = statistics else { return true };
    let (Some(least), Some(most)) = (statistics.min_opt(), statistics.max_opt()) else { return true };
    selection.statuses.is_empty()
        || selection.statuses.iter().any(|status| (*least..=*most).contains(&i32::from(*status)))
}

/// The byte range of a column in a row group.
fn byte_range(column: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let data = column.data_page_offset();
    let start =
        u64::try_from(column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data)))
            .ok()?;
    Some(start..start.checked_add(u64::try_from(column.compressed_size()).ok()?)?)
}

/// A remote file. Reading a byte fetches the whole column chunk that contains it.
struct RemoteFile {
    remote: Remote,
    index: Address,
    version: Version,
    length: u64,
    /// The chunks fetched so far, with the offset of each.
    chunks: Mutex<Vec<(u64, Bytes)>>,
    /// The ranges that are fetched in one request each.
    regions: Vec<Range<u64>>,
}

/// A [`RemoteFile`] that readers share.
#[derive(Clone)]
struct Handle(Arc<RemoteFile>);

impl RemoteFile {
    /// The same file with other regions and without chunks.
    fn with_regions(&self, regions: Vec<Range<u64>>) -> Handle {
        let (remote, index, version) = (self.remote.clone(), self.index.clone(), self.version.clone());
        Handle(Arc::new(Self {
            remote,
            index,
            version,
            length: self.length,
            chunks: Mutex::default(),
            regions,
        }))
    }

    /// The bytes from `start` on: at least `length` of them, unless the file ends before.
    fn from(&self, start: u64, length: u64) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length).min(self.length);
        let mut chunks = self.chunks.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let has = |chunk: &(u64, Bytes)| chunk.0 <= start && chunk.0 + chunk.1.len() as u64 >= end;
        if !chunks.iter().any(has) {
            let region = self.regions.iter().find(|region| region.start <= start && end <= region.end);
            let range = match region {
                Some(region) => region.start..region.end.min(self.length),
                None => {
                    start.min(self.length.saturating_sub(FOOTER))..end.max((start + FOOTER).min(self.length))
                }
            };
            let version = Some(self.version.clone());
            let parts = self.remote.parts_of_version(&self.index, vec![range.clone()], version);
            let part = parts.and_then(|mut parts| parts.next().transpose());
            let (range, bytes) = match part.map_err(|error| ParquetError::External(Box::new(error)))? {
                Some(part) => part,
                None => (range, Bytes::new()),
            };
            chunks.push((range.start, bytes));
        }
        let chunk = chunks.iter().find(|chunk| has(chunk));
        let (first, bytes) =
            chunk.ok_or_else(|| ParquetError::EOF(format!("the bytes from {start} on are missing")))?;
        Ok(bytes.slice(usize::try_from(start - first).unwrap_or(bytes.len()).min(bytes.len())..))
    }
}

impl Length for Handle {
    fn len(&self) -> u64 {
        self.0.length
    }
}

impl ChunkReader for Handle {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(Cursor::new(self.0.from(start, 1)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.0.from(start, length as u64)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("fewer than {length} bytes follow offset {start}")));
        }
        Ok(bytes.slice(..length))
    }
}

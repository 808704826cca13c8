//! The rows of several files, as entries of fixed width.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use crate::Error;
use crate::sorter::{Memory, Sorter};

/// Rows that are decoded at a time.
const BATCH: usize = 8192;

/// The rows of several files one after another, numbered from 0.
pub(super) struct Rows<'a> {
    files: &'a [PathBuf],
    /// The number of each file's first row, and the number of all rows.
    starts: Vec<u64>,
}

/// What is called with the key and the row of each entry.
pub(super) type Visit<'v> = dyn FnMut(&[u64], u64) -> Result<(), Error> + 'v;

/// What is called with the row and the doubles of each list.
pub(super) type VisitScores<'v> = dyn FnMut(usize, &[f64]) -> Result<(), Error> + 'v;

/// Entries in order, each a key and then the number of its row.
pub(super) trait Entries {
    /// Calls `visit` with each.
    fn visit(self: Box<Self>, visit: &mut Visit) -> Result<(), Error>;
}

impl<const W: usize> Entries for Sorter<'_, W> {
    fn visit(self: Box<Self>, visit: &mut Visit) -> Result<(), Error> {
        self.sorted()?.try_for_each(|entry| {
            let entry = entry?;
            visit(&entry[..W - 1], entry[W - 1])
        })
    }
}

impl<'a> Rows<'a> {
    pub(super) fn open(files: &'a [PathBuf]) -> Result<Self, Error> {
        let counts: Result<Vec<u64>, Error> = files.par_iter().map(|file| count(file)).collect();
        let mut starts = vec![0];
        for count in counts? {
            starts.push(starts[starts.len() - 1] + count);
        }
        Ok(Rows { files, starts })
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.starts.last().map_or(0, |rows| usize::try_from(*rows).unwrap_or(usize::MAX))
    }

    /// The rows of a file.
    pub(super) fn of_file(&self, file: usize) -> Range<usize> {
        self.starts[file] as usize..self.starts[file + 1] as usize
    }

    /// The file that a row is of.
    pub(super) fn file_of(&self, row: u64) -> usize {
        self.starts.partition_point(|start| *start <= row) - 1
    }

    /// How many words the columns take in an entry.
    pub(super) fn words(&self, names: &[&str]) -> Result<usize, Error> {
        let Some(first) = self.files.first() else { return Ok(0) };
        let schema = open(first)?.schema().clone();
        names.iter().map(|name| words_of(&schema, name)).sum()
    }

    /// The entries of the rows that are not dropped (all, where `dropped` is empty): the words of `names`, in their order. A row with a list has an entry for
    /// each element.
    pub(super) fn sort<'m>(
        &self,
        names: &[&str],
        dropped: &[u8],
        memory: &'m Memory,
    ) -> Result<Box<dyn Entries + 'm>, Error> {
        Ok(match self.words(names)? {
            0 | 1 => Box::new(self.sort_as::<2>(names, dropped, memory)?),
            2 => Box::new(self.sort_as::<3>(names, dropped, memory)?),
            3 => Box::new(self.sort_as::<4>(names, dropped, memory)?),
            4 => Box::new(self.sort_as::<5>(names, dropped, memory)?),
            5 => Box::new(self.sort_as::<6>(names, dropped, memory)?),
            6 => Box::new(self.sort_as::<7>(names, dropped, memory)?),
            7 => Box::new(self.sort_as::<8>(names, dropped, memory)?),
            8 => Box::new(self.sort_as::<9>(names, dropped, memory)?),
            words => return Err(Error::WideKey { columns: names.join(", "), bytes: words * 8 }),
        })
    }

    /// As [`Self::sort`], for names that take `W - 1` words.
    pub(super) fn sort_as<'m, const W: usize>(
        &self,
        names: &[&str],
        dropped: &[u8],
        memory: &'m Memory,
    ) -> Result<Sorter<'m, W>, Error> {
        let mut sorter = Sorter::new(memory, self.len());
        let numbers: Vec<usize> = (0..self.files.len()).collect();
        // A few files at a time, so that only their entries wait.
        for files in numbers.chunks(rayon::current_num_threads()) {
            let parts: Result<Vec<Vec<[u64; W]>>, Error> =
                files.par_iter().map(|file| self.entries(*file, names, dropped)).collect();
            parts?.iter().try_for_each(|entries| sorter.extend(entries))?;
        }
        Ok(sorter)
    }

    fn entries<const W: usize>(
        &self,
        file: usize,
        names: &[&str],
        dropped: &[u8],
    ) -> Result<Vec<[u64; W]>, Error> {
        let mut entries = Vec::new();
        self.batches(file, names, &mut |first, batch| {
            let columns: Result<Vec<Words>, Error> =
                names.iter().map(|name| Words::of(batch, name)).collect();
            let columns = columns?;
            let elements = columns.iter().find_map(|column| match column {
                Words::List(list) => Some(*list),
                _ => None,
            });
            for at in (0..batch.num_rows()).filter(|at| dropped.get(first + at).is_none_or(|by| *by == 0)) {
                let all = elements.map_or(0..1, |list| offsets(list, at));
                for element in all {
                    let (mut entry, mut word) = ([0; W], 0);
                    for column in &columns {
                        word += column.put(at, element, &mut entry[word..]);
                    }
                    entry[W - 1] = (first + at) as u64;
                    entries.push(entry);
                }
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Calls `visit` with the lists of doubles of the rows that are not dropped.
    pub(super) fn scores(&self, name: &str, dropped: &[u8], visit: &mut VisitScores) -> Result<(), Error> {
        (0..self.files.len()).try_for_each(|file| {
            self.batches(file, &[name], &mut |first, batch| {
                let array = column(batch, name)?;
                let unfit =
                    || Error::FileColumnType { name: name.to_owned(), found: array.data_type().to_string() };
                let list = array.as_list_opt::<i32>().ok_or_else(unfit)?;
                let values = list.values().as_primitive_opt::<Float64Type>().ok_or_else(unfit)?;
                (0..batch.num_rows())
                    .filter(|at| dropped[first + at] == 0)
                    .try_for_each(|at| visit(first + at, &values.values()[offsets(list, at)]))
            })
        })
    }

    fn batches(
        &self,
        file: usize,
        names: &[&str],
        visit: &mut dyn FnMut(usize, &RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let path = &self.files[file];
        let mut first = self.of_file(file).start;
        for batch in project(path, names)? {
            let batch =
                batch.map_err(|source| Error::Parquet { path: path.clone(), source: source.into() })?;
            visit(first, &batch)?;
            first += batch.num_rows();
        }
        Ok(())
    }
}

/// A key column of a batch.
enum Words<'a> {
    Int(&'a Int64Array),
    Key(&'a FixedSizeBinaryArray),
    List(&'a ListArray),
}

impl<'a> Words<'a> {
    fn of(batch: &'a RecordBatch, name: &str) -> Result<Self, Error> {
        let array = column(batch, name)?;
        let unfit = || Error::FileColumnType { name: name.to_owned(), found: array.data_type().to_string() };
        match array.data_type() {
            DataType::Int64 => array.as_primitive_opt().map(Words::Int).ok_or_else(unfit),
            DataType::FixedSizeBinary(16) => {
                array.as_fixed_size_binary_opt().map(Words::Key).ok_or_else(unfit)
            }
            DataType::List(item) if *item.data_type() == DataType::Int64 => {
                array.as_list_opt().map(Words::List).ok_or_else(unfit)
            }
            _ => Err(unfit()),
        }
    }

    /// Puts the words of a row into an entry, such that entries are ordered as the values are, and says how many they are.
    fn put(&self, row: usize, element: usize, entry: &mut [u64]) -> usize {
        const SIGN: u64 = 1 << 63;
        match self {
            Words::Int(values) => {
                entry[0] = values.value(row).cast_unsigned() ^ SIGN;
                1
            }
            Words::Key(values) => {
                let key = values.value(row);
                for (word, bytes) in entry.iter_mut().zip(key.chunks_exact(8)) {
                    *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
                }
                2
            }
            Words::List(lists) => {
                entry[0] = lists.values().as_primitive::<Int64Type>().value(element).cast_unsigned() ^ SIGN;
                1
            }
        }
    }
}

fn words_of(schema: &Schema, name: &str) -> Result<usize, Error> {
    let field = schema.field_with_name(name).map_err(|_| missing(name, schema))?;
    match field.data_type() {
        DataType::Int64 => Ok(1),
        DataType::FixedSizeBinary(16) => Ok(2),
        DataType::List(item) if *item.data_type() == DataType::Int64 => Ok(1),
        other => Err(Error::FileColumnType { name: name.to_owned(), found: other.to_string() }),
    }
}

/// The elements of a row's list.
fn offsets(list: &ListArray, row: usize) -> Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    let array = batch.column_by_name(name).ok_or_else(|| missing(name, &batch.schema()))?;
    if array.null_count() > 0 {
        return Err(Error::Null { name: name.to_owned() });
    }
    Ok(array)
}

fn missing(name: &str, schema: &Schema) -> Error {
    let have = schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
    Error::NoColumn { name: name.to_owned(), have }
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|source| Error::Parquet { path: path.to_owned(), source })
}

/// Reads only the columns of these names.
fn project(path: &Path, names: &[&str]) -> Result<ParquetRecordBatchReader, Error> {
    let builder = open(path)?;
    let schema = builder.parquet_schema();
    let roots = schema.root_schema().get_fields().iter().enumerate();
    let wanted: Vec<usize> =
        roots.filter(|(_, field)| names.contains(&field.name())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(schema, wanted);
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build();
    reader.map_err(|source| Error::Parquet { path: path.to_owned(), source })
}

fn count(path: &Path) -> Result<u64, Error> {
    Ok(open(path)?.metadata().file_metadata().num_rows().cast_unsigned())
}

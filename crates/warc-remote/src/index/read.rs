//! Reading an index, whatever its form.

use std::io::{BufRead, BufReader};

use super::cdx::{Columns, key};
use super::plan::Collector;
use super::zipnum;
use crate::error::Error;
use crate::lines::{Lines, unpacked};
use crate::{Address, Remote, is_path_list};

/// Longest line of an index: a URL of data may be long.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// So many lines that are none, with nothing sound before them, show that a file is no index.
const HOPELESS: u64 = 20;

/// What was read of indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexCounts {
    /// Index files read.
    pub files: u64,
    /// Lines or rows looked at; those that a search by domain leaves out are not counted.
    pub captures: u64,
    /// Captures that are wanted.
    pub wanted: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// The first of these: where, and what is wrong.
    pub first_malformed: Option<String>,
}

/// Reads an index into the collector.
pub(super) fn read(remote: &Remote, index: &Address, collector: &mut Collector<'_>) -> Result<(), Error> {
    if is_path_list(index) {
        for part in remote.path_list(index, collector.base)? {
            read(remote, &part, collector)?;
        }
        return Ok(());
    }
    if let Some(parts) = in_folder(remote, index)? {
        for part in parts {
            read(remote, &part, collector)?;
        }
        return Ok(());
    }
    collector.counts.files += 1;
    if index.name().to_ascii_lowercase().ends_with(".parquet") {
        return parquet(remote, index, collector);
    }
    let mut source = BufReader::new(remote.open(index)?);
    if source.fill_buf().map_err(|error| failed(index, error))?.starts_with(b"PAR1") {
        return parquet(remote, index, collector);
    }
    let lines = Lines::new(unpacked(source).map_err(|error| failed(index, error))?, LONGEST_LINE);
    text(remote, index, lines, collector)
}

#[cfg(feature = "columnar")]
fn parquet(remote: &Remote, index: &Address, collector: &mut Collector<'_>) -> Result<(), Error> {
    super::columnar::read(remote, index, collector)
}

#[cfg(not(feature = "columnar"))]
fn parquet(_: &Remote, index: &Address, _: &mut Collector<'_>) -> Result<(), Error> {
    Err(not_an_index(index, "it is Parquet, and this build has not the feature `columnar`"))
}

/// The indexes of a folder: its `cluster.idx` if it has one, else all `.cdx`, `.cdxj`, `.gz` and `.parquet` in it.
fn in_folder(remote: &Remote, index: &Address) -> Result<Option<Vec<Address>>, Error> {
    let found: Vec<Address> = match index {
        Address::File(path) if path.is_dir() => {
            let entries = std::fs::read_dir(path).and_then(|entries| {
                entries.map(|entry| Ok(Address::File(entry?.path()))).collect::<std::io::Result<Vec<_>>>()
            });
            let mut found = entries.map_err(|source| Error::Open { path: path.clone(), source })?;
            found.sort_by_key(Address::name);
            found
        }
        prefix if prefix.is_prefix() => remote.list(prefix)?,
        _ => return Ok(None),
    };
    if let Some(cluster) = found.iter().find(|address| address.name() == zipnum::CLUSTER) {
        return Ok(Some(vec![cluster.clone()]));
    }
    let is_index = |address: &Address| {
        let name = address.name().to_ascii_lowercase();
        [".cdx", ".cdxj", ".gz", ".parquet"].iter().any(|ending| name.ends_with(ending))
            && !name.ends_with(".warc.gz")
            && !name.ends_with(".arc.gz")
            && !name.starts_with(['.', '_'])
    };
    let parts: Vec<Address> = found.into_iter().filter(is_index).collect();
    if parts.is_empty() {
        return Err(not_an_index(index, "the folder has no .cdx, .cdxj, .gz or .parquet"));
    }
    Ok(Some(parts))
}

fn text<R: BufRead>(
    remote: &Remote,
    index: &Address,
    mut lines: Lines<R>,
    collector: &mut Collector<'_>,
) -> Result<(), Error> {
    let mut reader = LineReader { columns: Columns::default(), number: 0, sound: 0 };
    while let Some(line) = lines.next_line().map_err(|error| failed(index, error))? {
        if reader.number == 0 {
            if let Some(block) = zipnum::Block::parse(&String::from_utf8_lossy(line)) {
                return zipnum::read(remote, index, block, lines, collector);
            }
            if !line.is_empty() && line.iter().take(256).any(|byte| *byte < 0x20 && *byte != b'\t') {
                return Err(not_an_index(index, "its first line is not text"));
            }
        }
        reader.line(index, line, collector)?;
    }
    Ok(())
}

/// Reads lines one after another.
pub(super) struct LineReader {
    pub(super) columns: Columns,
    pub(super) number: u64,
    pub(super) sound: u64,
}

impl LineReader {
    pub(super) fn line(
        &mut self,
        index: &Address,
        line: &[u8],
        collector: &mut Collector<'_>,
    ) -> Result<(), Error> {
        self.number += 1;
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() || line.starts_with('!') {
            return Ok(());
        }
        if let Some(columns) = Columns::of_first_line(&line) {
            self.columns = columns;
            return Ok(());
        }
        collector.counts.captures += 1;
        // The key of an index in columns may be another form of the address than the one that domains are kept in.
        let by_key = line.contains(")/") || line.contains(") ");
        if by_key && !collector.selection.may_want_key(key(&line)) {
            self.sound += 1;
            return Ok(());
        }
        match self.columns.parse(&line).and_then(|capture| collector.take(&capture, index)) {
            Ok(()) => self.sound += 1,
            Err(reason) if self.sound == 0 && self.number >= HOPELESS => {
                return Err(not_an_index(
                    index,
                    &format!("none of its first {HOPELESS} lines is CDXJ or CDX: {reason}"),
                ));
            }
            Err(reason) => malformed(collector, format!("{index}, line {}: {reason}", self.number)),
        }
        Ok(())
    }
}

pub(super) fn malformed(collector: &mut Collector<'_>, what: String) {
    collector.counts.malformed += 1;
    collector.counts.first_malformed.get_or_insert(what);
}

pub(super) fn failed(index: &Address, source: std::io::Error) -> Error {
    match crate::error::read_error(source) {
        Error::Read { source, .. } => Error::Index { index: index.to_string(), reason: source.to_string() },
        other => other,
    }
}

pub(super) fn not_an_index(index: &Address, reason: &str) -> Error {
    Error::Index {
        index: index.to_string(),
        reason: format!("{reason}; give CDXJ, CDX, a cluster.idx, or Parquet of the columnar index"),
    }
}

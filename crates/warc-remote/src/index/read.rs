//! Reads an index of any format.

use std::io::{BufRead, BufReader};

use super::collector::Collector;
use super::fault::not_an_index;
use super::lines::{LONGEST_LINE, LineReader};
use super::zipnum;
use crate::error::Error;
use crate::lines::{Lines, decompressed};
use crate::{Address, Remote, is_path_list};

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
    let failed = |source| Error::read(index, source);
    let mut source = BufReader::new(remote.open(index)?);
    if source.fill_buf().map_err(failed)?.starts_with(b"PAR1") {
        return parquet(remote, index, collector);
    }
    let lines = Lines::new(decompressed(source).map_err(failed)?, LONGEST_LINE);
    text(remote, index, lines, collector)
}

#[cfg(feature = "columnar")]
fn parquet(remote: &Remote, index: &Address, collector: &mut Collector<'_>) -> Result<(), Error> {
    super::columnar::read(remote, index, collector)
}

#[cfg(not(feature = "columnar"))]
fn parquet(_: &Remote, index: &Address, _: &mut Collector<'_>) -> Result<(), Error> {
    Err(not_an_index(index, "it is Parquet, and this build lacks the feature `columnar`", None))
}

/// The indexes in a folder: its `cluster.idx` if there is one, otherwise all `.cdx`, `.cdxj`, `.gz` and `.parquet` files.
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
        return Err(not_an_index(index, "the folder has no .cdx, .cdxj, .gz or .parquet file", None));
    }
    Ok(Some(parts))
}

fn text<R: BufRead>(
    remote: &Remote,
    index: &Address,
    mut lines: Lines<R>,
    collector: &mut Collector<'_>,
) -> Result<(), Error> {
    let mut reader = LineReader::default();
    while let Some(line) = lines.next_line().map_err(|source| Error::read(index, source))? {
        if reader.number() == 0 {
            if let Some(block) = zipnum::Block::parse(&String::from_utf8_lossy(line)) {
                return zipnum::read(remote, index, block, lines, collector);
            }
            if !line.is_empty() && line.iter().take(256).any(|byte| *byte < 0x20 && *byte != b'\t') {
                return Err(not_an_index(index, "its first line is not text", None));
            }
        }
        reader.line(index, line, collector)?;
    }
    Ok(())
}

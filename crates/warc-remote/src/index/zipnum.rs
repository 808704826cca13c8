//! ZipNum: a sorted index in gzip blocks of about 3,000 lines, and a list of the blocks.

use std::io::{BufRead, Cursor};
use std::ops::Range;

use super::cdx::key;
use super::collector::Collector;
use super::lines::{LONGEST_LINE, LineReader};
use super::spans::join_adjacent;
use crate::error::Error;
use crate::lines::{Lines, decompressed};
use crate::{Address, Remote};

/// Name of the list of blocks.
pub(super) const CLUSTER: &str = "cluster.idx";

/// A block of the index: `KEY TIME TAB FILE TAB OFFSET TAB LENGTH [TAB NUMBER]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    /// Key of its first line.
    key: String,
    file: String,
    range: Range<u64>,
}

impl Block {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let first = columns.next()?;
        let file = columns.next()?.to_owned();
        let offset: u64 = columns.next()?.parse().ok()?;
        let length: u64 = columns.next()?.parse().ok()?;
        Some(Self { key: key(first).to_owned(), file, range: offset..offset.checked_add(length)? })
    }
}

/// Reads the blocks that may contain wanted captures. `first` is the block of the line already read.
pub(super) fn read<R: BufRead>(
    remote: &Remote,
    cluster: &Address,
    first: Block,
    mut lines: Lines<R>,
    collector: &mut Collector<'_>,
) -> Result<(), Error> {
    let mut wanted: Vec<(String, Vec<Range<u64>>)> = Vec::new();
    let mut keep = |block: Block| match wanted.last_mut() {
        Some((file, ranges)) if *file == block.file => ranges.push(block.range),
        _ => wanted.push((block.file, vec![block.range])),
    };
    let (mut last, mut number) = (first, 1);
    while let Some(line) = lines.next_line().map_err(|source| Error::read(cluster, source))? {
        number += 1;
        let Some(block) = Block::parse(&String::from_utf8_lossy(line)) else {
            collector.malformed(format!("{cluster}, line {number}: it names no block"));
            continue;
        };
        // A block extends to the first key of the next one, which it may share.
        if collector.selection.may_want_keys(&last.key, Some(&block.key)) {
            keep(last);
        }
        last = block;
    }
    if collector.selection.may_want_keys(&last.key, None) {
        keep(last);
    }
    for (file, mut ranges) in wanted {
        let address = cluster.parent().join(&file)?;
        ranges.sort_by_key(|range| range.start);
        read_blocks(remote, &address, cluster, ranges, collector)?;
    }
    Ok(())
}

fn read_blocks(
    remote: &Remote,
    file: &Address,
    cluster: &Address,
    ranges: Vec<Range<u64>>,
    collector: &mut Collector<'_>,
) -> Result<(), Error> {
    collector.counts.files += 1;
    let mut reader = LineReader::default();
    for part in remote.parts(file, join_adjacent(ranges.into_iter()))? {
        let (range, bytes) = part?;
        let damaged = |error: std::io::Error| Error::Index {
            index: file.to_string(),
            reason: format!("the block at byte {} is damaged", range.start),
            source: Some(Box::new(error)),
        };
        let mut lines = Lines::new(decompressed(Cursor::new(bytes)).map_err(damaged)?, LONGEST_LINE);
        while let Some(line) = lines.next_line().map_err(damaged)? {
            // Archive names are relative to the list of blocks, which lies in the same folder.
            reader.line(cluster, line, collector)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_lines_of_the_block_list() {
        let block = Block::parse("jp,example)/a 20241201000000\tcdx-00000.gz\t120\t30\t2").unwrap();
        assert_eq!(
            (block.key.as_str(), block.file.as_str(), block.range),
            ("jp,example)/a", "cdx-00000.gz", 120..150)
        );
        for line in ["", "jp)/ 2024 {}", "a\tb\tc\td", "a\tb\t18446744073709551615\t1"] {
            assert_eq!(Block::parse(line), None, "{line}");
        }
    }
}

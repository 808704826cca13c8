//! ZipNum: a sorted index in gzip blocks of some 3,000 lines, and a list of where the blocks are.

use std::io::{BufRead, Cursor};
use std::ops::Range;

use super::cdx::{Columns, key};
use super::plan::{Collector, touching};
use super::read::{LONGEST_LINE, LineReader, failed, malformed};
use crate::error::Error;
use crate::lines::{Lines, unpacked};
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

/// Reads the blocks that may hold wanted captures. `first` is the block of the line already read.
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
    while let Some(line) = lines.next_line().map_err(|error| failed(cluster, error))? {
        number += 1;
        let Some(block) = Block::parse(&String::from_utf8_lossy(line)) else {
            malformed(collector, format!("{cluster}, line {number}: it names no block"));
            continue;
        };
        // A block goes up to the first key of the next one, which it may share.
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
    let mut reader = LineReader { columns: Columns::default(), number: 0, sound: 0 };
    for part in remote.parts(file, touching(ranges.into_iter()))? {
        let (range, bytes) = part?;
        let at = |error: std::io::Error| {
            let reason = format!("the block at byte {}: {error}", range.start);
            Error::Index { index: file.to_string(), reason }
        };
        let mut lines = Lines::new(unpacked(Cursor::new(bytes)).map_err(at)?, LONGEST_LINE);
        while let Some(line) = lines.next_line().map_err(at)? {
            // Names of archives are seen from the list of blocks, which lies in the same folder.
            reader.line(cluster, line, collector)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_the_list() {
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

//! Where the wanted captures are: archives, and in each the spans of bytes to read.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::cdx::Capture;
use super::read::{IndexCounts, read};
use super::select::Selection;
use crate::error::Error;
use crate::{Address, Remote, resolve};

/// Captures that lie so near to each other are fetched together: the bytes between them cost less than another
/// request (100 ms at some 10 MB/s would be worth 1 MB; half of it also pays on slower lines).
const NEAR: u64 = 512 << 10;
/// Longest span of more than one capture: it is held whole in memory.
const LONGEST: u64 = 8 << 20;

/// The places of all wanted captures.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    archives: Vec<ArchivePlan>,
    counts: IndexCounts,
}

/// The places of the wanted captures of one archive.
#[derive(Debug, Clone)]
pub struct ArchivePlan {
    /// The archive.
    pub address: Address,
    /// Its name as the index has it.
    pub name: String,
    /// What to read of it: sorted, not overlapping.
    pub spans: Vec<Span>,
}

impl ArchivePlan {
    /// The ranges of the spans, as [`Remote::parts`] wants them.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range<u64>> {
        self.spans.iter().map(|span| span.range.clone()).collect()
    }

    /// Bytes of all spans.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.spans.iter().map(|span| span.range.end - span.range.start).sum()
    }
}

/// Bytes of an archive that are fetched together, with the wanted captures in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes.
    pub range: Range<u64>,
    offsets: Vec<u64>,
}

impl Span {
    /// Whether a record at this offset is wanted; others may lie between wanted ones.
    #[must_use]
    pub fn wants(&self, offset: u64) -> bool {
        self.offsets.binary_search(&offset).is_ok()
    }

    /// Offsets of the wanted records, sorted.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }
}

impl Plan {
    /// Reads indexes and keeps the places of what the selection wants. Archives are looked for as [`resolve`] does:
    /// below `base`; without one at Common Crawl or beside the index. An index may also be a folder (local, or an S3
    /// prefix) or a list of indexes (`*.paths.gz`).
    ///
    /// # Errors
    /// Where an index cannot be read or is none.
    pub fn read(
        remote: &Remote,
        indexes: &[Address],
        selection: &Selection,
        base: Option<&Address>,
    ) -> Result<Self, Error> {
        let mut collector = Collector {
            selection,
            base,
            archives: Vec::new(),
            numbers: HashMap::new(),
            places: Vec::new(),
            counts: IndexCounts::default(),
        };
        for index in indexes {
            read(remote, index, &mut collector)?;
        }
        Ok(collector.finish())
    }

    /// The archives, by name.
    #[must_use]
    pub fn archives(&self) -> &[ArchivePlan] {
        &self.archives
    }

    /// What was read and kept of the indexes.
    #[must_use]
    pub fn counts(&self) -> &IndexCounts {
        &self.counts
    }
}

/// Takes captures over and keeps the places of the wanted ones.
pub(super) struct Collector<'a> {
    pub(super) selection: &'a Selection,
    pub(super) base: Option<&'a Address>,
    archives: Vec<(String, Address)>,
    numbers: HashMap<String, u32>,
    /// Number of the archive, offset, length.
    places: Vec<(u32, u64, u64)>,
    pub(super) counts: IndexCounts,
}

impl Collector<'_> {
    /// Takes a capture over if it is wanted. One without a place is an error to be counted.
    pub(super) fn take(&mut self, capture: &Capture<'_>, index: &Address) -> Result<(), String> {
        if !self.selection.wants(capture) {
            return Ok(());
        }
        let (Some(name), Some(offset)) = (capture.filename.as_deref(), capture.offset) else {
            return Err("it does not name an archive and an offset".into());
        };
        let Some(length) = capture.length.filter(|length| *length > 0) else {
            return Err("it does not tell the length of the record".into());
        };
        self.place(name, offset, length, index)
    }

    /// Keeps a place.
    pub(super) fn place(
        &mut self,
        name: &str,
        offset: u64,
        length: u64,
        index: &Address,
    ) -> Result<(), String> {
        if offset.checked_add(length).is_none() {
            return Err(format!("the offset {offset} and the length {length} are beyond any file"));
        }
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let address = resolve(name, self.base, index).map_err(|error| error.to_string())?;
                let number = u32::try_from(self.archives.len()).map_err(|error| error.to_string())?;
                self.archives.push((name.to_owned(), address));
                self.numbers.insert(name.to_owned(), number);
                number
            }
        };
        self.places.push((number, offset, length));
        self.counts.wanted += 1;
        Ok(())
    }

    fn finish(mut self) -> Plan {
        self.places.sort_unstable();
        self.places.dedup();
        let mut archives: Vec<ArchivePlan> = self
            .archives
            .into_iter()
            .map(|(name, address)| ArchivePlan { address, name, spans: Vec::new() })
            .collect();
        for of_one in self.places.chunk_by(|a, b| a.0 == b.0) {
            let number = of_one.first().map_or(0, |place| place.0) as usize;
            if let Some(archive) = archives.get_mut(number) {
                archive.spans = merge(of_one.iter().map(|(_, offset, length)| (*offset, *length)));
            }
        }
        archives.retain(|archive| !archive.spans.is_empty());
        archives.sort_by(|a, b| a.name.cmp(&b.name));
        Plan { archives, counts: self.counts }
    }
}

/// Merges places (sorted by offset) that lie near each other. Spans never overlap: where indexes disagree on a
/// length, the longer one holds.
fn merge(places: impl Iterator<Item = (u64, u64)>) -> Vec<Span> {
    let mut spans: Vec<(Range<u64>, BTreeSet<u64>)> = Vec::new();
    for (offset, length) in places {
        let end = offset + length;
        match spans.last_mut() {
            Some((range, offsets))
                if offset < range.end || (offset - range.end <= NEAR && end - range.start <= LONGEST) =>
            {
                range.end = range.end.max(end);
                offsets.insert(offset);
            }
            _ => spans.push((offset..end, BTreeSet::from([offset]))),
        }
    }
    spans.into_iter().map(|(range, offsets)| Span { range, offsets: offsets.into_iter().collect() }).collect()
}

/// Merges ranges that touch, up to the longest span.
pub(super) fn touching(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.end == range.start && range.end - last.start <= LONGEST => {
                last.end = range.end
            }
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(places: &[(u64, u64)]) -> Vec<(Range<u64>, Vec<u64>)> {
        merge(places.iter().copied()).into_iter().map(|span| (span.range, span.offsets)).collect()
    }

    #[test]
    fn merges_what_is_near_and_no_more() {
        assert_eq!(spans(&[(0, 10), (10, 5), (20, 5)]), [(0..25, vec![0, 10, 20])]);
        assert_eq!(spans(&[(0, 10), (NEAR + 11, 5)]).len(), 2);
        assert_eq!(spans(&[(0, 10), (NEAR + 10, 5)]).len(), 1);
        // The limit holds for spans of several captures, not for one.
        assert_eq!(spans(&[(0, LONGEST), (LONGEST, 5)]).len(), 2);
        assert_eq!(spans(&[(0, 3 * LONGEST)]), [(0..3 * LONGEST, vec![0])]);
        // What overlaps is one span in any case, and a place that is named twice is one.
        assert_eq!(spans(&[(0, LONGEST), (0, LONGEST + 1), (5, 1)]), [(0..LONGEST + 1, vec![0, 5])]);
        let span = &merge([(7, 3), (11, 1)].into_iter())[0];
        assert!(span.wants(7) && span.wants(11) && !span.wants(10));
    }

    #[test]
    fn joins_blocks_that_touch() {
        assert_eq!(touching([0..5, 5..9, 10..12].into_iter()), [0..9, 10..12]);
        assert_eq!(touching([0..LONGEST, LONGEST..LONGEST + 1].into_iter()).len(), 2);
    }
}

//! Spans of bytes that are fetched together.

use std::collections::BTreeSet;
use std::ops::Range;

/// Captures closer to each other than this are fetched together, because the bytes between them cost less than another
/// request (100 ms at about 10 MB/s equal 1 MB; half of that also pays on slower connections).
const NEAR: u64 = 512 << 10;
/// Longest span of more than one capture. A span is held in memory.
const LONGEST: u64 = 8 << 20;

/// Bytes of an archive that are fetched together, with the wanted captures in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes.
    pub range: Range<u64>,
    offsets: Vec<u64>,
}

impl Span {
    /// Whether the record at this offset is wanted. Other records may lie between wanted ones.
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

/// Merges locations (offset and length, sorted by offset) that lie near each other. Spans never overlap: if indexes
/// disagree about a length, the longer one counts.
pub(super) fn merge(locations: impl Iterator<Item = (u64, u64)>) -> Vec<Span> {
    let mut spans: Vec<(Range<u64>, BTreeSet<u64>)> = Vec::new();
    for (offset, length) in locations {
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

/// Joins adjacent ranges, up to the longest span.
pub(super) fn join_adjacent(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start && range.end - last.start <= LONGEST => {
                last.end = range.end
            }
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(locations: &[(u64, u64)]) -> Vec<(Range<u64>, Vec<u64>)> {
        merge(locations.iter().copied()).into_iter().map(|span| (span.range, span.offsets)).collect()
    }

    #[test]
    fn merges_only_near_locations() {
        assert_eq!(spans(&[(0, 10), (10, 5), (20, 5)]), [(0..25, vec![0, 10, 20])]);
        assert_eq!(spans(&[(0, 10), (NEAR + 11, 5)]).len(), 2);
        assert_eq!(spans(&[(0, 10), (NEAR + 10, 5)]).len(), 1);
        // The limit applies to spans of several captures, not to a single one.
        assert_eq!(spans(&[(0, LONGEST), (LONGEST, 5)]).len(), 2);
        assert_eq!(spans(&[(0, 3 * LONGEST)]), [(0..3 * LONGEST, vec![0])]);
        // Overlapping locations always form one span, and a location named twice counts once.
        assert_eq!(spans(&[(0, LONGEST), (0, LONGEST + 1), (5, 1)]), [(0..LONGEST + 1, vec![0, 5])]);
        let span = &merge([(7, 3), (11, 1)].into_iter())[0];
        assert!(span.wants(7) && span.wants(11) && !span.wants(10));
    }

    #[test]
    fn joins_only_adjacent_ranges() {
        assert_eq!(join_adjacent([0..5, 5..9, 10..12].into_iter()), [0..9, 10..12]);
        assert_eq!(join_adjacent([0..LONGEST, LONGEST..LONGEST + 1].into_iter()).len(), 2);
    }
}

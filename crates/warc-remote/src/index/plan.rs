//! What to read of which archives.

use std::ops::Range;

use super::collector::{Collector, IndexCounts};
use super::read::read;
use super::select::Selection;
use super::spans::{Span, merge};
use crate::error::Error;
use crate::{Address, Remote};

/// The locations of all wanted captures.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    archives: Vec<ArchivePlan>,
    counts: IndexCounts,
}

/// The locations of the wanted captures of one archive.
#[derive(Debug, Clone)]
pub struct ArchivePlan {
    /// The archive.
    pub address: Address,
    /// Its name as the index writes it.
    pub name: String,
    /// What to read of it, sorted and without overlaps.
    pub spans: Vec<Span>,
}

impl ArchivePlan {
    /// The ranges of the spans, as [`Remote::parts`] expects them.
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

impl Plan {
    /// Reads indexes and keeps the locations of the captures that the selection wants. An index may also be a folder
    /// (local, or an S3 prefix) or a list of indexes (`*.paths.gz`). [`resolve`](crate::resolve) locates the archives:
    /// below `base`, or without one at Common Crawl or beside the index.
    ///
    /// # Errors
    /// If an index cannot be read, or a file is not an index.
    pub fn read(
        remote: &Remote,
        indexes: &[Address],
        selection: &Selection,
        base: Option<&Address>,
    ) -> Result<Self, Error> {
        let mut collector = Collector::new(selection, base);
        for index in indexes {
            read(remote, index, &mut collector)?;
        }
        Ok(Self::from_collected(collector))
    }

    fn from_collected(collector: Collector<'_>) -> Self {
        let Collector { archives, mut locations, counts, .. } = collector;
        locations.sort_unstable();
        locations.dedup();
        let mut archives: Vec<ArchivePlan> = archives
            .into_iter()
            .map(|(name, address)| ArchivePlan { address, name, spans: Vec::new() })
            .collect();
        for of_archive in locations.chunk_by(|a, b| a.archive == b.archive) {
            let number = of_archive.first().map_or(0, |location| location.archive) as usize;
            if let Some(archive) = archives.get_mut(number) {
                archive.spans = merge(of_archive.iter().map(|location| (location.offset, location.length)));
            }
        }
        archives.retain(|archive| !archive.spans.is_empty());
        archives.sort_by(|a, b| a.name.cmp(&b.name));
        Self { archives, counts }
    }

    /// The archives, sorted by name.
    #[must_use]
    pub fn archives(&self) -> &[ArchivePlan] {
        &self.archives
    }

    /// Counts of the captures read and kept.
    #[must_use]
    pub fn counts(&self) -> &IndexCounts {
        &self.counts
    }
}

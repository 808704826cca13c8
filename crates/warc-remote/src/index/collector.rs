//! Collects the locations of the selected captures while an index is read.

use std::collections::HashMap;

use super::cdx::Capture;
use super::select::Selection;
use crate::{Address, resolve};

/// Counts of reading indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexCounts {
    /// Index files read.
    pub files: u64,
    /// Lines or rows examined. Those that a search by domain skips are not counted.
    pub captures: u64,
    /// Captures that the selection wants.
    pub wanted: u64,
    /// Malformed lines or rows.
    pub malformed: u64,
    /// The first malformed line: its place, and what is wrong with it.
    pub first_malformed: Option<String>,
}

/// The location of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    /// Number of the archive, in the order in which the index first named it.
    pub(super) archive: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Takes captures and keeps the locations of the wanted ones.
pub(super) struct Collector<'a> {
    pub(super) selection: &'a Selection,
    pub(super) base: Option<&'a Address>,
    /// Name and address of each archive.
    pub(super) archives: Vec<(String, Address)>,
    numbers: HashMap<String, u32>,
    pub(super) locations: Vec<Location>,
    pub(super) counts: IndexCounts,
}

impl<'a> Collector<'a> {
    pub(super) fn new(selection: &'a Selection, base: Option<&'a Address>) -> Self {
        Self {
            selection,
            base,
            archives: Vec::new(),
            numbers: HashMap::new(),
            locations: Vec::new(),
            counts: IndexCounts::default(),
        }
    }

    /// Keeps a capture if it is wanted. A wanted capture without a location is malformed: the reason is returned.
    pub(super) fn take(&mut self, capture: &Capture<'_>, index: &Address) -> Result<(), String> {
        if !self.selection.wants(capture) {
            return Ok(());
        }
        let (Some(name), Some(offset)) = (capture.filename.as_deref(), capture.offset) else {
            return Err("it names no archive or no offset".into());
        };
        let Some(length) = capture.length.filter(|length| *length > 0) else {
            return Err("it does not give the length of the record".into());
        };
        self.keep(name, offset, length, index)
    }

    /// Keeps a location.
    pub(super) fn keep(
        &mut self,
        name: &str,
        offset: u64,
        length: u64,
        index: &Address,
    ) -> Result<(), String> {
        if offset.checked_add(length).is_none() {
            return Err(format!("offset {offset} and length {length} exceed any file"));
        }
        let archive = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let address = resolve(name, self.base, index).map_err(|error| error.to_string())?;
                let number = u32::try_from(self.archives.len()).map_err(|error| error.to_string())?;
                self.archives.push((name.to_owned(), address));
                self.numbers.insert(name.to_owned(), number);
                number
            }
        };
        self.locations.push(Location { archive, offset, length });
        self.counts.wanted += 1;
        Ok(())
    }

    /// Counts a malformed line or row.
    pub(super) fn malformed(&mut self, reason: String) {
        self.counts.malformed += 1;
        self.counts.first_malformed.get_or_insert(reason);
    }
}

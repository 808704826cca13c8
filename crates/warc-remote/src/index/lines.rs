//! Reads the lines of an index in text form.

use super::cdx::{Columns, key};
use super::collector::Collector;
use super::fault::not_an_index;
use crate::Address;
use crate::error::Error;

/// Longest line of an index in bytes: a `data:` URL may be long.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// If this many lines are malformed and none is valid, the file is not an index.
const HOPELESS: u64 = 20;

/// Reads lines one after another.
#[derive(Default)]
pub(super) struct LineReader {
    columns: Columns,
    number: u64,
    valid: u64,
}

impl LineReader {
    /// Lines read so far.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads a line and passes its capture to the collector.
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
        // The key of an index in columns may be in another form than the domains of the selection.
        let is_surt = line.contains(")/") || line.contains(") ");
        if is_surt && !collector.selection.may_want_key(key(&line)) {
            self.valid += 1;
            return Ok(());
        }
        match self.columns.parse(&line).and_then(|capture| collector.take(&capture, index)) {
            Ok(()) => self.valid += 1,
            Err(reason) if self.valid == 0 && self.number >= HOPELESS => {
                let reason = format!("none of its first {HOPELESS} lines is CDXJ or CDX: {reason}");
                return Err(not_an_index(index, &reason, None));
            }
            Err(reason) => collector.malformed(format!("{index}, line {}: {reason}", self.number)),
        }
        Ok(())
    }
}

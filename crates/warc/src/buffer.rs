//! The two buffers of a decoder: compressed input, and decompressed bytes with the positions where members start.

use std::collections::VecDeque;
use std::io::Read;

use crate::error::Fault;

/// Memory of a finished reader, reused by the next one. New memory would cost a page fault for every 4 KiB.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    input: Vec<u8>,
    window: Vec<u8>,
}

impl Spare {
    /// Lends the memory to a reader that has read nothing yet.
    pub(crate) fn lend(&mut self, input: &mut Input, window: &mut Window) {
        input.buf = std::mem::take(&mut self.input);
        window.buf = std::mem::take(&mut self.window);
    }

    /// Takes the memory of a reader that is no longer used.
    pub(crate) fn take(&mut self, input: &mut Input, window: &mut Window) {
        self.input = std::mem::take(&mut input.buf);
        self.window = std::mem::take(&mut window.buf);
        self.input.clear();
        self.window.clear();
    }
}

/// Bytes of the archive that are not yet decompressed.
#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Vec<u8>,
    pos: usize,
    /// Offset in the archive of `buf[0]`.
    base: u64,
    /// Whether the archive ends with the buffer.
    pub(crate) finished: bool,
    /// Offset from which consumed bytes are kept, for a second pass.
    hold: Option<u64>,
}

impl Input {
    pub(crate) fn at_offset(base: u64) -> Self {
        Self { base, ..Self::default() }
    }

    /// Bytes not yet consumed.
    pub(crate) fn available(&self) -> &[u8] {
        self.buf.get(self.pos..).unwrap_or_default()
    }

    /// Offset in the archive of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    pub(crate) fn advance(&mut self, bytes: usize) {
        self.pos = (self.pos + bytes).min(self.buf.len());
    }

    /// Keeps all bytes from the current offset on.
    pub(crate) fn hold(&mut self) {
        self.hold = Some(self.offset());
    }

    pub(crate) fn release(&mut self) {
        self.hold = None;
    }

    /// Number of consumed bytes that are kept.
    pub(crate) fn held(&self) -> u64 {
        self.hold.map_or(0, |hold| self.offset() - hold)
    }

    /// Goes back to an offset, or to the earliest byte still held. Returns the new offset.
    pub(crate) fn rewind_to(&mut self, offset: u64) -> u64 {
        self.pos =
            usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.buf.len());
        self.offset()
    }

    /// Puts back the bytes that were given away or consumed last.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        if let Some(pos) = self.pos.checked_sub(bytes.len()) {
            self.pos = pos;
            return;
        }
        let offset = self.offset() - bytes.len() as u64;
        self.buf.splice(..self.pos, bytes.iter().copied());
        (self.base, self.pos) = (offset, 0);
    }

    fn compact(&mut self) {
        let keep = self.hold.map_or(self.pos, |hold| {
            usize::try_from(hold.saturating_sub(self.base)).unwrap_or(self.pos).min(self.pos)
        });
        if keep == self.buf.len() {
            self.buf.clear();
        } else if keep > 0 {
            self.buf.drain(..keep);
        }
        self.base += keep as u64;
        self.pos -= keep;
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.compact();
        self.buf.extend_from_slice(bytes);
    }

    /// Reads up to `bytes` more bytes from `source`. Returns 0 at its end.
    pub(crate) fn read_from(&mut self, source: &mut dyn Read, bytes: usize) -> std::io::Result<usize> {
        self.compact();
        source.take(bytes as u64).read_to_end(&mut self.buf)
    }

    /// Gives away everything available and takes `other` as the new, empty buffer.
    pub(crate) fn swap_out(&mut self, other: &mut Vec<u8>) -> usize {
        let start = self.pos;
        self.base += self.buf.len() as u64;
        self.pos = 0;
        std::mem::swap(&mut self.buf, other);
        self.buf.clear();
        start
    }
}

/// A position in the decompressed bytes where a member starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Position in the decompressed bytes of the whole archive.
    pub(crate) at: u64,
    /// Offset in the archive of the member whose bytes follow.
    pub(crate) offset: u64,
    /// Whether the bytes that follow are stored uncompressed.
    pub(crate) plain: bool,
}

/// The location of a byte of the window in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset of its member.
    pub(crate) offset: u64,
    /// Decompressed bytes of the member before it.
    pub(crate) within: u64,
    /// Whether it is stored uncompressed.
    pub(crate) plain: bool,
}

/// A gap in the decompressed bytes: what follows does not continue what comes before.
#[derive(Debug, Clone)]
struct Break {
    at: u64,
    fault: Fault,
}

/// Decompressed bytes: a sliding window with marks.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) buf: Vec<u8>,
    /// Next byte to parse.
    pub(crate) pos: usize,
    /// Number of decompressed bytes before `buf[0]`.
    pub(crate) base: u64,
    /// Sorted by position; the first may lie before the window.
    marks: VecDeque<Mark>,
    /// Sorted by position. There are only a few, because decompression stops at a gap until it is read.
    breaks: VecDeque<Break>,
}

impl Window {
    /// Drops the parsed bytes. Indexes into the window change.
    pub(crate) fn compact(&mut self) {
        let here = self.base + self.pos as u64;
        if self.pos == self.buf.len() {
            self.buf.clear();
        } else if self.pos > 0 {
            self.buf.drain(..self.pos);
        }
        self.base = here;
        self.pos = 0;
        while self.marks.get(1).is_some_and(|next| next.at <= here) {
            self.marks.pop_front();
        }
    }

    /// Position after the last decompressed byte.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.buf.len() as u64
    }

    /// The location of the byte at index `at`.
    pub(crate) fn locate(&self, at: usize) -> Place {
        let at = self.base + at as u64;
        let behind = self.marks.partition_point(|mark| mark.at <= at);
        match behind.checked_sub(1).and_then(|last| self.marks.get(last)) {
            Some(mark) => Place { offset: mark.offset, within: at - mark.at, plain: mark.plain },
            None => Place { offset: at, within: 0, plain: false },
        }
    }

    /// Offset of the first member that starts at or after index `from`.
    pub(crate) fn next_member(&self, from: usize) -> Option<u64> {
        let from = self.base + from as u64;
        let next = self.marks.partition_point(|mark| mark.at < from);
        self.marks.get(next).map(|mark| mark.offset)
    }

    /// Indexes in `range` at which members start.
    pub(crate) fn members(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let (start, end) = (self.base + range.start as u64, self.base + range.end as u64);
        let first = self.marks.partition_point(|mark| mark.at < start);
        self.marks
            .range(first..)
            .take_while(move |mark| mark.at < end)
            .map(|mark| usize::try_from(mark.at - self.base).unwrap_or(usize::MAX))
    }

    /// Index of the first gap at or after index `from`.
    pub(crate) fn next_break(&self, from: usize) -> Option<usize> {
        let from = self.base + from as u64;
        self.breaks
            .iter()
            .find(|place| place.at >= from)
            .map(|place| usize::try_from(place.at - self.base).unwrap_or(usize::MAX))
    }

    /// Offset of the fault of the gap at index `at`.
    pub(crate) fn broken_by(&self, at: usize) -> Option<u64> {
        let at = self.base + at as u64;
        self.breaks.iter().find(|place| place.at == at).map(|place| place.fault.offset)
    }

    /// Takes the fault of the gap at index `at`.
    pub(crate) fn take_fault(&mut self, at: usize) -> Option<Fault> {
        let at = self.base + at as u64;
        let first = self.breaks.iter().position(|place| place.at == at)?;
        self.breaks.remove(first).map(|place| place.fault)
    }

    /// Marks that the next bytes belong to the member at `offset`.
    pub(crate) fn mark(&mut self, offset: u64) {
        self.push(Mark { at: self.end(), offset, plain: false });
    }

    /// Marks that the next bytes are those of the archive from `offset` on.
    pub(crate) fn mark_plain(&mut self, offset: u64) {
        self.push(Mark { at: self.end(), offset, plain: true });
    }

    fn push(&mut self, mark: Mark) {
        if self.marks.back() != Some(&mark) {
            self.marks.push_back(mark);
        }
    }

    /// Marks a gap, after which the next bytes belong to the member at `offset`.
    pub(crate) fn interrupt(&mut self, offset: u64, fault: Fault) {
        self.breaks.push_back(Break { at: self.end(), fault });
        self.mark(offset);
    }
}

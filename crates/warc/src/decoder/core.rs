//! The state machine of the decoder.

mod body;
mod skip;

use std::collections::VecDeque;
use std::ops::Range;

use super::options::Options;
use crate::arc;
use crate::buffer::{Input, Spare, Window};
use crate::decompress::{Compressed, Decompressor, Fill, Form, Limits, begins_compressed, detect};
use crate::error::{Error, Fault, FaultKind};
use crate::head::Head;
use crate::location::Location;
use crate::search::{HeadEnd, head_end, is_record_start, is_version, padding};

/// Bytes needed to decide whether a record starts.
const START: usize = 16;
/// Bytes of the archive's start that an error shows.
const SHOWN: usize = 24;
/// First bytes of a record.
const VERSION: &[u8] = b"WARC/";

/// The next step of the core. Ranges are indexes in the window.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing yet: step again.
    Again,
    NeedInput,
    Record(Span),
    Body(Range<usize>),
    BodyEnd,
    Fault(Fault),
    End,
}

/// A record in the window of the core.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) location: Location,
    pub(crate) complete: bool,
    /// Indexes in the window; `None` if the body is streamed.
    pub(crate) body: Option<Range<usize>>,
}

/// A step inside a streamed body.
#[derive(Debug)]
pub(crate) enum BodyStep {
    NeedInput,
    Body(Range<usize>),
    End,
}

#[derive(Debug)]
enum State {
    Between,
    /// Skipping bytes that are not a record: their fault and their decompressed position.
    Garbage {
        fault: Fault,
        from: u64,
    },
    /// In a streamed body.
    Body {
        offset: u64,
        left: u64,
    },
    Done,
}

/// Whether the window has enough bytes.
enum Want {
    Ready,
    /// It never will: the archive ends, or a gap follows.
    Short,
    NeedInput,
}

/// The decoder without its header block.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) input: Input,
    pub(crate) total: Option<u64>,
    window: Window,
    decompressor: Option<Decompressor>,
    state: State,
    queue: VecDeque<Fault>,
    /// Bytes that were returned and not yet dropped from the window.
    consume: usize,
    /// Bytes of the current header block already searched.
    scanned: usize,
    /// Bytes of the current record already searched for members, and for records.
    members_seen: usize,
    searched: usize,
    arc: bool,
    /// Whether reading started in the middle of an archive.
    resumed: bool,
    /// Decompressed bytes to skip before the first record.
    over: u64,
    records: u64,
    start: Vec<u8>,
}

impl Core {
    pub(crate) fn new(options: Options, offset: u64) -> Self {
        Self {
            options,
            input: Input::at_offset(offset),
            total: None,
            window: Window::default(),
            decompressor: None,
            state: State::Between,
            queue: VecDeque::new(),
            consume: 0,
            scanned: 0,
            members_seen: 0,
            searched: 0,
            arc: false,
            resumed: false,
            over: 0,
            records: 0,
            start: Vec::new(),
        }
    }

    /// Starts with the memory of another decoder.
    pub(crate) fn borrow(&mut self, spare: &mut Spare) {
        spare.lend(&mut self.input, &mut self.window);
    }

    /// Returns the memory. Nothing is read afterwards.
    pub(crate) fn give_back(&mut self, spare: &mut Spare) {
        spare.take(&mut self.input, &mut self.window);
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.window.buf.get(range).unwrap_or_default()
    }

    /// Records returned so far.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn step(&mut self, head: &mut Head) -> Result<Step, Error> {
        loop {
            match self.advance(head)? {
                Step::Again => {}
                step => return Ok(step),
            }
        }
    }

    fn advance(&mut self, head: &mut Head) -> Result<Step, Error> {
        self.window.pos += std::mem::take(&mut self.consume);
        // Faults of a record follow its body, even if that is streamed.
        let in_body = matches!(self.state, State::Body { .. });
        if let Some(fault) = self.queue.pop_front_if(|_| !in_body) {
            return Ok(Step::Fault(fault));
        }
        if self.decompressor.is_none() && !self.detect() {
            return Ok(if self.input.finished { Step::End } else { Step::NeedInput });
        }
        match &self.state {
            State::Between => Ok(self.between(head)),
            State::Garbage { fault, from } => {
                let (fault, from) = (fault.clone(), *from);
                self.garbage(fault, from)
            }
            State::Body { .. } => Ok(match self.body_step() {
                BodyStep::NeedInput => Step::NeedInput,
                BodyStep::Body(range) => Step::Body(range),
                BodyStep::End => Step::BodyEnd,
            }),
            State::Done => Ok(Step::End),
        }
    }

    fn detect(&mut self) -> bool {
        let available = self.input.available();
        if available.is_empty() || (available.len() < SHOWN && !self.input.finished) {
            return false;
        }
        self.start = available[..available.len().min(SHOWN)].to_vec();
        match detect(&self.input) {
            Some(form) => {
                self.set_form(form, None);
                true
            }
            None => false,
        }
    }

    fn set_form(&mut self, form: Form, dictionary: Option<Vec<u8>>) {
        let limits =
            Limits { whole_member: self.options.buffer_limit, zstd_window_log: self.options.zstd_window_log };
        self.decompressor = Some(Decompressor::new(form, limits, dictionary));
    }

    /// Sets the facts that the start of the archive would have told, for reading from the middle.
    pub(crate) fn resume(&mut self, form: Form, arc: bool, dictionary: Option<Vec<u8>>) {
        self.set_form(form, dictionary);
        self.arc = arc;
        self.resumed = true;
    }

    /// Whether the last record was an ARC record.
    pub(crate) fn is_arc(&self) -> bool {
        self.arc
    }

    /// Whether the form is still that of the archive's start, so that a reader that starts here reads the same.
    pub(crate) fn is_as_begun(&self) -> bool {
        self.decompressor.as_ref().is_none_or(Decompressor::is_as_begun)
    }

    /// Whether no record was found so far.
    fn is_first(&self) -> bool {
        self.records == 0 && !self.resumed
    }

    fn fill(&mut self) -> Fill {
        match &mut self.decompressor {
            Some(decompressor) => decompressor.fill(&mut self.input, &mut self.window),
            None => Fill::NeedInput,
        }
    }

    /// Bytes from the current position to the next gap or the end of the window.
    fn here(&self) -> &[u8] {
        let end = self.window.next_break(self.window.pos).unwrap_or(self.window.buf.len());
        &self.window.buf[self.window.pos..end.min(self.window.buf.len())]
    }

    fn want(&mut self, bytes: usize) -> Want {
        loop {
            if self.here().len() >= bytes {
                return Want::Ready;
            }
            if self.window.next_break(self.window.pos).is_some() {
                return Want::Short;
            }
            match self.fill() {
                Fill::More => {}
                Fill::NeedInput => return Want::NeedInput,
                Fill::End => return Want::Short,
            }
        }
    }

    fn location(&self) -> Location {
        let place = self.window.locate(self.window.pos);
        if place.plain {
            Location { offset: place.offset + place.within, length: None, within: 0 }
        } else {
            Location { offset: place.offset, length: None, within: place.within }
        }
    }

    /// Whether everything in the window from here on is stored uncompressed.
    fn is_plain(&self) -> bool {
        self.decompressor.as_ref().is_some_and(Decompressor::is_plain)
            && self.window.locate(self.window.pos).plain
    }

    /// Whether the whole of a plain archive is in the window.
    fn is_all(&self) -> bool {
        self.input.finished && self.input.available().is_empty()
    }

    /// Puts compressed data back to be decompressed.
    fn decompress(&mut self, form: Form) {
        self.input.put_back(&self.window.buf[self.window.pos..]);
        self.window.buf.truncate(self.window.pos);
        if let Some(decompressor) = &mut self.decompressor {
            decompressor.change(form);
        }
    }

    /// Looks for a compressed member at the current position of a plain archive.
    fn compressed_here(&mut self) -> Option<Step> {
        while self.is_plain() {
            let data = self.here();
            let len = data.len();
            match begins_compressed(data, self.is_all()) {
                Compressed::At(_, form) => {
                    self.decompress(form);
                    return Some(Step::Again);
                }
                Compressed::Unsure(_) => {}
                Compressed::No => break,
            }
            if matches!(self.want(len + 1), Want::NeedInput) {
                return Some(Step::NeedInput);
            }
        }
        None
    }

    /// Skips decompressed bytes before the first record, for reading from the middle of a member.
    pub(crate) fn go_over(&mut self, bytes: u64) {
        self.over = bytes;
    }

    fn between(&mut self, head: &mut Head) -> Step {
        while self.over > 0 {
            match self.want(1) {
                Want::NeedInput => return Step::NeedInput,
                Want::Short if self.here().is_empty() => self.over = 0,
                Want::Ready | Want::Short => {
                    let step = self.here().len().min(usize::try_from(self.over).unwrap_or(usize::MAX));
                    self.window.pos += step;
                    self.over -= step as u64;
                }
            }
        }
        loop {
            let skip = padding(self.here());
            self.window.pos += skip;
            if !self.here().is_empty() {
                break;
            }
            if let Some(fault) = self.window.take_fault(self.window.pos) {
                return Step::Fault(fault);
            }
            match self.want(1) {
                Want::Ready | Want::Short if !self.here().is_empty() => {}
                Want::NeedInput => return Step::NeedInput,
                _ if self.window.next_break(self.window.pos).is_some() => {}
                _ => {
                    self.state = State::Done;
                    return Step::End;
                }
            }
        }
        if matches!(self.want(START), Want::NeedInput) {
            return Step::NeedInput;
        }
        if let Some(step) = self.compressed_here() {
            return step;
        }
        let data = self.here();
        if is_version(data) || is_record_start(data, false) {
            return self.warc_head(head);
        }
        if data.len() < START && VERSION.starts_with(data) {
            // The first letters of a record, followed by the end.
            let len = data.len();
            return self.cut_head(head, len);
        }
        self.arc_head(head)
    }

    fn warc_head(&mut self, head: &mut Head) -> Step {
        loop {
            let data = self.here();
            let len = data.len();
            // A member that starts a record ends the one before, whatever is missing of it.
            let member = self.record_member(self.scanned.max(1), len, self.arc);
            match head_end(&data[..member.unwrap_or(len)], self.scanned.min(len)) {
                HeadEnd::At { block, .. } if block > self.options.head_limit => return self.long_head(),
                HeadEnd::At { block, body } if block == body => return self.cut_head(head, block),
                HeadEnd::At { block, body } => {
                    head.parse(&data[..block]);
                    self.scanned = 0;
                    return self.body(head, body);
                }
                HeadEnd::None { .. } if member.is_some_and(|at| at <= self.options.head_limit) => {
                    return self.cut_head(head, member.unwrap_or(len));
                }
                HeadEnd::None { .. } if len > self.options.head_limit + 1 => return self.long_head(),
                HeadEnd::None { scanned } => self.scanned = scanned,
            }
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short => return self.cut_head(head, len),
            }
        }
    }

    fn long_head(&mut self) -> Step {
        self.scanned = 0;
        self.begin_garbage(FaultKind::HeaderTooLong)
    }

    /// Handles a header block that ends after `len` bytes without a blank line. Like other readers, returns its complete
    /// lines as a record without body if they tell type and URI, or if the archive starts with them; otherwise reports only
    /// a fault.
    fn cut_head(&mut self, head: &mut Head, len: usize) -> Step {
        self.scanned = 0;
        let location = self.location();
        let data = self.here();
        let lines = memchr::memrchr(b'\n', &data[..len]).map_or(0, |at| at + 1);
        head.parse(&data[..lines]);
        // The fault of the gap after it follows by itself.
        let broken = len == data.len() && self.window.next_break(self.window.pos).is_some();
        let fault = Fault::new(location.offset, FaultKind::TruncatedHeader);
        let named = ["WARC-Type", "WARC-Target-URI"].iter().all(|name| head.bytes(name).is_some());
        if named || (location.offset, location.within) == (0, 0) {
            self.queue.extend((!broken).then_some(fault));
            return self.give(location, len..len, len, false);
        }
        self.window.pos += len;
        (self.members_seen, self.searched) = (0, 0);
        if broken { Step::Again } else { Step::Fault(Fault { skipped: Some(len as u64), ..fault }) }
    }

    fn arc_head(&mut self, head: &mut Head) -> Step {
        let starts = self.here().starts_with(b"filedesc:") || self.arc || self.is_first();
        if starts {
            // The line must be complete.
            loop {
                let data = self.here();
                let (len, line) = (data.len(), memchr::memchr(b'\n', data).is_some());
                if line || len > arc::LINE_LIMIT {
                    break;
                }
                match self.want(len + 1) {
                    Want::Ready => {}
                    Want::NeedInput => return Step::NeedInput,
                    Want::Short => break,
                }
            }
        }
        let data = self.here();
        let Some(line) = arc::parse(data).filter(|_| starts) else {
            return self.begin_garbage(FaultKind::NotARecord);
        };
        let block = arc::as_head(&line, data);
        let len = line.len;
        self.arc = true;
        head.parse(&block);
        self.body(head, len)
    }
}

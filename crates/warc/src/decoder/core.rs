//! The state machine of the decoder.

mod skip;

use std::collections::VecDeque;
use std::ops::Range;

use super::search::{HeadEnd, head_end, is_version, next_record, padding, without_separator};
use super::{Options, Span};
use crate::arc;
use crate::buffer::{Input, Window};
use crate::error::{Error, Fault, FaultKind};
use crate::head::{Head, Length};
use crate::record::Location;
use crate::unpack::{Fill, Limits, Unpacker, is_record_start};

/// Bytes needed to tell whether a record begins.
const START: usize = 16;

/// What the core says next; ranges are indexes in the window.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing to say yet: step again.
    Again,
    NeedInput,
    Record(Span),
    Body(Range<usize>),
    BodyEnd,
    Fault(Fault),
    End,
}

/// A step inside a body that comes in pieces.
#[derive(Debug)]
pub(crate) enum BodyStep {
    NeedInput,
    Body(Range<usize>),
    End,
}

#[derive(Debug)]
enum State {
    Between,
    /// Skipping bytes that are no record: offset and unpacked position where they begin.
    Garbage {
        offset: u64,
        from: u64,
    },
    /// In a body that comes in pieces.
    Body {
        offset: u64,
        left: u64,
    },
    Done,
}

/// Whether enough bytes are in the window.
enum Want {
    Ready,
    /// Never will be: the archive ends or bytes are missing behind what there is.
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
    unpacker: Option<Unpacker>,
    state: State,
    queue: VecDeque<Fault>,
    /// Bytes given out and not yet dropped from the window.
    consume: usize,
    /// Bytes of the present header block already searched.
    scanned: usize,
    arc: bool,
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
            unpacker: None,
            state: State::Between,
            queue: VecDeque::new(),
            consume: 0,
            scanned: 0,
            arc: false,
            records: 0,
            start: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.window.buf.get(range).unwrap_or_default()
    }

    /// Records given out so far.
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
        if let Some(fault) = self.queue.pop_front() {
            return Ok(Step::Fault(fault));
        }
        if self.unpacker.is_none() && !self.detect() {
            return Ok(if self.input.finished { Step::End } else { Step::NeedInput });
        }
        match self.state {
            State::Between => Ok(self.between(head)),
            State::Garbage { offset, from } => self.garbage(offset, from),
            State::Body { .. } => Ok(match self.body_step() {
                BodyStep::NeedInput => Step::NeedInput,
                BodyStep::Body(range) => Step::Body(range),
                BodyStep::End => Step::BodyEnd,
            }),
            State::Done => Ok(Step::End),
        }
    }

    fn detect(&mut self) -> bool {
        if self.input.available().is_empty() {
            return false;
        }
        let limits =
            Limits { whole_member: self.options.buffer_limit, zstd_window_log: self.options.zstd_window_log };
        self.unpacker = Unpacker::detect(&self.input, limits);
        let available = self.input.available();
        self.start = available[..available.len().min(24)].to_vec();
        self.unpacker.is_some()
    }

    fn fill(&mut self) -> Fill {
        match &mut self.unpacker {
            Some(unpacker) => unpacker.fill(&mut self.input, &mut self.window),
            None => Fill::NeedInput,
        }
    }

    /// Bytes from the present position to the next break or the end of the window.
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
        let (offset, within) = self.window.locate(self.window.pos);
        if self.is_plain() {
            Location { offset: offset + within, length: None, within: 0 }
        } else {
            Location { offset, length: None, within }
        }
    }

    fn is_plain(&self) -> bool {
        self.unpacker.as_ref().is_some_and(Unpacker::is_plain)
    }

    fn between(&mut self, head: &mut Head) -> Step {
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
        if is_version(self.here()) || self.here().get(..5).is_some_and(|b| b.eq_ignore_ascii_case(b"WARC/")) {
            return self.warc_head(head);
        }
        self.arc_head(head)
    }

    fn warc_head(&mut self, head: &mut Head) -> Step {
        loop {
            let data = self.here();
            let len = data.len();
            match head_end(data, self.scanned.min(len)) {
                HeadEnd::At { block, body } => {
                    head.parse(&data[..block]);
                    self.scanned = 0;
                    let malformed = head.is_malformed() || block == body;
                    return self.body(head, body, malformed);
                }
                HeadEnd::None { .. } if len > self.options.head_limit => {
                    self.scanned = 0;
                    let location = self.location();
                    self.window.pos += 5;
                    self.queue.push_back(Fault::new(location.offset, FaultKind::HeaderTooLong));
                    return self.begin_garbage(location.offset);
                }
                HeadEnd::None { scanned } => self.scanned = scanned,
            }
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short => {
                    self.scanned = 0;
                    return self.cut_head(head, len);
                }
            }
        }
    }

    /// The archive ends in a header block: what there is of it is given out as a record without body.
    fn cut_head(&mut self, head: &mut Head, len: usize) -> Step {
        let location = self.location();
        head.parse(&self.here()[..len]);
        let broken = self.window.next_break(self.window.pos).is_some();
        if !broken {
            self.queue.push_back(Fault::new(location.offset, FaultKind::TruncatedHeader));
        }
        self.give(location, len..len, len, false)
    }

    fn arc_head(&mut self, head: &mut Head) -> Step {
        let starts = self.here().starts_with(b"filedesc:") || self.arc || self.records == 0;
        if starts {
            // The whole line must be there.
            loop {
                let data = self.here();
                let (len, line) = (data.len(), memchr::memchr(b'\n', data).is_some());
                if line || len > (64 << 10) {
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
        let Some(line) = arc::parse(data) else {
            let offset = self.location().offset;
            return self.begin_garbage(offset);
        };
        let block = arc::as_head(&line, data);
        let len = line.len;
        self.arc = true;
        head.parse(&block);
        self.body(head, len, false)
    }

    /// The record's body begins `start` bytes from here.
    fn body(&mut self, head: &mut Head, start: usize, malformed: bool) -> Step {
        let location = self.location();
        if malformed {
            self.queue.push_back(Fault::new(location.offset, FaultKind::MalformedHeader));
        }
        let step = match head.length() {
            Length::Bytes(length) => self.known(location, start, length),
            Length::Missing => self.unknown(location, start, start, FaultKind::MissingLength),
            Length::Invalid => self.unknown(location, start, start, FaultKind::InvalidLength),
        };
        if matches!(step, Step::NeedInput) && malformed {
            self.queue.pop_back();
        }
        step
    }

    fn known(&mut self, location: Location, start: usize, length: u64) -> Step {
        let beyond = self.total.is_some_and(|total| {
            self.is_plain() && location.offset.saturating_add(length).saturating_add(start as u64) > total
        });
        let large = length > self.options.buffer_limit as u64;
        if large && beyond {
            return self.unknown(location, start, start, FaultKind::LengthTooLarge);
        }
        // Of a large body as much as may be held is looked at first: a lying length is found out there.
        let end = start + self.options.buffer_limit.min(usize::try_from(length).unwrap_or(usize::MAX));
        loop {
            let have = self.here().len();
            if let Some(member) = self.record_member(start, end.min(have)) {
                let body_end = without_separator(self.here(), member).max(start);
                self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
                return self.give(location, start..body_end, member, true);
            }
            if have >= end && large {
                self.state = State::Body { offset: location.offset, left: length };
                self.consume = start;
                self.records += 1;
                return Step::Record(Span { location, complete: true, body: None });
            }
            if have >= end {
                return self.tail(location, start, end);
            }
            if self.window.next_break(self.window.pos).is_some() {
                return self.cut_body(location, start);
            }
            match self.fill() {
                Fill::More => {}
                Fill::NeedInput => return Step::NeedInput,
                Fill::End => return self.cut_body(location, start),
            }
        }
    }

    /// Index (from here) of a member in the range that begins a record.
    fn record_member(&self, start: usize, end: usize) -> Option<usize> {
        if self.is_plain() || start >= end {
            return None;
        }
        let pos = self.window.pos;
        self.window
            .members(pos + start..pos + end)
            .find(|at| is_record_start(&self.window.buf[*at..]))
            .map(|at| at - pos)
    }

    /// The body is whole by its length; looks whether a record may begin behind it.
    fn tail(&mut self, location: Location, start: usize, end: usize) -> Step {
        loop {
            let data = self.here();
            let after = end + padding(&data[end..]);
            let at = self.window.pos + after;
            if after < data.len() {
                let rest = &data[after..];
                let sure = is_record_start(rest) || self.window.members(at..at + 1).next().is_some();
                let long_enough = rest.len() >= if self.arc { 4096 } else { START };
                if sure {
                    return self.give(location, start..end, after, true);
                }
                if long_enough {
                    return self.mismatch(location, start, end, after);
                }
            } else if !self.is_plain() && self.window.members(at..at + 1).next().is_some() {
                return self.give(location, start..end, after, true);
            }
            let len = data.len();
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short if after < len => return self.mismatch(location, start, end, after),
                Want::Short => return self.give(location, start..end, after, true),
            }
        }
    }

    /// Behind the body comes neither a record nor an end.
    fn mismatch(&mut self, location: Location, start: usize, end: usize, after: usize) -> Step {
        if let Some(next) = next_record(&self.here()[..end], start, self.arc) {
            let body_end = without_separator(self.here(), next).max(start);
            self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
            return self.give(location, start..body_end, next, true);
        }
        if after > end + 1 || (self.arc && after > end) {
            // A blank line ends the body as it should: foreign bytes follow.
            return self.give(location, start..end, after, true);
        }
        self.unknown(location, start, end, FaultKind::LengthTooSmall)
    }

    /// The archive ends, or bytes are missing, before the body is whole.
    fn cut_body(&mut self, location: Location, start: usize) -> Step {
        let len = self.here().len();
        if let Some(next) = next_record(self.here(), start, self.arc) {
            let body_end = without_separator(self.here(), next).max(start);
            self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
            return self.give(location, start..body_end, next, true);
        }
        if self.window.next_break(self.window.pos).is_none() {
            self.queue.push_back(Fault::new(location.offset, FaultKind::TruncatedBody));
        }
        self.give(location, start..len.max(start), len.max(start), false)
    }

    /// The body ends where the next record begins, at `from` or later.
    fn unknown(&mut self, location: Location, start: usize, from: usize, kind: FaultKind) -> Step {
        loop {
            let data = self.here();
            let len = data.len();
            let member = self.record_member(from.max(1), len);
            let next = next_record(data, from.min(len), self.arc);
            if let Some(next) = [member, next].into_iter().flatten().min() {
                let body_end = without_separator(data, next).max(start);
                self.queue.push_back(Fault::new(location.offset, kind));
                return self.give(location, start..body_end, next, true);
            }
            if len > start + self.options.buffer_limit {
                self.queue.push_back(Fault::new(location.offset, kind));
                return self.give(location, start..from.max(start), from, false);
            }
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short => {
                    let cut = kind == FaultKind::LengthTooLarge;
                    let kind = if cut { FaultKind::TruncatedBody } else { kind };
                    let end = if cut { len } else { without_separator(self.here(), len) }.max(start);
                    self.queue.push_back(Fault::new(location.offset, kind));
                    return self.give(location, start..end, len.max(start), !cut);
                }
            }
        }
    }

    /// Gives a record out. `body` and `next` (where to go on) are counted from here.
    fn give(&mut self, mut location: Location, body: Range<usize>, next: usize, complete: bool) -> Step {
        let pos = self.window.pos;
        location.length = self.packed_length(location.offset, pos + body.end, pos + next);
        self.state = State::Between;
        self.consume = next;
        self.records += 1;
        let body = pos + body.start..pos + body.end;
        Step::Record(Span { location, complete, body: Some(body) })
    }

    fn packed_length(&self, offset: u64, end: usize, next: usize) -> Option<u64> {
        if self.is_plain() {
            let (start, within) = self.window.locate(next);
            return Some((start + within).saturating_sub(offset));
        }
        let end = self.window.base + end as u64;
        self.window.marks.iter().find(|mark| mark.at >= end).map(|mark| mark.offset.saturating_sub(offset))
    }
}

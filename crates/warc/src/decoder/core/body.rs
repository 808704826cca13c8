//! Finds the end of a record's body: where its header says, or where the next record starts.

use std::ops::Range;

use super::{Core, START, Span, State, Step, Want};
use crate::arc;
use crate::decompress::Fill;
use crate::error::{Fault, FaultKind};
use crate::head::{Head, Length};
use crate::location::Location;
use crate::search::{LOOK_AHEAD, is_record_start, next_record, padding, without_separator};

/// Largest padding in bytes after a body that is waited for.
const PADDING_LIMIT: usize = 64 << 10;

/// Why the end of a body is searched.
#[derive(Debug, Clone, Copy)]
enum Unsure {
    /// The header does not give a length.
    Kind(FaultKind),
    /// The header gives this length, but no body ends there.
    Declared(usize),
}

impl Unsure {
    /// The fault if the body ends at `end`.
    fn kind(self, end: usize) -> FaultKind {
        match self {
            Self::Kind(kind) => kind,
            Self::Declared(declared) if end < declared => FaultKind::LengthTooLarge,
            Self::Declared(_) => FaultKind::LengthTooSmall,
        }
    }

    fn declared(self) -> Option<usize> {
        match self {
            Self::Kind(_) => None,
            Self::Declared(end) => Some(end),
        }
    }
}

impl Core {
    /// Reads the body that starts `start` bytes from here.
    pub(super) fn body(&mut self, head: &mut Head, start: usize) -> Step {
        let location = self.location();
        let malformed = head.is_malformed();
        if malformed {
            self.queue.push_back(Fault::new(location.offset, FaultKind::MalformedHeader));
        }
        let step = match head.length() {
            Length::Bytes(length) => self.known(location, start, length),
            Length::Missing => self.unknown(location, start, FaultKind::MissingLength),
            Length::Invalid => self.unknown(location, start, FaultKind::InvalidLength),
        };
        if matches!(step, Step::NeedInput) && malformed {
            self.queue.pop_back();
        }
        step
    }

    /// Bytes before the end of the window in which a record may start without being recognised yet.
    fn unsure(&self) -> usize {
        if self.arc { arc::LINE_LIMIT } else { LOOK_AHEAD }
    }

    /// Whether the rest of the archive cannot contain a record of this many bytes, even at the best compression ratio of
    /// its form.
    fn is_beyond(&self, location: Location, length: u64) -> bool {
        let Some(total) = self.total else { return false };
        let rest = total.saturating_sub(location.offset);
        if self.window.locate(self.window.pos).plain {
            return length > rest;
        }
        let most =
            self.decompressor.as_ref().map_or(u64::MAX, |decompressor| decompressor.most_decompressed(rest));
        location.within.saturating_add(length) > most
    }

    fn known(&mut self, location: Location, start: usize, length: u64) -> Step {
        let large = length > self.options.buffer_limit as u64;
        if large && self.is_beyond(location, length.saturating_add(start as u64)) {
            return self.unknown(location, start, FaultKind::LengthTooLarge);
        }
        // Of a large body, examine as much as may be held first: that detects a wrong length.
        let end = start + self.options.buffer_limit.min(usize::try_from(length).unwrap_or(usize::MAX));
        loop {
            let have = self.here().len();
            if let Some(member) = self.record_member(start.max(self.members_seen), end.min(have), self.arc) {
                let body_end = without_separator(self.here(), member).max(start);
                self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
                return self.give(location, start..body_end, member, true);
            }
            self.members_seen = have.saturating_sub(self.unsure());
            if large && have >= end + START {
                return self.in_pieces(location, start, length);
            }
            if !large && have >= end {
                return self.tail(location, start, end);
            }
            let over = self.window.next_break(self.window.pos).is_some();
            match if over { Fill::End } else { self.fill() } {
                Fill::More => {}
                Fill::NeedInput => return Step::NeedInput,
                Fill::End if large && have >= end => return self.in_pieces(location, start, length),
                Fill::End => return self.cut_body(location, start),
            }
        }
    }

    /// Returns a record with a streamed body.
    fn in_pieces(&mut self, location: Location, start: usize, length: u64) -> Step {
        self.state = State::Body { offset: location.offset, left: length };
        self.consume = start;
        self.members_seen = 0;
        self.records += 1;
        Step::Record(Span { location, complete: true, body: None })
    }

    /// Index (from here) of a member in the range that starts a record.
    pub(super) fn record_member(&self, start: usize, end: usize, arc: bool) -> Option<usize> {
        if start >= end {
            return None;
        }
        let pos = self.window.pos;
        self.window
            .members(pos + start..pos + end)
            .find(|at| is_record_start(&self.window.buf[*at..], arc))
            .map(|at| at - pos)
    }

    /// Checks whether a record may start after a body that is complete by its length.
    fn tail(&mut self, location: Location, start: usize, end: usize) -> Step {
        loop {
            let data = self.here();
            let after = end + padding(&data[end..]);
            let at = self.window.pos + after;
            let member = self.window.members(at..at + 1).next().is_some();
            let rest = &data[after..];
            if member || is_record_start(rest, self.arc) || after - end > PADDING_LIMIT {
                return self.whole(location, start..end, after);
            }
            let long_enough = if self.arc {
                rest.contains(&b'\n') || rest.len() > arc::LINE_LIMIT
            } else {
                rest.len() >= START
            };
            if long_enough {
                return self.mismatch(location, start, end, after);
            }
            let len = data.len();
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short if after < len => return self.mismatch(location, start, end, after),
                Want::Short => return self.whole(location, start..end, after),
            }
        }
    }

    /// Returns a record whose body is followed by a record or the end.
    fn whole(&mut self, location: Location, body: Range<usize>, after: usize) -> Step {
        // ARC records are separated by one line end, and the first one of a file ends with its own blank line.
        let counted = counted_separator(&self.here()[..after], &body).filter(|_| !self.arc);
        let end = match counted {
            Some(end) => {
                self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
                end
            }
            None => body.end,
        };
        self.give(location, body.start..end, after, true)
    }

    /// Handles a body that is followed by neither a record nor the end.
    fn mismatch(&mut self, location: Location, start: usize, end: usize, after: usize) -> Step {
        let behind = &self.here()[end..];
        let separated = behind.starts_with(b"\r\n\r\n") || behind.starts_with(b"\n\n");
        if separated || (self.arc && after > end) {
            // A blank line ends the body as required: foreign bytes follow.
            return self.give(location, start..end, after, true);
        }
        self.until_record(location, start, Unsure::Declared(end))
    }

    /// Handles a body that is cut by the end of the archive or a gap.
    fn cut_body(&mut self, location: Location, start: usize) -> Step {
        let len = self.here().len();
        if let Some(next) = next_record(self.here(), start, start, self.arc) {
            let body_end = without_separator(self.here(), next).max(start);
            self.queue.push_back(Fault::new(location.offset, FaultKind::LengthTooLarge));
            return self.give(location, start..body_end, next, true);
        }
        if self.window.next_break(self.window.pos).is_none() {
            self.queue.push_back(Fault::new(location.offset, FaultKind::TruncatedBody));
        }
        self.give(location, start..len.max(start), len.max(start), false)
    }

    fn unknown(&mut self, location: Location, start: usize, kind: FaultKind) -> Step {
        self.until_record(location, start, Unsure::Kind(kind))
    }

    /// Ends the body where the next record starts.
    fn until_record(&mut self, location: Location, start: usize, unsure: Unsure) -> Step {
        let most = start + self.options.buffer_limit;
        loop {
            let data = self.here();
            let len = data.len();
            let from = self.searched.max(start).min(len);
            let member = self.record_member(from.max(1), len, self.arc);
            let next = next_record(data, from, start, self.arc);
            if let Some(next) = [member, next].into_iter().flatten().min().filter(|next| *next <= most) {
                let body_end = without_separator(data, next).max(start);
                self.queue.push_back(Fault::new(location.offset, unsure.kind(next)));
                return self.give(location, start..body_end, next, true);
            }
            self.searched = len.saturating_sub(self.unsure());
            if len > most + self.unsure() {
                // Too much to hold: the declared length is the best guess.
                let end = unsure.declared().unwrap_or(most);
                self.queue.push_back(Fault::new(location.offset, unsure.kind(usize::MAX)));
                return self.give(location, start..end, end, false);
            }
            match self.want(len + 1) {
                Want::Ready => {}
                Want::NeedInput => return Step::NeedInput,
                Want::Short => {
                    let kind = unsure.kind(usize::MAX);
                    let cut = kind == FaultKind::LengthTooLarge;
                    let kind = if cut { FaultKind::TruncatedBody } else { kind };
                    let end = if cut { len } else { without_separator(self.here(), len) }.max(start);
                    self.queue.push_back(Fault::new(location.offset, kind));
                    return self.give(location, start..end, len.max(start), !cut);
                }
            }
        }
    }

    /// Returns a record. `body` and `next` (where to continue) are relative to the current position.
    pub(super) fn give(
        &mut self,
        mut location: Location,
        body: Range<usize>,
        next: usize,
        complete: bool,
    ) -> Step {
        let pos = self.window.pos;
        location.length = self.compressed_length(location.offset, pos + body.end, pos + next);
        self.state = State::Between;
        self.consume = next;
        (self.members_seen, self.searched) = (0, 0);
        self.records += 1;
        let body = pos + body.start..pos + body.end;
        Step::Record(Span { location, complete, body: Some(body) })
    }

    fn compressed_length(&self, offset: u64, end: usize, next: usize) -> Option<u64> {
        let place = self.window.locate(next);
        if place.plain {
            return Some((place.offset + place.within).saturating_sub(offset));
        }
        self.window.next_member(end).map(|member| member.saturating_sub(offset))
    }
}

/// The end of the body if its length includes the blank line after it, because nothing else of a blank line is left before
/// the end of `data`. A body that still ends with a blank line may be meant so, as the header of an HTTP message is.
fn counted_separator(data: &[u8], body: &Range<usize>) -> Option<usize> {
    let from = data.strip_suffix(b"\r\n\r\n")?.len();
    if from < body.start || from >= body.end || data[body.start..from].ends_with(b"\r\n\r\n") {
        return None;
    }
    let text = &data[body.start..];
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(0)];
    let message = memchr::memmem::find(line, b"HTTP/").is_some();
    let blank = memchr::memmem::find(text, b"\r\n\r\n").map_or(0, |at| body.start + at + 4);
    (!message || blank <= from).then_some(from)
}

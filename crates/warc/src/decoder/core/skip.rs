//! Going over what is no record, and over bodies that come in pieces.

use super::{BodyStep, Core, State, Step, Want};
use crate::decoder::search::next_record;
use crate::error::{Error, Fault, FaultKind};
use crate::unpack::Fill;

/// Bytes kept while searching for the next record: a version line and its first field fit.
const KEPT: usize = 1024;

impl Core {
    pub(super) fn begin_garbage(&mut self, offset: u64) -> Step {
        self.state = State::Garbage { offset, from: self.window.base + self.window.pos as u64 };
        Step::Again
    }

    /// Skips to the next record and gives one fault for all that was skipped.
    pub(super) fn garbage(&mut self, offset: u64, from: u64) -> Result<Step, Error> {
        loop {
            let data = self.here();
            let len = data.len();
            let first = usize::from(self.window.base + self.window.pos as u64 == from);
            let member = self.record_member(first, len);
            let next = next_record(data, first, self.arc || self.records == 0);
            if let Some(next) = [member, next].into_iter().flatten().min() {
                self.window.pos += next;
                return Ok(self.end_garbage(offset, from));
            }
            // What begins near the end may be a record once more bytes are there.
            self.window.pos += len.saturating_sub(KEPT);
            let kept = self.here().len();
            match self.want(kept + 1) {
                Want::Ready => {}
                Want::NeedInput => return Ok(Step::NeedInput),
                Want::Short => {
                    self.window.pos += kept;
                    let over = self.window.next_break(self.window.pos).is_none();
                    if over && self.records == 0 {
                        self.state = State::Done;
                        let start = self.start.escape_ascii().to_string();
                        return Err(Error::NotAnArchive { bytes: self.input.offset(), start });
                    }
                    return Ok(self.end_garbage(offset, from));
                }
            }
        }
    }

    fn end_garbage(&mut self, offset: u64, from: u64) -> Step {
        self.state = State::Between;
        let skipped = self.window.base + self.window.pos as u64 - from;
        Step::Fault(Fault { offset, kind: FaultKind::NotARecord, skipped: Some(skipped) })
    }

    /// The next piece of a body that comes in pieces.
    pub(crate) fn body_step(&mut self) -> BodyStep {
        self.window.pos += std::mem::take(&mut self.consume);
        loop {
            let State::Body { offset, left } = self.state else { return BodyStep::End };
            if left == 0 {
                self.state = State::Between;
                return BodyStep::End;
            }
            let pos = self.window.pos;
            let have = self.here().len();
            if have == 0 {
                if self.window.next_break(pos).is_some() {
                    self.state = State::Between;
                    return BodyStep::End;
                }
                match self.fill() {
                    Fill::More => continue,
                    Fill::NeedInput => return BodyStep::NeedInput,
                    Fill::End => {
                        self.queue.push_back(Fault::new(offset, FaultKind::TruncatedBody));
                        self.state = State::Between;
                        return BodyStep::End;
                    }
                }
            }
            let mut take = have.min(usize::try_from(left).unwrap_or(usize::MAX));
            match self.record_member(0, take) {
                Some(0) => {
                    self.queue.push_back(Fault::new(offset, FaultKind::LengthTooLarge));
                    self.state = State::Between;
                    return BodyStep::End;
                }
                Some(member) => take = member,
                None => {}
            }
            self.state = State::Body { offset, left: left - take as u64 };
            self.consume = take;
            return BodyStep::Body(pos..pos + take);
        }
    }
}

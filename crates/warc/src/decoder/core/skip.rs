//! Skips bytes that are not a record, and steps through streamed bodies.

use super::{BodyStep, Core, START, State, Step, Want};
use crate::arc::LINE_LIMIT;
use crate::decompress::{Compressed, Fill, compressed_record};
use crate::error::{Error, Fault, FaultKind};
use crate::search::{LOOK_AHEAD, is_record_start, next_record};

impl Core {
    pub(super) fn begin_garbage(&mut self, kind: FaultKind) -> Step {
        let fault = Fault::new(self.location().offset, kind);
        self.state = State::Garbage { fault, from: self.window.base + self.window.pos as u64 };
        Step::Again
    }

    /// Skips to the next record and reports one fault for everything skipped.
    pub(super) fn garbage(&mut self, fault: Fault, from: u64) -> Result<Step, Error> {
        let arc = self.arc || self.is_first();
        let unsure = if arc { LINE_LIMIT } else { LOOK_AHEAD };
        loop {
            let data = self.here();
            let len = data.len();
            let first = usize::from(self.window.base + self.window.pos as u64 == from);
            let member = self.record_member(first, len, arc);
            let next = next_record(data, first, usize::MAX, arc);
            let next = [member, next].into_iter().flatten().min();
            let compressed = match self.is_plain() {
                true => compressed_record(data, first..next.unwrap_or(len).max(first), self.is_all()),
                false => Compressed::No,
            };
            let (next, unknown) = match compressed {
                Compressed::At(at, _) => (Some(at), len),
                Compressed::Unsure(at) => (None, at),
                Compressed::No => (next, len),
            };
            if let Some(next) = next {
                self.window.pos += next;
                return Ok(self.end_garbage(fault, from));
            }
            // Bytes near the end may turn out to be a record once more bytes arrive.
            self.window.pos += len.saturating_sub(unsure).min(unknown);
            let kept = self.here().len();
            match self.want(kept + 1) {
                Want::Ready => {}
                Want::NeedInput => return Ok(Step::NeedInput),
                Want::Short => {
                    self.window.pos += kept;
                    let over = self.window.next_break(self.window.pos).is_none();
                    if over && self.is_first() && fault.kind == FaultKind::NotARecord {
                        self.state = State::Done;
                        let start = self.start.escape_ascii().to_string();
                        return Err(Error::NotAnArchive { bytes: self.input.offset(), start });
                    }
                    if self.window.broken_by(self.window.pos) == Some(fault.offset) {
                        // They belong to a damaged member, whose fault suffices.
                        self.state = State::Between;
                        return Ok(Step::Again);
                    }
                    return Ok(self.end_garbage(fault, from));
                }
            }
        }
    }

    fn end_garbage(&mut self, fault: Fault, from: u64) -> Step {
        self.state = State::Between;
        let skipped = self.window.base + self.window.pos as u64 - from;
        Step::Fault(Fault { skipped: Some(skipped), ..fault })
    }

    /// The next piece of a streamed body.
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
            // A member that starts a record ends the body, whatever the header says, so a piece ends where the next member
            // starts.
            let begins = self.window.members(pos..pos + 1).next().is_some();
            take = self.window.members(pos + 1..pos + take).next().map_or(take, |next| next - pos);
            if begins {
                if matches!(self.want(START), Want::NeedInput) {
                    return BodyStep::NeedInput;
                }
                if is_record_start(self.here(), self.arc) {
                    self.queue.push_back(Fault::new(offset, FaultKind::LengthTooLarge));
                    self.state = State::Between;
                    return BodyStep::End;
                }
            }
            // Decompression may have moved the window.
            let pos = self.window.pos;
            self.state = State::Body { offset, left: left - take as u64 };
            self.consume = take;
            return BodyStep::Body(pos..pos + take);
        }
    }
}

//! Common to all compressed forms: consecutive members, padding between them, and the search for the next valid member
//! after damage.

use super::detect::{begins_other, other_record};
use super::format::{Compressed, Fill, Form, Format, Outcome, Probe};
use crate::buffer::{Input, Window};
use crate::error::{Fault, FaultKind};

/// Compressed bytes kept for a second pass while a member is streamed.
const HOLD: u64 = 4 << 20;

/// Decompresses members of one form.
#[derive(Debug)]
pub(crate) struct Members<F> {
    pub(super) format: F,
    state: State,
    /// Offset of the last member that decompressed.
    last: Option<u64>,
}

#[derive(Debug)]
enum State {
    Between,
    /// In the member that starts at this offset.
    Inside(u64),
    Search(Search),
}

impl<F: Format> Members<F> {
    pub(super) fn new(format: F) -> Self {
        Self { format, state: State::Between, last: None }
    }

    /// Continues to decompress. Sets `other` if the next bytes have another form.
    pub(super) fn fill(&mut self, input: &mut Input, window: &mut Window, other: &mut Option<Form>) -> Fill {
        match &self.state {
            State::Between => self.between(input, window, other),
            State::Inside(start) => {
                let start = *start;
                if input.held() > HOLD {
                    input.release();
                }
                let outcome = self.format.go_on(input, window);
                self.settle(outcome, start, input, window)
            }
            State::Search(search) => {
                let fill = search.step::<F>(input, window, other);
                if fill == Fill::More {
                    self.state = State::Between;
                }
                fill
            }
        }
    }

    fn between(&mut self, input: &mut Input, window: &mut Window, other: &mut Option<Form>) -> Fill {
        let padding = input.available().iter().take_while(|byte| matches!(byte, 0 | b'\r' | b'\n')).count();
        input.advance(padding);
        let bytes = input.available();
        if bytes.is_empty() {
            return if input.finished { Fill::End } else { Fill::NeedInput };
        }
        if bytes.len() < F::LEAST && !input.finished {
            return Fill::NeedInput;
        }
        let start = input.offset();
        if !F::begins(bytes) {
            match begins_other(bytes, input.finished) {
                Compressed::At(_, form) if form != F::FORM => {
                    input.release();
                    *other = Some(form);
                    return Fill::More;
                }
                Compressed::Unsure(_) => return Fill::NeedInput,
                _ => {}
            }
            // Without a checksum, the member before may have consumed a part of this one.
            let from = match self.last.take() {
                Some(last) if !F::CHECKED && input.held() > 0 => input.rewind_to(last + 1),
                _ => start,
            };
            input.release();
            self.state = State::Search(Search::new(start, FaultKind::Garbage, from, start));
            return Fill::More;
        }
        input.hold();
        window.mark(start);
        let outcome = self.format.begin(input, window);
        if outcome == Outcome::More {
            self.state = State::Inside(start);
        }
        self.settle(outcome, start, input, window)
    }

    fn settle(&mut self, outcome: Outcome, start: u64, input: &mut Input, window: &mut Window) -> Fill {
        let kind = match outcome {
            Outcome::More => return Fill::More,
            Outcome::Ended => {
                self.last = Some(start);
                if F::CHECKED {
                    input.release();
                }
                self.state = State::Between;
                window.mark(input.offset());
                return Fill::More;
            }
            Outcome::Short if !input.finished => return Fill::NeedInput,
            Outcome::Short => FaultKind::TruncatedMember,
            Outcome::Damaged(kind) => kind,
        };
        // The search starts after the first byte of the member, if that is still held.
        self.last = None;
        let met = self.format.given_out(input);
        let from = input.rewind_to(start + 1);
        input.release();
        self.state = State::Search(Search::new(start, kind, from, met));
        Fill::More
    }
}

/// The search for the next valid member after damage.
#[derive(Debug, Clone)]
struct Search {
    fault: Fault,
    /// Offset at which the search started.
    from: u64,
    /// Offset from which other forms count, too. What was decompressed before may contain anything and was returned.
    others: u64,
}

impl Search {
    /// Starts a search at `from`. The fault is reported when the search ends.
    fn new(offset: u64, kind: FaultKind, from: u64, others: u64) -> Self {
        Self { fault: Fault::new(offset, kind), from, others }
    }

    /// Continues the search. Returns [`Fill::More`] when it has ended: the fault is marked, and the input is at the next
    /// member, at data of the form `other`, or at its end.
    fn step<F: Format>(&self, input: &mut Input, window: &mut Window, other: &mut Option<Form>) -> Fill {
        let finished = input.finished;
        let bytes = input.available();
        let own = next_member::<F>(bytes, finished);
        let before = usize::try_from(self.others.saturating_sub(input.offset())).unwrap_or(usize::MAX);
        let end = match own {
            Compressed::At(at, _) | Compressed::Unsure(at) => at,
            Compressed::No => bytes.len(),
        };
        let others = other_record(bytes, before.min(end)..end, F::FORM, finished);
        let first = if others == Compressed::No { own } else { others };
        let over = match first {
            Compressed::At(at, form) => {
                input.advance(at);
                *other = (form != F::FORM).then_some(form);
                true
            }
            Compressed::Unsure(at) => {
                input.advance(at.saturating_sub(1));
                false
            }
            Compressed::No => {
                input.advance(if finished { bytes.len() } else { bytes.len().saturating_sub(KEPT) });
                finished
            }
        };
        if !over {
            return Fill::NeedInput;
        }
        let mut fault = self.fault.clone();
        // After a wrong checksum, everything was decompressed and nothing skipped.
        if fault.kind != FaultKind::Checksum {
            fault.skipped = Some(input.offset().saturating_sub(self.from.max(fault.offset)));
        }
        window.interrupt(input.offset(), fault);
        Fill::More
    }
}

/// Bytes at the end of the input in which a member may start: a line end and all but one byte of `WARC/`.
const KEPT: usize = 5;

/// The first valid member in `bytes`.
fn next_member<F: Format>(bytes: &[u8], finished: bool) -> Compressed {
    for at in memchr::memmem::find_iter(bytes, F::MAGIC) {
        match F::probe(&bytes[at..], finished) {
            Probe::No => {}
            Probe::Member => return Compressed::At(at, F::FORM),
            Probe::More => return Compressed::Unsure(at),
        }
    }
    Compressed::No
}

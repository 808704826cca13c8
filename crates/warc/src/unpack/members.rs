//! What all packed forms have in common: members one after another, padding between them, and the search for
//! the next sound member behind damage.

use super::{Fill, Form, Packed, begins_other, other_record};
use crate::buffer::{Input, Window};
use crate::error::{Fault, FaultKind};

/// Packed bytes kept for a second look while a member is streamed.
const HOLD: u64 = 4 << 20;

/// What one step inside a member brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The member goes on.
    More,
    /// The member is over.
    Ended,
    /// More input is needed, or the archive ends inside the member.
    Short,
    /// The rest of the member cannot be read.
    Damaged(FaultKind),
}

/// Whether bytes begin a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// A sound member.
    Member,
    /// No member.
    No,
    /// More bytes are needed to tell.
    More,
}

/// A packed form.
pub(crate) trait Format {
    /// The bytes at the start of a member that a search looks for.
    const MAGIC: &'static [u8];
    const FORM: Form;
    /// Bytes that tell whether a member begins.
    const LEAST: usize;
    /// Whether a member that unpacks is sure to be sound.
    const CHECKED: bool;

    /// Whether a member begins with these bytes; they are fewer than [`Self::LEAST`] at the archive's end only.
    fn begins(bytes: &[u8]) -> bool;

    /// Whether a sound member begins with these bytes, found by their magic.
    fn probe(bytes: &[u8], finished: bool) -> Probe;

    /// Begins the member at which the input stands. After [`Outcome::Short`] it is called again.
    fn begin(&mut self, input: &mut Input, window: &mut Window) -> Outcome;

    /// Unpacks on in the member begun last.
    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome;

    /// Offset up to which the present member is unpacked and given out, once damage is met in it.
    fn given_out(&self, input: &Input) -> u64 {
        input.offset()
    }
}

/// Unpacks members of one form.
#[derive(Debug)]
pub(crate) struct Members<F> {
    pub(super) format: F,
    state: State,
    /// Where the last member began that unpacked.
    last: Option<u64>,
}

#[derive(Debug)]
enum State {
    Between,
    /// In the member that begins at this offset.
    Inside(u64),
    Search(Search),
}

impl<F: Format> Members<F> {
    pub(super) fn new(format: F) -> Self {
        Self { format, state: State::Between, last: None }
    }

    /// Unpacks on. `other` is the form of what comes next, where that is another one.
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
                Packed::At(_, form) if form != F::FORM => {
                    input.release();
                    *other = Some(form);
                    return Fill::More;
                }
                Packed::Unsure(_) => return Fill::NeedInput,
                _ => {}
            }
            // Without a checksum the member before may have taken a part of this one for its own.
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
        // The search begins behind the member's first byte, if that is still there.
        self.last = None;
        let met = self.format.given_out(input);
        let from = input.rewind_to(start + 1);
        input.release();
        self.state = State::Search(Search::new(start, kind, from, met));
        Fill::More
    }
}

/// The search for the next sound member behind damage.
#[derive(Debug, Clone)]
struct Search {
    fault: Fault,
    /// Where the search began.
    from: u64,
    /// From here on other forms count too: what was unpacked before may hold anything, and was given out.
    others: u64,
}

impl Search {
    /// Begins a search at `from`; the fault is given out when the search ends.
    fn new(offset: u64, kind: FaultKind, from: u64, others: u64) -> Self {
        Self { fault: Fault::new(offset, kind), from, others }
    }

    /// Looks on. [`Fill::More`] when the search is over: the fault is marked, and the input stands at the next
    /// member, at what is packed in the form `other`, or at the end of what there is.
    fn step<F: Format>(&self, input: &mut Input, window: &mut Window, other: &mut Option<Form>) -> Fill {
        let finished = input.finished;
        let bytes = input.available();
        let own = next_member::<F>(bytes, finished);
        let before = usize::try_from(self.others.saturating_sub(input.offset())).unwrap_or(usize::MAX);
        let end = match own {
            Packed::At(at, _) | Packed::Unsure(at) => at,
            Packed::No => bytes.len(),
        };
        let others = other_record(bytes, before.min(end)..end, F::FORM, finished);
        let first = if others == Packed::No { own } else { others };
        let over = match first {
            Packed::At(at, form) => {
                input.advance(at);
                *other = (form != F::FORM).then_some(form);
                true
            }
            Packed::Unsure(at) => {
                input.advance(at.saturating_sub(1));
                false
            }
            Packed::No => {
                input.advance(if finished { bytes.len() } else { bytes.len().saturating_sub(KEPT) });
                finished
            }
        };
        if !over {
            return Fill::NeedInput;
        }
        let mut fault = self.fault.clone();
        // Behind a wrong checksum all is unpacked: nothing was skipped.
        if fault.kind != FaultKind::Checksum {
            fault.skipped = Some(input.offset().saturating_sub(self.from.max(fault.offset)));
        }
        window.interrupt(input.offset(), fault);
        Fill::More
    }
}

/// Bytes at the end of the input in which the start of a member may lie: a line end and all but one of `WARC/`.
const KEPT: usize = 5;

/// The first sound member in `bytes`.
fn next_member<F: Format>(bytes: &[u8], finished: bool) -> Packed {
    for at in memchr::memmem::find_iter(bytes, F::MAGIC) {
        match F::probe(&bytes[at..], finished) {
            Probe::No => {}
            Probe::Member => return Packed::At(at, F::FORM),
            Probe::More => return Packed::Unsure(at),
        }
    }
    Packed::No
}

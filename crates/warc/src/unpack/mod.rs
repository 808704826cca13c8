//! From the bytes of the file to unpacked bytes with member boundaries.
//!
//! Each unpacker takes what the input has, appends to the window and marks where members begin. Damage
//! becomes a mark with a fault; the unpacker then looks for the next sound member and goes on.

mod gzip;
mod lz4;
mod zstd;

use crate::buffer::{Input, Window};
use crate::error::{Fault, FaultKind};

pub(crate) use gzip::Gzip;
pub(crate) use lz4::Lz4;
pub(crate) use zstd::Zstd;

/// What one step of unpacking brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// New bytes or marks are in the window (or input was skipped): call again.
    More,
    /// The input is too short to go on.
    NeedInput,
    /// All input is consumed.
    End,
}

/// Limits that unpackers keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Members that unpack to more than this are streamed.
    pub(crate) whole_member: usize,
    /// Largest window of a zstd frame, as a power of two.
    pub(crate) zstd_window_log: u32,
}

/// How the archive is packed as a whole.
#[derive(Debug)]
pub(crate) enum Unpacker {
    Plain { started: bool },
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Lz4(Box<Lz4>),
}

/// How the bytes at hand begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Gzip,
    Zstd,
    Lz4,
}

const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// Bytes looked through for a first member when the file begins with something else.
const DETECTION_BYTES: usize = 1 << 20;

impl Unpacker {
    /// Tells from the content how the archive is packed; `None` while there is too little input.
    pub(crate) fn detect(input: &Input, limits: Limits) -> Option<Self> {
        let bytes = input.available();
        let start = bytes.iter().position(|byte| !matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(bytes.len());
        let head = bytes.get(start..).unwrap_or_default();
        if head.len() < 8 && !input.finished {
            return None;
        }
        if let Some(form) = form_of(head) {
            return Some(Self::of(form, limits));
        }
        if bytes.len() < DETECTION_BYTES && !input.finished {
            return None;
        }
        Some(Self::of(first_form(bytes), limits))
    }

    fn of(form: Form, limits: Limits) -> Self {
        match form {
            Form::Plain => Self::Plain { started: false },
            Form::Gzip => Self::Gzip(Box::new(Gzip::new(limits))),
            Form::Zstd => Self::Zstd(Box::new(Zstd::new(limits))),
            Form::Lz4 => Self::Lz4(Box::default()),
        }
    }

    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        match self {
            Self::Plain { started } => fill_plain(started, input, window),
            Self::Gzip(gzip) => gzip.fill(input, window),
            Self::Zstd(zstd) => zstd.fill(input, window),
            Self::Lz4(lz4) => lz4.fill(input, window),
        }
    }

    /// Whether positions in the window are offsets in the file.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. })
    }
}

fn form_of(head: &[u8]) -> Option<Form> {
    if head.starts_with(&GZIP_MAGIC) {
        Some(Form::Gzip)
    } else if head.starts_with(&ZSTD_MAGIC) || is_skippable(head) {
        Some(Form::Zstd)
    } else if head.starts_with(&LZ4_MAGIC) {
        Some(Form::Lz4)
    } else if is_record_start(head) {
        Some(Form::Plain)
    } else {
        None
    }
}

/// A skippable frame's magic number: 0x184D2A50 to 0x184D2A5F.
fn is_skippable(head: &[u8]) -> bool {
    head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]
}

/// The form of whatever comes first in a file with a damaged beginning.
fn first_form(bytes: &[u8]) -> Form {
    let text = memchr::memmem::find(bytes, b"WARC/").unwrap_or(usize::MAX);
    let gzip = memchr::memmem::find_iter(bytes, &GZIP_MAGIC)
        .find(|&at| gzip::probe(&bytes[at..], true) == Probe::Member)
        .unwrap_or(usize::MAX);
    let zstd = memchr::memmem::find(bytes, &ZSTD_MAGIC).unwrap_or(usize::MAX);
    match text.min(gzip).min(zstd) {
        usize::MAX => Form::Plain,
        first if first == gzip => Form::Gzip,
        first if first == zstd => Form::Zstd,
        _ => Form::Plain,
    }
}

/// Whether these bytes begin a WARC record or an ARC file.
pub(crate) fn is_record_start(bytes: &[u8]) -> bool {
    bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"WARC/"))
        || bytes.starts_with(b"filedesc:")
        || crate::arc::is_header_line(bytes)
}

fn fill_plain(started: &mut bool, input: &mut Input, window: &mut Window) -> Fill {
    if input.available().is_empty() {
        return if input.finished { Fill::End } else { Fill::NeedInput };
    }
    if !*started {
        *started = true;
        window.mark(input.offset(), None);
    }
    window.compact();
    if window.buf.is_empty() {
        let start = input.swap_out(&mut window.buf);
        window.pos = start;
        window.base -= start as u64;
    } else {
        window.buf.extend_from_slice(input.available());
        input.advance(input.available().len());
    }
    Fill::More
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

/// The search for the next sound member after damage.
#[derive(Debug, Clone)]
pub(crate) struct Resync {
    fault: Fault,
    /// Where the search began.
    from: u64,
}

impl Resync {
    /// Begins a search at `from`; the fault is given out when the search ends.
    pub(crate) fn new(offset: u64, kind: FaultKind, from: u64) -> Self {
        Self { fault: Fault::new(offset, kind), from }
    }

    /// Looks on. `Some` when the search is over: the fault is marked, and input stands at the next member
    /// or at the end of what there is.
    pub(crate) fn step(
        &self,
        input: &mut Input,
        window: &mut Window,
        magic: &[u8],
        mut probe: impl FnMut(&[u8], bool) -> Probe,
    ) -> Fill {
        let finished = input.finished;
        let bytes = input.available();
        let mut skip = bytes.len();
        let mut over = finished;
        for at in memchr::memmem::find_iter(bytes, magic) {
            match probe(&bytes[at..], finished) {
                Probe::No => {}
                Probe::Member => {
                    (skip, over) = (at, true);
                    break;
                }
                Probe::More => {
                    (skip, over) = (at, false);
                    break;
                }
            }
        }
        if !over && skip == bytes.len() {
            skip -= partial_suffix(bytes, magic);
        }
        input.advance(skip);
        if !over {
            return Fill::NeedInput;
        }
        let mut fault = self.fault.clone();
        fault.skipped = Some(input.offset() - self.from);
        window.mark(input.offset(), Some(fault));
        Fill::More
    }
}

/// Length of the longest suffix of `bytes` that begins `magic`.
fn partial_suffix(bytes: &[u8], magic: &[u8]) -> usize {
    (1..magic.len()).rev().find(|&len| bytes.ends_with(&magic[..len])).unwrap_or(0)
}

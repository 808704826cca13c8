//! From the bytes of the file to unpacked bytes with member boundaries.
//!
//! Each unpacker takes what the input has, appends to the window and marks where members begin. Damage
//! becomes a mark with a fault; the unpacker then looks for the next sound member and goes on.

mod gzip;
mod lz4;
mod members;
mod zstd;

use crate::buffer::{Input, Window};
use gzip::Gzip;
use lz4::Lz4;
use members::{Format, Members, Probe};
use zstd::Zstd;

pub(crate) use zstd::{dictionary_of, leading_dictionary};

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
    Gzip(Box<Members<Gzip>>),
    Zstd(Box<Members<Zstd>>),
    Lz4(Box<Members<Lz4>>),
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Gzip,
    Zstd,
    Lz4,
}

/// Bytes looked through for a first member when the file begins with something else.
const DETECTION_BYTES: usize = 1 << 20;

impl Unpacker {
    pub(crate) fn new(form: Form, limits: Limits, dictionary: Option<Vec<u8>>) -> Self {
        match form {
            Form::Plain => Self::Plain { started: false },
            Form::Gzip => Self::Gzip(Box::new(Members::new(Gzip::new(limits)))),
            Form::Zstd => Self::Zstd(Box::new(Members::new(Zstd::new(limits, dictionary)))),
            Form::Lz4 => Self::Lz4(Box::new(Members::new(Lz4::default()))),
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

    /// Whether what follows is unpacked as the beginning of the archive told.
    pub(crate) fn is_as_begun(&self) -> bool {
        match self {
            Self::Zstd(zstd) => !zstd.format.replaced,
            _ => true,
        }
    }

    /// Whether positions in the window are offsets in the file.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. })
    }
}

/// Tells from the content how the archive is packed; `None` while there is too little input.
pub(crate) fn detect(input: &Input) -> Option<Form> {
    let bytes = input.available();
    let start = bytes.iter().position(|byte| !matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(bytes.len());
    let head = bytes.get(start..).unwrap_or_default();
    if head.len() < 8 && !input.finished {
        return None;
    }
    if is_skippable(head)
        && !input.finished
        && head.len() < DETECTION_BYTES
        && behind_skippable(head).len() < 4
    {
        return None;
    }
    if let Some(form) = form_of(head) {
        return Some(form);
    }
    if bytes.len() < DETECTION_BYTES && !input.finished {
        return None;
    }
    Some(first_form(&bytes[..bytes.len().min(DETECTION_BYTES)]))
}

/// How an archive is packed that begins with these bytes and without damage.
pub(crate) fn form_of_start(bytes: &[u8]) -> Option<Form> {
    let start = bytes.iter().position(|byte| !matches!(byte, 0 | b'\r' | b'\n'))?;
    form_of(&bytes[start..])
}

fn form_of(head: &[u8]) -> Option<Form> {
    // Skippable frames are common to zstd and LZ4: what follows them tells.
    if is_skippable(head) {
        return Some(if behind_skippable(head).starts_with(Lz4::MAGIC) { Form::Lz4 } else { Form::Zstd });
    }
    if head.starts_with(Gzip::MAGIC) {
        Some(Form::Gzip)
    } else if head.starts_with(Lz4::MAGIC) {
        Some(Form::Lz4)
    } else if head.starts_with(Zstd::MAGIC) {
        Some(Form::Zstd)
    } else if is_record_start(head, true) {
        Some(Form::Plain)
    } else {
        None
    }
}

/// A skippable frame's magic number: 0x184D2A50 to 0x184D2A5F.
fn is_skippable(head: &[u8]) -> bool {
    head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]
}

/// The bytes behind skippable frames.
fn behind_skippable(head: &[u8]) -> &[u8] {
    let mut rest = head;
    while is_skippable(rest) {
        let size =
            rest.get(4..8).and_then(|size| size.first_chunk::<4>()).map(|size| u32::from_le_bytes(*size));
        rest = size.and_then(|size| rest.get(8 + size as usize..)).unwrap_or_default();
    }
    rest
}

/// The form of whatever comes first in a file with a damaged beginning.
fn first_form(bytes: &[u8]) -> Form {
    let text = memchr::memmem::find(bytes, b"WARC/");
    let found = [
        (text, Form::Plain),
        (first_member::<Gzip>(bytes), Form::Gzip),
        (first_member::<Zstd>(bytes), Form::Zstd),
        (first_member::<Lz4>(bytes), Form::Lz4),
    ];
    let first = found.into_iter().filter_map(|(at, form)| Some((at?, form))).min_by_key(|(at, _)| *at);
    first.map_or(Form::Plain, |(_, form)| form)
}

fn first_member<F: Format>(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, F::MAGIC).find(|&at| F::probe(&bytes[at..], true) == Probe::Member)
}

/// Index in `bytes` of the first member that begins a record, for reading from the middle of an archive.
pub(crate) fn record_member(form: Form, bytes: &[u8]) -> Option<usize> {
    match form {
        Form::Plain => None,
        Form::Gzip => first_member::<Gzip>(bytes),
        Form::Zstd => first_member::<Zstd>(bytes),
        Form::Lz4 => first_member::<Lz4>(bytes),
    }
}

/// Whether these bytes begin a WARC record or, if `arc`, one of an ARC file.
pub(crate) fn is_record_start(bytes: &[u8], arc: bool) -> bool {
    bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"WARC/"))
        || (arc && (bytes.starts_with(b"filedesc:") || crate::arc::is_header_line(bytes)))
}

fn fill_plain(started: &mut bool, input: &mut Input, window: &mut Window) -> Fill {
    if input.available().is_empty() {
        return if input.finished { Fill::End } else { Fill::NeedInput };
    }
    if !*started {
        *started = true;
        window.mark(input.offset());
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

//! From the bytes of the file to unpacked bytes with member boundaries.
//!
//! Each unpacker takes what the input has, appends to the window and marks where members begin. Damage
//! becomes a mark with a fault; the unpacker then looks for the next sound member and goes on.

mod gzip;
mod lz4;
mod members;
mod zstd;

use std::ops::Range;

use crate::buffer::{Input, Window};
use crate::decoder::{LOOK_AHEAD, is_sure, is_version};
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

/// Unpacks what comes next, whatever the form, which may change from one record to the next.
#[derive(Debug)]
pub(crate) struct Unpacker {
    packing: Packing,
    limits: Limits,
    /// The form of the archive's beginning.
    first: Form,
    /// The dictionary of zstd frames, while others come between.
    dictionary: Option<Vec<u8>>,
    replaced: bool,
}

/// How what comes next is packed.
#[derive(Debug)]
enum Packing {
    /// `most` is how many bytes are taken at a time.
    Plain {
        started: bool,
        most: usize,
    },
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

/// How a zstd frame begins (RFC 8878, 3.1.1).
pub(crate) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes looked through for a first member when the file begins with something else.
const DETECTION_BYTES: usize = 1 << 20;

/// Bytes that are not packed and are taken at a time where forms change: what is packed among them goes back.
const MIXED_PIECE: usize = 16 << 10;

impl Unpacker {
    pub(crate) fn new(form: Form, limits: Limits, dictionary: Option<Vec<u8>>) -> Self {
        let packing = Packing::new(form, limits, dictionary, usize::MAX);
        Self { packing, limits, first: form, dictionary: None, replaced: false }
    }

    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let mut other = None;
        let fill = match &mut self.packing {
            Packing::Plain { started, most } => fill_plain(started, *most, input, window),
            Packing::Gzip(gzip) => gzip.fill(input, window, &mut other),
            Packing::Zstd(zstd) => zstd.fill(input, window, &mut other),
            Packing::Lz4(lz4) => lz4.fill(input, window, &mut other),
        };
        if let Some(form) = other {
            self.change(form);
        }
        fill
    }

    /// What comes next is of another form.
    pub(crate) fn change(&mut self, form: Form) {
        if let Packing::Zstd(zstd) = &mut self.packing {
            self.dictionary = zstd.format.dictionary.take();
            self.replaced |= zstd.format.replaced;
        }
        let dictionary = if form == Form::Zstd { self.dictionary.take() } else { None };
        self.packing = Packing::new(form, self.limits, dictionary, MIXED_PIECE);
    }

    /// Whether what follows is unpacked as the beginning of the archive told.
    pub(crate) fn is_as_begun(&self) -> bool {
        let (form, replaced) = match &self.packing {
            Packing::Plain { .. } => (Form::Plain, false),
            Packing::Gzip(_) => (Form::Gzip, false),
            Packing::Zstd(zstd) => (Form::Zstd, zstd.format.replaced),
            Packing::Lz4(_) => (Form::Lz4, false),
        };
        form == self.first && !replaced && !self.replaced
    }

    /// The most bytes that so many packed ones can unpack to.
    pub(crate) fn most_unpacked(&self, packed: u64) -> u64 {
        let ratio = match &self.packing {
            // Two bits at least for each copy, of 258 bytes at most (RFC 1951, 3.2.5).
            Packing::Gzip(_) => 1032,
            // Each byte makes a copy longer by 255 at most (LZ4's block format).
            Packing::Lz4(_) => 255,
            // A block has a header of three bytes and unpacks to 128 KiB at most (RFC 8878, 3.1.1.2). What is plain
            // now may have been packed in any form before.
            Packing::Zstd(_) | Packing::Plain { .. } => (128 << 10) / 3 + 1,
        };
        packed.saturating_mul(ratio)
    }

    /// Whether bytes come as they are in the file.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.packing, Packing::Plain { .. })
    }
}

impl Packing {
    fn new(form: Form, limits: Limits, dictionary: Option<Vec<u8>>, most: usize) -> Self {
        match form {
            Form::Plain => Self::Plain { started: false, most },
            Form::Gzip => Self::Gzip(Box::new(Members::new(Gzip::new(limits)))),
            Form::Zstd => Self::Zstd(Box::new(Members::new(Zstd::new(limits, dictionary)))),
            Form::Lz4 => Self::Lz4(Box::new(Members::new(Lz4::default()))),
        }
    }
}

/// Where a record of a form begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packed {
    At(usize, Form),
    /// More bytes are needed to tell whether one begins here.
    Unsure(usize),
    No,
}

/// The first packed member in the range of `bytes` that begins a record, in an archive that is not packed.
pub(crate) fn packed_record(bytes: &[u8], range: Range<usize>, finished: bool) -> Packed {
    other_record(bytes, range, Form::Plain, finished)
}

/// Whether `bytes` begin with a record of whatever form.
fn begins_other(bytes: &[u8], finished: bool) -> Packed {
    if bytes.len() < LEAST && !finished {
        return Packed::Unsure(0);
    }
    if is_version(bytes) {
        return Packed::At(0, Form::Plain);
    }
    begins_packed(bytes, finished)
}

/// Whether `bytes` begin with a packed record.
pub(crate) fn begins_packed(bytes: &[u8], finished: bool) -> Packed {
    match packed_at(bytes, 0, finished) {
        (Probe::Member, form) => Packed::At(0, form),
        (Probe::More, _) => Packed::Unsure(0),
        (Probe::No, _) => Packed::No,
    }
}

/// Bytes that tell whether something like a record or a member begins.
const LEAST: usize = 6;

/// Whether a packed record begins at `at`, and of which form.
fn packed_at(bytes: &[u8], at: usize, finished: bool) -> (Probe, Form) {
    let rest = &bytes[at..];
    if rest.starts_with(Gzip::MAGIC) {
        (gzip::begins_record(rest, finished), Form::Gzip)
    } else if rest.starts_with(Zstd::MAGIC) {
        (zstd::begins_record(rest, finished), Form::Zstd)
    } else if rest.starts_with(Lz4::MAGIC) {
        (Lz4::probe(rest, finished), Form::Lz4)
    } else if is_skippable(rest) {
        // A dictionary, of an archive behind the others.
        (if rest.starts_with(&zstd::DICTIONARY_MAGIC) { Probe::Member } else { Probe::No }, Form::Zstd)
    } else {
        (Probe::No, Form::Plain)
    }
}

/// The first record from `range.start` on and before `range.end` that is packed otherwise than `own`.
fn other_record(bytes: &[u8], range: Range<usize>, own: Form, finished: bool) -> Packed {
    let magics = [
        (Form::Gzip, Gzip::MAGIC),
        (Form::Zstd, Zstd::MAGIC),
        (Form::Lz4, Lz4::MAGIC),
        (Form::Zstd, &zstd::DICTIONARY_MAGIC),
    ];
    let (mut end, mut first) = (range.end, Packed::No);
    for (_, magic) in magics.iter().filter(|(form, _)| *form != own) {
        let within =
            &bytes[range.start..bytes.len().min(end.saturating_add(magic.len() - 1)).max(range.start)];
        let hits = memchr::memmem::find_iter(within, magic).map(|at| range.start + at);
        let found =
            hits.map(|at| (at, packed_at(bytes, at, finished))).find(|(_, (probe, _))| *probe != Probe::No);
        if let Some((at, (probe, form))) = found.filter(|(at, _)| *at < end) {
            first = if probe == Probe::Member { Packed::At(at, form) } else { Packed::Unsure(at) };
            end = at;
        }
    }
    if own != Form::Plain {
        let within = &bytes[range.start..bytes.len().min(end).max(range.start)];
        for at in memchr::memmem::find_iter(within, b"\nWARC/").map(|at| range.start + at + 1) {
            let unsure = bytes.len() - at < LOOK_AHEAD && !finished;
            if unsure || is_sure(&bytes[at..]) {
                return if unsure { Packed::Unsure(at) } else { Packed::At(at, Form::Plain) };
            }
        }
    }
    first
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
    // Packed data may show pieces of text: the line before must be text too.
    let text = memchr::memmem::find_iter(bytes, b"WARC/").find(|&at| {
        let line = &bytes[memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |at| at + 1)..at];
        std::str::from_utf8(line)
            .is_ok_and(|line| !line.chars().any(|c| c.is_control() && c != '\t' && c != '\r'))
    });
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

fn fill_plain(started: &mut bool, most: usize, input: &mut Input, window: &mut Window) -> Fill {
    if input.available().is_empty() {
        return if input.finished { Fill::End } else { Fill::NeedInput };
    }
    if !*started {
        *started = true;
        window.mark_plain(input.offset());
    }
    window.compact();
    if window.buf.is_empty() && most == usize::MAX {
        let start = input.swap_out(&mut window.buf);
        window.pos = start;
        window.base -= start as u64;
    } else {
        let bytes = input.available();
        let bytes = &bytes[..bytes.len().min(most)];
        let len = bytes.len();
        window.buf.extend_from_slice(bytes);
        input.advance(len);
    }
    Fill::More
}

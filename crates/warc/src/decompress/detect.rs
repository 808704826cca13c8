//! Recognises the form of an archive and of its parts by content.

use std::ops::Range;

use super::format::{Compressed, Form, Format, Probe};
use super::gzip::{self, Gzip};
use super::lz4::Lz4;
use super::zstd::{self, Zstd};
use crate::buffer::Input;
use crate::magic::is_skippable;
use crate::search::{LOOK_AHEAD, is_record_start, is_sure, is_version};

/// Bytes searched for a first member if the file starts with something else.
const DETECTION_BYTES: usize = 1 << 20;

/// The first compressed member in the range of `bytes` that starts a record, in a plain archive.
pub(crate) fn compressed_record(bytes: &[u8], range: Range<usize>, finished: bool) -> Compressed {
    other_record(bytes, range, Form::Plain, finished)
}

/// Whether `bytes` start with a record of any form.
pub(super) fn begins_other(bytes: &[u8], finished: bool) -> Compressed {
    if bytes.len() < LEAST && !finished {
        return Compressed::Unsure(0);
    }
    if is_version(bytes) {
        return Compressed::At(0, Form::Plain);
    }
    begins_compressed(bytes, finished)
}

/// Whether `bytes` start with a compressed record.
pub(crate) fn begins_compressed(bytes: &[u8], finished: bool) -> Compressed {
    match compressed_at(bytes, 0, finished) {
        (Probe::Member, form) => Compressed::At(0, form),
        (Probe::More, _) => Compressed::Unsure(0),
        (Probe::No, _) => Compressed::No,
    }
}

/// Bytes needed to decide whether a record or a member may start.
const LEAST: usize = 6;

/// Whether a compressed record starts at `at`, and its form.
fn compressed_at(bytes: &[u8], at: usize, finished: bool) -> (Probe, Form) {
    let rest = &bytes[at..];
    if rest.starts_with(Gzip::MAGIC) {
        (gzip::begins_record(rest, finished), Form::Gzip)
    } else if rest.starts_with(Zstd::MAGIC) {
        (zstd::begins_record(rest, finished), Form::Zstd)
    } else if rest.starts_with(Lz4::MAGIC) {
        (Lz4::probe(rest, finished), Form::Lz4)
    } else if is_skippable(rest) {
        // The dictionary of a concatenated archive.
        (if rest.starts_with(&zstd::DICTIONARY_MAGIC) { Probe::Member } else { Probe::No }, Form::Zstd)
    } else {
        (Probe::No, Form::Plain)
    }
}

/// The first record in `range` whose form is not `own`.
pub(super) fn other_record(bytes: &[u8], range: Range<usize>, own: Form, finished: bool) -> Compressed {
    let magics = [
        (Form::Gzip, Gzip::MAGIC),
        (Form::Zstd, Zstd::MAGIC),
        (Form::Lz4, Lz4::MAGIC),
        (Form::Zstd, &zstd::DICTIONARY_MAGIC),
    ];
    let (mut end, mut first) = (range.end, Compressed::No);
    for (_, magic) in magics.iter().filter(|(form, _)| *form != own) {
        let within =
            &bytes[range.start..bytes.len().min(end.saturating_add(magic.len() - 1)).max(range.start)];
        let hits = memchr::memmem::find_iter(within, magic).map(|at| range.start + at);
        let found = hits
            .map(|at| (at, compressed_at(bytes, at, finished)))
            .find(|(_, (probe, _))| *probe != Probe::No);
        if let Some((at, (probe, form))) = found.filter(|(at, _)| *at < end) {
            first = if probe == Probe::Member { Compressed::At(at, form) } else { Compressed::Unsure(at) };
            end = at;
        }
    }
    if own != Form::Plain {
        let within = &bytes[range.start..bytes.len().min(end).max(range.start)];
        for at in memchr::memmem::find_iter(within, b"\nWARC/").map(|at| range.start + at + 1) {
            let unsure = bytes.len() - at < LOOK_AHEAD && !finished;
            if unsure || is_sure(&bytes[at..]) {
                return if unsure { Compressed::Unsure(at) } else { Compressed::At(at, Form::Plain) };
            }
        }
    }
    first
}

/// Recognises the form of an archive by content. Returns `None` while there is too little input.
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

/// The form of an archive that starts with these bytes, without damage.
pub(crate) fn form_of_start(bytes: &[u8]) -> Option<Form> {
    let start = bytes.iter().position(|byte| !matches!(byte, 0 | b'\r' | b'\n'))?;
    form_of(&bytes[start..])
}

fn form_of(head: &[u8]) -> Option<Form> {
    // Skippable frames are common to zstd and LZ4; what follows them decides.
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

/// The bytes after skippable frames.
fn behind_skippable(head: &[u8]) -> &[u8] {
    let mut rest = head;
    while is_skippable(rest) {
        let size =
            rest.get(4..8).and_then(|size| size.first_chunk::<4>()).map(|size| u32::from_le_bytes(*size));
        rest = size.and_then(|size| rest.get(8 + size as usize..)).unwrap_or_default();
    }
    rest
}

/// The form of the first member or record in a file with a damaged start.
fn first_form(bytes: &[u8]) -> Form {
    // Compressed data may contain pieces of text, so the line before must be text, too.
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

/// Index in `bytes` of the first member that starts a record, for reading from the middle of an archive.
pub(crate) fn record_member(form: Form, bytes: &[u8]) -> Option<usize> {
    match form {
        Form::Plain => None,
        Form::Gzip => first_member::<Gzip>(bytes),
        Form::Zstd => first_member::<Zstd>(bytes),
        Form::Lz4 => first_member::<Lz4>(bytes),
    }
}

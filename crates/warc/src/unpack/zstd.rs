//! Zstandard frames, with the dictionary of a WARC's first skippable frame.

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::members::{Format, Outcome, Probe};
use super::{Limits, is_skippable};
use crate::buffer::{Input, Window};
use crate::error::FaultKind;

/// Magic number of the skippable frame that holds a dictionary ("Zstandard in WARC", version 1.0).
const DICTIONARY_MAGIC: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
/// Largest dictionary: 8 MiB is far above what writers make (some 100 KiB).
const DICTIONARY_LIMIT: usize = 8 << 20;
/// Unpacked bytes of one step.
const STEP: usize = 256 << 10;

/// Unpacker of one zstd frame.
pub(crate) struct Zstd {
    limits: Limits,
    dictionary: Option<Vec<u8>>,
    decoder: Option<Decoder<'static>>,
    /// The frame's first byte was read.
    begun: bool,
    /// Unpacked bytes of the frame so far.
    given: u64,
    /// Bytes of a skippable frame still to be skipped.
    skip: u64,
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("skip", &self.skip).finish_non_exhaustive()
    }
}

impl Zstd {
    pub(super) fn new(limits: Limits, dictionary: Option<Vec<u8>>) -> Self {
        Self { limits, dictionary, decoder: None, begun: false, given: 0, skip: 0 }
    }

    fn new_decoder(&self) -> Option<Decoder<'static>> {
        let mut decoder = match &self.dictionary {
            Some(dictionary) => Decoder::with_dictionary(dictionary).ok()?,
            None => Decoder::new().ok()?,
        };
        decoder.set_parameter(DParameter::WindowLogMax(self.limits.zstd_window_log)).ok()?;
        Some(decoder)
    }

    /// Appends the blocks of the frame at hand before the place of its damage, but for those given out. (A call that
    /// fails keeps what it unpacked before to itself, and how much that is depends on how the input came.)
    fn salvage(&self, packed: &[u8], out: &mut Vec<u8>) {
        let Some(mut decoder) = self.new_decoder() else { return };
        let mut skip = usize::try_from(self.given).unwrap_or(usize::MAX);
        let mut block = vec![0; STEP];
        // Byte by byte each block comes with its last byte, before the header of the next one is looked at.
        for byte in packed.chunks(1) {
            let mut to = OutBuffer::around(&mut block[..]);
            if !matches!(decoder.run(&mut InBuffer::around(byte), &mut to), Ok(1..)) {
                return;
            }
            let new = to.as_slice();
            let old = new.len().min(skip);
            skip -= old;
            out.extend_from_slice(&new[old..]);
        }
    }

    fn begin_skippable(&mut self, input: &mut Input) -> Outcome {
        let bytes = input.available();
        let Some(size) = skippable_size(bytes) else { return Outcome::Short };
        if bytes.starts_with(&DICTIONARY_MAGIC) && self.dictionary.is_none() && size <= DICTIONARY_LIMIT {
            let Some(content) = bytes.get(8..8 + size) else { return Outcome::Short };
            self.dictionary = unpack_dictionary(content);
            self.decoder = None;
        }
        input.advance(8);
        self.skip = size as u64;
        if size == 0 { Outcome::Ended } else { Outcome::More }
    }

    fn go_on_skipping(&mut self, input: &mut Input) -> Outcome {
        let here = input.available().len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        input.advance(here);
        self.skip -= here as u64;
        match self.skip {
            0 => Outcome::Ended,
            _ if here > 0 => Outcome::More,
            _ => Outcome::Short,
        }
    }
}

impl Format for Zstd {
    const MAGIC: &'static [u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    const LEAST: usize = 4;
    const CHECKED: bool = false;

    fn begins(bytes: &[u8]) -> bool {
        is_skippable(bytes) || bytes.starts_with(&Self::MAGIC[..bytes.len().min(4)])
    }

    /// The frame's header must be sound. With four bytes of magic a false hit is rare, and a false frame ends
    /// in a fault and a new search.
    fn probe(bytes: &[u8], finished: bool) -> Probe {
        let Some(descriptor) = bytes.get(4) else {
            return if finished { Probe::No } else { Probe::More };
        };
        // Bit 3 is reserved and zero (RFC 8878, 3.1.1.1.1).
        if descriptor & 0x08 == 0 { Probe::Member } else { Probe::No }
    }

    fn begin(&mut self, input: &mut Input, _window: &mut Window) -> Outcome {
        if is_skippable(input.available()) {
            return self.begin_skippable(input);
        }
        // A decoder that ended a frame begins the next one by itself.
        if self.decoder.is_none() {
            self.decoder = self.new_decoder();
        }
        (self.begun, self.given) = (false, 0);
        Outcome::More
    }

    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        if self.skip > 0 {
            return self.go_on_skipping(input);
        }
        let Some(decoder) = &mut self.decoder else { return Outcome::Damaged(FaultKind::CorruptMember) };
        window.compact();
        window.buf.reserve(STEP);
        let before = window.buf.len();
        let (result, read) = {
            // A frame that is there whole would be unpacked in one go, by rules that differ where it is damaged; its
            // first byte alone keeps libzstd from that.
            let bytes = input.available();
            let end = if self.begun { bytes.len() } else { bytes.len().min(1) };
            let mut from = InBuffer::around(&bytes[..end]);
            let mut to = OutBuffer::around_pos(&mut window.buf, before);
            (decoder.run(&mut from, &mut to), from.pos())
        };
        input.advance(read);
        self.begun |= read > 0;
        let outcome = match result {
            Ok(0) => return Outcome::Ended,
            Ok(_) if read == 0 && window.buf.len() == before => Outcome::Short,
            Ok(_) => Outcome::More,
            Err(error) => Outcome::Damaged(kind_of(&error)),
        };
        self.given += (window.buf.len() - before) as u64;
        if matches!(outcome, Outcome::Damaged(_)) {
            self.salvage(input.held_bytes(), &mut window.buf);
            self.decoder = None;
        } else if outcome == Outcome::Short && input.finished {
            self.decoder = None;
        }
        outcome
    }
}

fn skippable_size(bytes: &[u8]) -> Option<usize> {
    let size = bytes.get(4..8)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*size) as usize)
}

/// Bytes at the start of an archive that hold its dictionary, given its first bytes (eight or more).
pub(crate) fn leading_dictionary(bytes: &[u8]) -> Option<u64> {
    let size = bytes.starts_with(&DICTIONARY_MAGIC).then(|| skippable_size(bytes))??;
    (size <= DICTIONARY_LIMIT).then_some(8 + size as u64)
}

/// The dictionary of a whole skippable frame.
pub(crate) fn dictionary_of(frame: &[u8]) -> Option<Vec<u8>> {
    unpack_dictionary(frame.get(8..)?)
}

/// libzstd gives its errors as text only.
fn kind_of(error: &std::io::Error) -> FaultKind {
    let text = error.to_string();
    if text.contains("Dictionary") {
        FaultKind::MissingDictionary
    } else if text.contains("memory") {
        FaultKind::FrameTooLarge
    } else if text.contains("checksum") {
        FaultKind::Checksum
    } else {
        FaultKind::CorruptMember
    }
}

/// A dictionary may itself be packed as one zstd frame.
fn unpack_dictionary(content: &[u8]) -> Option<Vec<u8>> {
    if !content.starts_with(Zstd::MAGIC) {
        return Some(content.to_vec());
    }
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(content).ok()?;
    let limit = DICTIONARY_LIMIT as u64;
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, limit), &mut out).ok()?;
    Some(out)
}

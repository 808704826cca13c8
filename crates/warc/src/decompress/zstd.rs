//! Zstandard frames, with the dictionary in the first skippable frame of an archive.

use xxhash_rust::xxh64::Xxh64;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::format::{Form, Format, Limits, Outcome, Probe};
use crate::buffer::{Input, Window};
use crate::error::FaultKind;
use crate::magic::{self, is_skippable};
use crate::search::is_version;

/// Magic number of the skippable frame that holds a dictionary ("Zstandard in WARC", version 1.0).
pub(super) const DICTIONARY_MAGIC: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
/// Largest dictionary in bytes: far more than writers use (about 100 KiB).
const DICTIONARY_LIMIT: usize = 8 << 20;
/// Capacity for one step: more than a block, so that everything decompressed is always returned.
const STEP: usize = 256 << 10;
/// Length of a frame up to and including its descriptor.
const START: usize = 5;
/// Descriptor bit for a checksum after the blocks (RFC 8878, 3.1.1.1.1).
const CHECKSUM_FLAG: u8 = 0x04;
/// Size of the largest block in bytes.
const LARGEST_BLOCK: usize = 128 << 10;
/// Largest first block in bytes that is decompressed to see whether a record starts.
const SMALL_BLOCK: usize = 4 << 10;
/// Length of a block's header.
const BLOCK_HEADER: usize = 3;

/// Decompresses one zstd frame.
pub(crate) struct Zstd {
    limits: Limits,
    pub(super) dictionary: Option<Vec<u8>>,
    decoder: Option<Decoder<'static>>,
    /// Input that the decoder requests.
    hint: usize,
    /// Hash of the decompressed bytes, if the frame has a checksum.
    content: Option<Xxh64>,
    /// Offset after the last block that was returned. How much is read of a damaged block depends on how the input arrived.
    given_out: u64,
    /// Whether the blocks have ended and the checksum is not yet read.
    ended: bool,
    /// Whether the dictionary is not the archive's first one.
    pub(super) replaced: bool,
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
        Self {
            limits,
            dictionary,
            decoder: None,
            hint: 0,
            content: None,
            given_out: 0,
            ended: false,
            replaced: false,
            skip: 0,
        }
    }

    fn new_decoder(&self) -> Option<Decoder<'static>> {
        let mut decoder = match &self.dictionary {
            Some(dictionary) => Decoder::with_dictionary(dictionary).ok()?,
            None => Decoder::new().ok()?,
        };
        decoder.set_parameter(DParameter::WindowLogMax(self.limits.zstd_window_log)).ok()?;
        Some(decoder)
    }

    /// Starts a frame. The decoder does not see the checksum, because it would withhold the data if the checksum were wrong.
    /// It gets only the frame's start at first, so that it cannot decompress the frame in one call, which would treat damage
    /// differently.
    fn begin_frame(&mut self, input: &mut Input) -> Outcome {
        // Wait for the whole header: where its damage is found must not depend on how the input arrived.
        let bytes = input.available();
        let Some(header) = bytes.get(START - 1).and_then(|descriptor| bytes.get(..header_len(*descriptor)))
        else {
            return Outcome::Short;
        };
        self.given_out = input.offset();
        // A decoder that has ended a frame starts the next one by itself.
        if self.decoder.is_none() {
            self.decoder = self.new_decoder();
        }
        let Some(decoder) = &mut self.decoder else { return Outcome::Damaged(FaultKind::CorruptMember) };
        let descriptor = header[START - 1];
        self.ended = false;
        self.content = (descriptor & CHECKSUM_FLAG != 0).then(|| Xxh64::new(0));
        let mut start = [0; START];
        start.copy_from_slice(&header[..START]);
        start[START - 1] &= !CHECKSUM_FLAG;
        for part in [&start[..], &header[START..]] {
            match decoder.run(&mut InBuffer::around(part), &mut OutBuffer::around(&mut [0; 0][..])) {
                Ok(hint) => self.hint = hint,
                Err(error) => {
                    self.decoder = None;
                    return Outcome::Damaged(kind_of(&error));
                }
            }
        }
        input.advance(header.len());
        Outcome::More
    }

    /// Decompresses until there is something to return.
    fn blocks(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        let Some(decoder) = &mut self.decoder else { return Outcome::Damaged(FaultKind::CorruptMember) };
        window.compact();
        window.buf.reserve(STEP);
        let before = window.buf.len();
        loop {
            // A failing call withholds what it decompressed before, and how much that is must not depend on how the input
            // arrived: no call gets a block and the header after it, and the last bytes of a block are passed one by one.
            let most = self.hint.saturating_sub(BLOCK_HEADER).max(1);
            let bytes = input.available();
            let mut from = InBuffer::around(&bytes[..bytes.len().min(most)]);
            let result = decoder.run(&mut from, &mut OutBuffer::around_pos(&mut window.buf, before));
            let read = from.pos();
            input.advance(read);
            let new = &window.buf[before..];
            if let Some(content) = &mut self.content {
                content.update(new);
            }
            match result {
                Ok(0) if self.content.is_none() => return Outcome::Ended,
                Ok(0) => {
                    self.ended = true;
                    return Outcome::More;
                }
                Ok(hint) => self.hint = hint,
                Err(error) => return Outcome::Damaged(kind_of(&error)),
            }
            if !new.is_empty() {
                self.given_out = input.offset();
                return Outcome::More;
            }
            if read == 0 {
                return Outcome::Short;
            }
        }
    }

    /// Reads the checksum after the blocks.
    fn trailer(&mut self, input: &mut Input) -> Outcome {
        let Some(trailer) = input.available().first_chunk::<4>() else { return Outcome::Short };
        // The low four bytes of the hash (RFC 8878, 3.1.1).
        if self
            .content
            .as_ref()
            .is_some_and(|content| content.digest() as u32 != u32::from_le_bytes(*trailer))
        {
            return Outcome::Damaged(FaultKind::Checksum);
        }
        input.advance(4);
        Outcome::Ended
    }

    fn begin_skippable(&mut self, input: &mut Input) -> Outcome {
        let bytes = input.available();
        let Some(size) = skippable_size(bytes) else { return Outcome::Short };
        if bytes.starts_with(&DICTIONARY_MAGIC) && size <= DICTIONARY_LIMIT {
            let Some(content) = bytes.get(8..8 + size) else { return Outcome::Short };
            // Each of several concatenated archives has its own.
            if let Some(dictionary) = decompress_dictionary(content) {
                self.dictionary = Some(dictionary);
                self.replaced |= input.offset() > 0;
                self.decoder = None;
            }
        }
        input.advance(8);
        self.skip = size as u64;
        if size == 0 { Outcome::Ended } else { Outcome::More }
    }

    fn go_on_skipping(&mut self, input: &mut Input) -> Outcome {
        let here = input.available().len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        input.advance(here);
        self.given_out = input.offset();
        self.skip -= here as u64;
        match self.skip {
            0 => Outcome::Ended,
            _ if here > 0 => Outcome::More,
            _ => Outcome::Short,
        }
    }
}

/// Length of a frame's header with this descriptor: magic number, descriptor, window, dictionary and content size
/// (RFC 8878, 3.1.1.1).
fn header_len(descriptor: u8) -> usize {
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = match descriptor >> 6 {
        0 => usize::from(single),
        flag => 1 << flag,
    };
    START + usize::from(!single) + dictionary + content
}

impl Format for Zstd {
    const FORM: Form = Form::Zstd;
    const MAGIC: &'static [u8] = &magic::ZSTD;
    const LEAST: usize = 4;
    const CHECKED: bool = false;

    fn begins(bytes: &[u8]) -> bool {
        is_skippable(bytes) || bytes.starts_with(&Self::MAGIC[..bytes.len().min(4)])
    }

    /// The frame's header must be valid. With a magic number of four bytes a false hit is rare, and a false frame ends in a
    /// fault and a new search.
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
        self.begin_frame(input)
    }

    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        if self.skip > 0 {
            return self.go_on_skipping(input);
        }
        let outcome = if self.ended { self.trailer(input) } else { self.blocks(input, window) };
        if matches!(outcome, Outcome::Damaged(_)) || (outcome == Outcome::Short && input.finished) {
            self.decoder = None;
        }
        outcome
    }

    fn given_out(&self, _input: &Input) -> u64 {
        self.given_out
    }
}

/// Whether `bytes` start with a frame that starts a record, in a file of another form: its header and that of its first
/// block are valid (RFC 8878, 3.1.1), and a small first block decompresses to the start of a record. Large blocks are not
/// decompressed, because a search must not be slow if many bytes look like the start of a frame.
pub(super) fn begins_record(bytes: &[u8], finished: bool) -> Probe {
    let more = if finished { Probe::No } else { Probe::More };
    let Some(&descriptor) = bytes.get(START - 1) else { return more };
    let header = header_len(descriptor);
    let Some(block) = bytes.get(header..header + BLOCK_HEADER) else { return more };
    let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
    let (kind, size) = (block >> 1 & 3, block as usize >> 3);
    // Block type 1 is a repeated byte, and 3 is reserved.
    if descriptor & 8 != 0 || kind & 1 == 1 || size > LARGEST_BLOCK {
        return Probe::No;
    }
    let needs_dictionary = descriptor & 3 != 0;
    if size > SMALL_BLOCK || needs_dictionary {
        return Probe::Member;
    }
    let Some(start) = bytes.get(..header + BLOCK_HEADER + size) else { return more };
    let mut out = [0; 16];
    let mut to = OutBuffer::around(&mut out[..]);
    if let Ok(mut decoder) = Decoder::new() {
        // Not in one call, which would treat a small frame as a whole one that does not fit.
        let (first, rest) = start.split_at(START);
        let _ = decoder.run(&mut InBuffer::around(first), &mut to);
        let _ = decoder.run(&mut InBuffer::around(rest), &mut to);
    }
    if is_version(to.as_slice()) { Probe::Member } else { Probe::No }
}

fn skippable_size(bytes: &[u8]) -> Option<usize> {
    let size = bytes.get(4..8)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*size) as usize)
}

/// Number of bytes at the start of an archive that contain its dictionary, given its first eight or more bytes.
pub(crate) fn leading_dictionary(bytes: &[u8]) -> Option<u64> {
    let size = bytes.starts_with(&DICTIONARY_MAGIC).then(|| skippable_size(bytes))??;
    (size <= DICTIONARY_LIMIT).then_some(8 + size as u64)
}

/// The dictionary of a whole skippable frame.
pub(crate) fn dictionary_of(frame: &[u8]) -> Option<Vec<u8>> {
    decompress_dictionary(frame.get(8..)?)
}

/// The kind of an error of libzstd, which reports errors only as text.
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

/// Decompresses a dictionary, which may itself be stored as a zstd frame.
fn decompress_dictionary(content: &[u8]) -> Option<Vec<u8>> {
    if !content.starts_with(Zstd::MAGIC) {
        return Some(content.to_vec());
    }
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(content).ok()?;
    let limit = DICTIONARY_LIMIT as u64;
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, limit), &mut out).ok()?;
    Some(out)
}

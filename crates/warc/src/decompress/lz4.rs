//! LZ4 frames (frame format 1.6), decompressed block by block, with checksums.

use xxhash_rust::xxh32::{Xxh32, xxh32};

use super::format::{Form, Format, Outcome, Probe};
use crate::buffer::{Input, Window};
use crate::error::FaultKind;
use crate::magic::is_skippable;

/// Bytes that linked blocks refer back to.
const DICTIONARY: usize = 64 << 10;
/// Length of the longest frame header.
const LONGEST_HEADER: usize = 19;

/// Decompresses one LZ4 frame.
#[derive(Default)]
pub(crate) struct Lz4 {
    frame: Option<Frame>,
    /// The last decompressed bytes of the frame, for linked blocks.
    history: Vec<u8>,
    scratch: Vec<u8>,
    /// Bytes of a skippable frame still to be skipped.
    skip: usize,
}

impl std::fmt::Debug for Lz4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lz4").field("skip", &self.skip).finish_non_exhaustive()
    }
}

struct Frame {
    header: Descriptor,
    content: Option<Xxh32>,
    /// Whether all checksums were correct so far.
    sound: bool,
}

/// The frame descriptor.
#[derive(Debug, Clone, Copy)]
struct Descriptor {
    linked: bool,
    block_checksum: bool,
    content_checksum: bool,
    max_block: usize,
    len: usize,
}

impl Lz4 {
    fn go_on_skipping(&mut self, input: &mut Input) -> Outcome {
        let here = input.available().len().min(self.skip);
        input.advance(here);
        self.skip -= here;
        match self.skip {
            0 => Outcome::Ended,
            _ if here > 0 => Outcome::More,
            _ => Outcome::Short,
        }
    }
}

impl Format for Lz4 {
    const FORM: Form = Form::Lz4;
    const MAGIC: &'static [u8] = &[0x04, 0x22, 0x4d, 0x18];
    const LEAST: usize = 4;
    const CHECKED: bool = false;

    fn begins(bytes: &[u8]) -> bool {
        is_skippable(bytes) || bytes.starts_with(&Self::MAGIC[..bytes.len().min(4)])
    }

    fn probe(bytes: &[u8], finished: bool) -> Probe {
        if bytes.len() < LONGEST_HEADER && !finished {
            return Probe::More;
        }
        if descriptor(bytes).is_some() { Probe::Member } else { Probe::No }
    }

    fn begin(&mut self, input: &mut Input, _window: &mut Window) -> Outcome {
        let bytes = input.available();
        if is_skippable(bytes) {
            let Some(size) = bytes.get(4..8).and_then(|size| size.first_chunk::<4>()) else {
                return Outcome::Short;
            };
            self.skip = u32::from_le_bytes(*size) as usize;
            input.advance(8);
            return if self.skip == 0 { Outcome::Ended } else { Outcome::More };
        }
        if bytes.len() < LONGEST_HEADER && !input.finished {
            return Outcome::Short;
        }
        let Some(header) = descriptor(bytes) else {
            let cut = bytes.len() < LONGEST_HEADER;
            return if cut { Outcome::Short } else { Outcome::Damaged(FaultKind::CorruptMember) };
        };
        input.advance(header.len);
        self.history.clear();
        let content = header.content_checksum.then(|| Xxh32::new(0));
        self.frame = Some(Frame { header, content, sound: true });
        Outcome::More
    }

    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        if self.skip > 0 {
            return self.go_on_skipping(input);
        }
        let Some(frame) = &mut self.frame else { return Outcome::Damaged(FaultKind::CorruptMember) };
        let header = frame.header;
        let bytes = input.available();
        let Some(size) = number(bytes) else { return Outcome::Short };
        if size == 0 {
            let end = 4 + if header.content_checksum { 4 } else { 0 };
            if bytes.len() < end {
                return Outcome::Short;
            }
            let content = frame.content.as_ref().map(Xxh32::digest);
            let sound = frame.sound && (content.is_none() || content == number(&bytes[4..]));
            input.advance(end);
            return if sound { Outcome::Ended } else { Outcome::Damaged(FaultKind::Checksum) };
        }
        let stored = size & 0x8000_0000 != 0;
        let len = (size & 0x7fff_ffff) as usize;
        if len > header.max_block + 64 {
            return Outcome::Damaged(FaultKind::CorruptMember);
        }
        let end = 4 + len + if header.block_checksum { 4 } else { 0 };
        let Some(data) = bytes.get(4..4 + len).filter(|_| bytes.len() >= end) else { return Outcome::Short };
        if header.block_checksum && number(&bytes[4 + len..]) != Some(xxh32(data, 0)) {
            frame.sound = false;
        }
        window.compact();
        let new: &[u8] = if stored {
            data
        } else {
            self.scratch.resize(header.max_block, 0);
            let decompressed = if header.linked {
                lz4_flex::block::decompress_into_with_dict(data, &mut self.scratch, &self.history)
            } else {
                lz4_flex::block::decompress_into(data, &mut self.scratch)
            };
            match decompressed {
                Ok(written) => &self.scratch[..written],
                Err(_) => return Outcome::Damaged(FaultKind::CorruptMember),
            }
        };
        window.buf.extend_from_slice(new);
        if let Some(content) = &mut frame.content {
            content.update(new);
        }
        if header.linked {
            self.history.extend_from_slice(new);
            let old = self.history.len().saturating_sub(DICTIONARY);
            self.history.drain(..old);
        }
        input.advance(end);
        Outcome::More
    }
}

/// The number in the first four bytes, in little endian.
fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
}

fn descriptor(bytes: &[u8]) -> Option<Descriptor> {
    let (&flags, &sizes) = (bytes.get(4)?, bytes.get(5)?);
    if flags >> 6 != 1 || flags & 2 != 0 || sizes & 0x8f != 0 {
        return None;
    }
    let max_block = match sizes >> 4 {
        4 => 64 << 10,
        5 => 256 << 10,
        6 => 1 << 20,
        7 => 4 << 20,
        _ => return None,
    };
    let len = 7 + if flags & 8 != 0 { 8 } else { 0 } + if flags & 1 != 0 { 4 } else { 0 };
    // The second byte of the descriptor's hash ends the header.
    let check = (xxh32(bytes.get(4..len - 1)?, 0) >> 8) as u8;
    (bytes.get(len - 1) == Some(&check)).then_some(Descriptor {
        linked: flags & 0x20 == 0,
        block_checksum: flags & 0x10 != 0,
        content_checksum: flags & 4 != 0,
        max_block,
        len,
    })
}

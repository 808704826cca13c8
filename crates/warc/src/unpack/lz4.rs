//! LZ4 frames (the frame format 1.6), block by block.

use super::{Fill, LZ4_MAGIC, Probe, Resync, is_skippable};
use crate::buffer::{Input, Window};
use crate::error::FaultKind;

/// Linked blocks look back this far.
const DICTIONARY: usize = 64 << 10;
/// Packed bytes kept for a second look.
const HOLD: u64 = 4 << 20;

/// Unpacker of LZ4 frames.
#[derive(Debug, Default)]
pub(crate) struct Lz4 {
    state: State,
    /// The last unpacked bytes of the frame, for linked blocks.
    history: Vec<u8>,
    scratch: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    Frame(Frame),
    Resync(Resync),
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    start: u64,
    header: Descriptor,
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
    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        match &self.state {
            State::Between => self.between(input, window),
            State::Frame(frame) => {
                let frame = *frame;
                self.block(frame, input, window)
            }
            State::Resync(resync) => {
                let fill = resync.step(input, window, &LZ4_MAGIC, probe);
                if fill == Fill::More {
                    self.state = State::Between;
                }
                fill
            }
        }
    }

    fn between(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let zeros = input.available().iter().take_while(|byte| **byte == 0).count();
        input.advance(zeros);
        let bytes = input.available();
        let start = input.offset();
        if bytes.is_empty() {
            return if input.finished { Fill::End } else { Fill::NeedInput };
        }
        if bytes.len() < 19 && !input.finished {
            return Fill::NeedInput;
        }
        if is_skippable(bytes) && bytes.len() >= 8 {
            let size = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
            if bytes.len() < 8 + size && !input.finished {
                return Fill::NeedInput;
            }
            input.advance(8 + size);
            return Fill::More;
        }
        if !bytes.starts_with(&LZ4_MAGIC) {
            self.state = State::Resync(Resync::new(start, FaultKind::Garbage, start));
            return Fill::More;
        }
        let Some(header) = descriptor(bytes) else {
            let kind = if bytes.len() < 19 { FaultKind::TruncatedMember } else { FaultKind::CorruptMember };
            return self.damaged(input, start, kind);
        };
        input.hold();
        input.advance(header.len);
        window.mark(start, None);
        self.history.clear();
        self.state = State::Frame(Frame { start, header });
        Fill::More
    }

    fn block(&mut self, frame: Frame, input: &mut Input, window: &mut Window) -> Fill {
        let Frame { start, header } = frame;
        if input.held() > HOLD {
            input.release();
        }
        let bytes = input.available();
        let Some(size) = bytes.first_chunk::<4>().map(|size| u32::from_le_bytes(*size)) else {
            return self.short(input, start);
        };
        if size == 0 {
            let end = 4 + if header.content_checksum { 4 } else { 0 };
            if bytes.len() < end {
                return self.short(input, start);
            }
            input.advance(end);
            input.release();
            self.state = State::Between;
            window.mark(input.offset(), None);
            return Fill::More;
        }
        let stored = size & 0x8000_0000 != 0;
        let len = (size & 0x7fff_ffff) as usize;
        if len > header.max_block + 64 {
            return self.damaged(input, start, FaultKind::CorruptMember);
        }
        let end = 4 + len + if header.block_checksum { 4 } else { 0 };
        let Some(data) = bytes.get(4..4 + len).filter(|_| bytes.len() >= end) else {
            return self.short(input, start);
        };
        window.compact();
        let new: &[u8] = if stored {
            data
        } else {
            self.scratch.resize(header.max_block, 0);
            let unpacked = if header.linked {
                lz4_flex::block::decompress_into_with_dict(data, &mut self.scratch, &self.history)
            } else {
                lz4_flex::block::decompress_into(data, &mut self.scratch)
            };
            match unpacked {
                Ok(written) => &self.scratch[..written],
                Err(_) => return self.damaged(input, start, FaultKind::CorruptMember),
            }
        };
        window.buf.extend_from_slice(new);
        if header.linked {
            self.history.extend_from_slice(new);
            let old = self.history.len().saturating_sub(DICTIONARY);
            self.history.drain(..old);
        }
        input.advance(end);
        Fill::More
    }

    fn short(&mut self, input: &mut Input, start: u64) -> Fill {
        if input.finished { self.damaged(input, start, FaultKind::TruncatedMember) } else { Fill::NeedInput }
    }

    fn damaged(&mut self, input: &mut Input, start: u64, kind: FaultKind) -> Fill {
        let from = input.rewind_to(start + 1);
        input.release();
        self.state = State::Resync(Resync::new(start, kind, from));
        Fill::More
    }
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
    (bytes.len() >= len).then_some(Descriptor {
        linked: flags & 0x20 == 0,
        block_checksum: flags & 0x10 != 0,
        content_checksum: flags & 4 != 0,
        max_block,
        len,
    })
}

fn probe(bytes: &[u8], finished: bool) -> Probe {
    if bytes.len() < 19 && !finished {
        return Probe::More;
    }
    if descriptor(bytes).is_some() { Probe::Member } else { Probe::No }
}

//! Zstandard frames, with the dictionary of a WARC's first skippable frame.

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{Fill, Limits, Probe, Resync, ZSTD_MAGIC, is_skippable};
use crate::buffer::{Input, Window};
use crate::error::FaultKind;

/// Magic number of the skippable frame that holds a dictionary ("Zstandard in WARC", version 1.0).
const DICTIONARY_MAGIC: [u8; 4] = [0x5d, 0x2a, 0x4d, 0x18];
/// Largest dictionary: 64 MiB is far above what writers make (some 100 KiB).
const DICTIONARY_LIMIT: usize = 64 << 20;
/// Unpacked bytes of one step.
const STEP: usize = 256 << 10;
/// Packed bytes kept for a second look.
const HOLD: u64 = 4 << 20;

/// Unpacker of zstd frames.
pub(crate) struct Zstd {
    limits: Limits,
    dictionary: Option<Vec<u8>>,
    decoder: Option<Decoder<'static>>,
    state: State,
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum State {
    Between,
    Frame { start: u64 },
    Skip { bytes: u64 },
    Resync(Resync),
}

impl Zstd {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, dictionary: None, decoder: None, state: State::Between }
    }

    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        match &self.state {
            State::Between => self.between(input, window),
            State::Frame { start } => {
                let start = *start;
                self.frame(start, input, window)
            }
            State::Skip { bytes } => {
                let bytes = *bytes;
                self.skip(bytes, input)
            }
            State::Resync(resync) => {
                let fill = resync.step(input, window, &ZSTD_MAGIC, probe);
                if fill == Fill::More {
                    self.state = State::Between;
                    self.decoder = None;
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
        if bytes.len() < 8 && !input.finished {
            return Fill::NeedInput;
        }
        if is_skippable(bytes) {
            return self.skippable(input);
        }
        if !bytes.starts_with(&ZSTD_MAGIC) {
            self.state = State::Resync(Resync::new(start, FaultKind::Garbage, start));
            return Fill::More;
        }
        if self.decoder.is_none() {
            match self.new_decoder() {
                Some(decoder) => self.decoder = Some(decoder),
                None => return self.damaged(input, start, FaultKind::CorruptMember),
            }
        }
        input.hold();
        window.mark(start, None);
        self.state = State::Frame { start };
        Fill::More
    }

    fn new_decoder(&self) -> Option<Decoder<'static>> {
        let mut decoder = match &self.dictionary {
            Some(dictionary) => Decoder::with_dictionary(dictionary).ok()?,
            None => Decoder::new().ok()?,
        };
        decoder.set_parameter(DParameter::WindowLogMax(self.limits.zstd_window_log)).ok()?;
        Some(decoder)
    }

    fn skippable(&mut self, input: &mut Input) -> Fill {
        let bytes = input.available();
        let start = input.offset();
        let Some(size) = bytes.get(4..8).and_then(|size| size.first_chunk::<4>()) else {
            return self.damaged(input, start, FaultKind::TruncatedMember);
        };
        let size = u32::from_le_bytes(*size) as usize;
        if bytes.starts_with(&DICTIONARY_MAGIC) && self.dictionary.is_none() && size <= DICTIONARY_LIMIT {
            let Some(content) = bytes.get(8..8 + size) else {
                if !input.finished {
                    return Fill::NeedInput;
                }
                return self.damaged(input, start, FaultKind::TruncatedMember);
            };
            self.dictionary = unpack_dictionary(content);
            self.decoder = None;
        }
        input.advance(8);
        self.state = State::Skip { bytes: size as u64 };
        Fill::More
    }

    fn skip(&mut self, bytes: u64, input: &mut Input) -> Fill {
        let here = input.available().len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
        input.advance(here);
        let left = bytes - here as u64;
        if left == 0 {
            self.state = State::Between;
            return Fill::More;
        }
        self.state = State::Skip { bytes: left };
        if !input.finished {
            return Fill::NeedInput;
        }
        let offset = input.offset();
        self.damaged(input, offset, FaultKind::TruncatedMember)
    }

    fn frame(&mut self, start: u64, input: &mut Input, window: &mut Window) -> Fill {
        let Some(decoder) = &mut self.decoder else {
            self.state = State::Between;
            return Fill::More;
        };
        if input.held() > HOLD {
            input.release();
        }
        window.compact();
        window.buf.reserve(STEP);
        let before = window.buf.len();
        let (result, read) = {
            let mut from = InBuffer::around(input.available());
            let mut to = OutBuffer::around_pos(&mut window.buf, before);
            (decoder.run(&mut from, &mut to), from.pos())
        };
        input.advance(read);
        let written = window.buf.len() - before;
        match result {
            Ok(0) => {
                input.release();
                self.state = State::Between;
                window.mark(input.offset(), None);
                Fill::More
            }
            Ok(_) if read == 0 && written == 0 => {
                if !input.finished {
                    return Fill::NeedInput;
                }
                self.damaged(input, start, FaultKind::TruncatedMember)
            }
            Ok(_) => Fill::More,
            Err(error) => {
                let kind = kind_of(&error);
                self.damaged(input, start, kind)
            }
        }
    }

    fn damaged(&mut self, input: &mut Input, start: u64, kind: FaultKind) -> Fill {
        let from = input.rewind_to(start + 1);
        input.release();
        self.decoder = None;
        self.state = State::Resync(Resync::new(start, kind, from));
        Fill::More
    }
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
    if !content.starts_with(&ZSTD_MAGIC) {
        return Some(content.to_vec());
    }
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(content).ok()?;
    let limit = DICTIONARY_LIMIT as u64;
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, limit), &mut out).ok()?;
    Some(out)
}

/// Whether a frame is at the start of `bytes`: its header must be sound. With four bytes of magic a false
/// hit is rare, and a false frame ends in a fault and a new search.
fn probe(bytes: &[u8], finished: bool) -> Probe {
    let Some(descriptor) = bytes.get(4) else {
        return if finished { Probe::No } else { Probe::More };
    };
    // Bit 3 is reserved and zero (RFC 8878, 3.1.1.1.1).
    if descriptor & 0x08 == 0 { Probe::Member } else { Probe::No }
}

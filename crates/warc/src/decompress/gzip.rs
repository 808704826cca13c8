//! Gzip: decompresses whole members with libdeflate, and streams huge or damaged ones.

use flate2::{Decompress, FlushDecompress, Status};

use super::format::{Form, Format, Limits, Outcome, Probe};
use crate::buffer::{Input, Window};
use crate::deflate::{Container, Decompressed, Inflater, crc32};
use crate::error::FaultKind;
use crate::search::{is_record_start, is_version};

/// A member of more compressed bytes than this is streamed.
const WHOLE_MEMBER_INPUT: usize = 8 << 20;
/// Initial capacity for a member.
const FIRST_ROOM: usize = 1 << 20;
/// Decompressed bytes per streaming step.
const STREAM_STEP: usize = 256 << 10;
/// Decompressed bytes that a probe examines.
const PROBE_OUTPUT: usize = 4096;
/// Compressed bytes that a probe examines, and how many of them the header may take. A search must not be slow if many
/// bytes look like the start of a member.
const PROBE_INPUT: usize = 16 << 10;
const PROBE_HEADER: usize = 4 << 10;

/// Decompresses one gzip member.
#[derive(Debug)]
pub(crate) struct Gzip {
    inflater: Option<Inflater>,
    limits: Limits,
    /// Input bytes that are needed before the next attempt to decompress the member.
    want: usize,
    room: usize,
    stream: Option<Box<Stream>>,
}

#[derive(Debug)]
struct Stream {
    inflate: Decompress,
    /// In the member's data, before its trailer.
    ended: bool,
    crc: u32,
    len: u64,
}

impl Gzip {
    pub(super) fn new(limits: Limits) -> Self {
        let room = FIRST_ROOM.min(limits.whole_member);
        Self { inflater: Inflater::new(), limits, want: 0, room, stream: None }
    }

    fn begin_stream(&mut self, input: &mut Input) -> Outcome {
        match header_len(input.available()) {
            Header::Bytes(len) => {
                input.advance(len);
                let inflate = Decompress::new(false);
                self.stream = Some(Box::new(Stream { inflate, ended: false, crc: 0, len: 0 }));
                Outcome::More
            }
            Header::Short => {
                self.want = input.available().len() + 1;
                Outcome::Short
            }
            Header::Bad => Outcome::Damaged(FaultKind::CorruptMember),
        }
    }
}

impl Format for Gzip {
    const FORM: Form = Form::Gzip;
    const MAGIC: &'static [u8] = &[0x1f, 0x8b, 0x08];
    const LEAST: usize = 3;
    const CHECKED: bool = true;

    fn begins(bytes: &[u8]) -> bool {
        let len = bytes.len().min(Self::MAGIC.len());
        bytes[..len] == Self::MAGIC[..len]
    }

    fn probe(bytes: &[u8], finished: bool) -> Probe {
        probe(bytes, finished)
    }

    fn begin(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        let bytes = input.available();
        if bytes.len() < self.want && !input.finished {
            return Outcome::Short;
        }
        self.want = 0;
        window.compact();
        while let Some(inflater) = &mut self.inflater {
            window.buf.reserve(self.room);
            match inflater.decompress(Container::Gzip, bytes, &mut window.buf) {
                Decompressed::Done(read) => {
                    input.advance(read);
                    return Outcome::Ended;
                }
                Decompressed::Space if self.room < self.limits.whole_member => {
                    self.room = (self.room * 4).min(self.limits.whole_member);
                }
                Decompressed::Bad if !input.finished && bytes.len() < WHOLE_MEMBER_INPUT => {
                    self.want = (bytes.len() * 2).max(64 << 10);
                    return Outcome::Short;
                }
                Decompressed::Space | Decompressed::Bad => break,
            }
        }
        self.begin_stream(input)
    }

    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome {
        let Some(stream) = &mut self.stream else { return Outcome::Damaged(FaultKind::CorruptMember) };
        if stream.ended {
            let Some(trailer) = input.available().first_chunk::<8>() else { return Outcome::Short };
            let (crc, len) = trailer.split_at(4);
            let sound = crc == stream.crc.to_le_bytes() && len == (stream.len as u32).to_le_bytes();
            if !sound {
                return Outcome::Damaged(FaultKind::Checksum);
            }
            input.advance(8);
            return Outcome::Ended;
        }
        window.compact();
        window.buf.reserve(STREAM_STEP);
        let before = window.buf.len();
        let read = stream.inflate.total_in();
        let status = stream.inflate.decompress_vec(input.available(), &mut window.buf, FlushDecompress::None);
        let read = usize::try_from(stream.inflate.total_in() - read).unwrap_or(usize::MAX);
        let new = &window.buf[before..];
        let written = new.len();
        stream.crc = crc32(stream.crc, new);
        stream.len += written as u64;
        input.advance(read);
        match status {
            Ok(Status::StreamEnd) => stream.ended = true,
            Ok(_) if read == 0 && written == 0 => return Outcome::Short,
            Ok(_) => {}
            // The bytes that a failing call decompressed before the damage are in the window, too.
            Err(_) => return Outcome::Damaged(FaultKind::CorruptMember),
        }
        Outcome::More
    }
}

/// Decompresses a deflate stream up to its end or damage, or until `out` is full. Returns the bytes read if the stream
/// has ended.
fn decompress_start(compressed: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let mut inflate = Decompress::new(false);
    let status = inflate.decompress_vec(compressed, out, FlushDecompress::None).ok()?;
    (status == Status::StreamEnd).then(|| usize::try_from(inflate.total_in()).unwrap_or(usize::MAX))
}

enum Header {
    Bytes(usize),
    Short,
    Bad,
}

/// Length of the header of a gzip member (RFC 1952).
fn header_len(bytes: &[u8]) -> Header {
    let Some(fixed) = bytes.first_chunk::<10>() else { return Header::Short };
    let flags = fixed[3];
    if fixed[..3] != *Gzip::MAGIC || flags & 0xe0 != 0 {
        return Header::Bad;
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(extra) = bytes.get(at..at + 2) else { return Header::Short };
        at += 2 + usize::from(extra[0]) + 256 * usize::from(extra[1]);
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(end) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) else {
                return Header::Short;
            };
            at += end + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    if at > bytes.len() { Header::Short } else { Header::Bytes(at) }
}

/// Whether `bytes` start with a member that starts a record, in a file of another form.
pub(super) fn begins_record(bytes: &[u8], finished: bool) -> Probe {
    let bytes = &bytes[..bytes.len().min(PROBE_HEADER)];
    let more = if finished || bytes.len() == PROBE_HEADER { Probe::No } else { Probe::More };
    let len = match header_len(bytes) {
        Header::Bytes(len) => len,
        Header::Short => return more,
        Header::Bad => return Probe::No,
    };
    let mut out = Vec::with_capacity(64);
    let ended = decompress_start(&bytes[len..], &mut out).is_some();
    match is_version(&out) {
        true => Probe::Member,
        false if ended || out.len() > 5 => Probe::No,
        false => more,
    }
}

/// Whether `bytes` start with a valid member that starts a record.
fn probe(bytes: &[u8], finished: bool) -> Probe {
    // The result must not depend on how many more bytes are available.
    let bytes = &bytes[..bytes.len().min(PROBE_INPUT)];
    let more = if finished || bytes.len() == PROBE_INPUT { Probe::No } else { Probe::More };
    let header = &bytes[..bytes.len().min(PROBE_HEADER)];
    let len = match header_len(header) {
        Header::Bytes(len) => len,
        Header::Short if header.len() < PROBE_HEADER => return more,
        Header::Short | Header::Bad => return Probe::No,
    };
    let mut out = Vec::with_capacity(PROBE_OUTPUT);
    let ended = decompress_start(&bytes[len..], &mut out);
    // Even if the member is damaged later.
    if is_record_start(&out, true) {
        return Probe::Member;
    }
    match ended {
        // A complete member that starts no record may continue one, if its checksum is correct.
        Some(read) => match bytes.get(len + read..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(trailer) if trailer[..4] == crc32(0, &out).to_le_bytes() => Probe::Member,
            Some(_) => Probe::No,
            None => more,
        },
        None if out.len() < out.capacity() => more,
        None => Probe::No,
    }
}

//! Gzip: whole members by libdeflate, huge or damaged ones by streaming.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Fill, GZIP_MAGIC, Limits, Probe, Resync, is_record_start};
use crate::buffer::{Input, Mark, Window};
use crate::deflate::{Container, Inflater, Unpacked, crc32};
use crate::error::FaultKind;

/// A member of more packed bytes than this is streamed rather than waited for.
const WHOLE_MEMBER_INPUT: usize = 8 << 20;
/// First size of the room for a member.
const FIRST_ROOM: usize = 1 << 20;
/// Unpacked bytes of one streaming step.
const STREAM_STEP: usize = 256 << 10;
/// Packed bytes kept for a second look while streaming.
const HOLD: u64 = 4 << 20;
/// Unpacked bytes that a probe looks at.
const PROBE: usize = 4096;

/// Unpacker of gzip members.
#[derive(Debug)]
pub(crate) struct Gzip {
    inflater: Option<Inflater>,
    limits: Limits,
    /// Input bytes without which unpacking the member is not tried again.
    want: usize,
    room: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Between,
    Stream(Box<Stream>),
    Resync(Resync),
}

#[derive(Debug)]
struct Stream {
    inflate: Decompress,
    start: u64,
    /// Of the member's data, not yet its trailer.
    ended: bool,
    crc: u32,
    len: u64,
}

impl Gzip {
    pub(crate) fn new(limits: Limits) -> Self {
        let room = FIRST_ROOM.min(limits.whole_member);
        Self { inflater: Inflater::new(), limits, want: 0, room, state: State::Between }
    }

    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        match &mut self.state {
            State::Between => self.member(input, window),
            State::Stream(_) => self.stream(input, window),
            State::Resync(resync) => {
                let fill = resync.step(input, window, &GZIP_MAGIC, probe);
                if fill == Fill::More {
                    self.state = State::Between;
                }
                fill
            }
        }
    }

    fn member(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let zeros = input.available().iter().take_while(|byte| **byte == 0).count();
        input.advance(zeros);
        let bytes = input.available();
        if bytes.is_empty() {
            return if input.finished { Fill::End } else { Fill::NeedInput };
        }
        let magic = bytes.len().min(GZIP_MAGIC.len());
        if bytes[..magic] != GZIP_MAGIC[..magic] {
            self.state = State::Resync(Resync::new(input.offset(), FaultKind::Garbage, input.offset()));
            return Fill::More;
        }
        if bytes.len() < self.want.max(GZIP_MAGIC.len()) && !input.finished {
            return Fill::NeedInput;
        }
        window.compact();
        let begin = window.end();
        let limit = self.limits.whole_member;
        while let Some(inflater) = &mut self.inflater {
            window.buf.reserve(self.room);
            match inflater.unpack(Container::Gzip, bytes, &mut window.buf) {
                Unpacked::Done(read) => {
                    self.want = 0;
                    let offset = input.offset();
                    input.advance(read);
                    // The mark of the member belongs before its bytes, which are there already.
                    if window.marks.back().is_none_or(|mark| mark.offset != offset) {
                        window.marks.push_back(Mark { at: begin, offset, fault: None });
                    }
                    window.mark(input.offset(), None);
                    return Fill::More;
                }
                Unpacked::Space if self.room < limit => self.room = (self.room * 4).min(limit),
                Unpacked::Bad if !input.finished && bytes.len() < WHOLE_MEMBER_INPUT => {
                    self.want = (bytes.len() * 2).max(64 << 10);
                    return Fill::NeedInput;
                }
                Unpacked::Space | Unpacked::Bad => break,
            }
        }
        self.want = 0;
        self.begin_stream(input, window)
    }

    fn begin_stream(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let start = input.offset();
        match header_len(input.available()) {
            Header::Bytes(len) => {
                input.hold();
                input.advance(len);
                window.mark(start, None);
                let inflate = Decompress::new(false);
                self.state = State::Stream(Box::new(Stream { inflate, start, ended: false, crc: 0, len: 0 }));
                Fill::More
            }
            Header::Short if !input.finished => {
                self.want = input.available().len() + 1;
                Fill::NeedInput
            }
            Header::Short => self.damaged(input, start, FaultKind::TruncatedMember),
            Header::Bad => self.damaged(input, start, FaultKind::CorruptMember),
        }
    }

    fn stream(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let State::Stream(stream) = &mut self.state else { return Fill::More };
        let start = stream.start;
        if input.held() > HOLD {
            input.release();
        }
        if stream.ended {
            let Some(trailer) = input.available().first_chunk::<8>() else {
                return self.short(input, start);
            };
            let (crc, len) = trailer.split_at(4);
            let sound = crc == stream.crc.to_le_bytes() && len == (stream.len as u32).to_le_bytes();
            if !sound {
                return self.damaged(input, start, FaultKind::Checksum);
            }
            input.advance(8);
            input.release();
            self.state = State::Between;
            window.mark(input.offset(), None);
            return Fill::More;
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
            Ok(_) if read == 0 && written == 0 => return self.short(input, start),
            Ok(_) => {}
            Err(_) => return self.damaged(input, start, FaultKind::CorruptMember),
        }
        Fill::More
    }

    fn short(&mut self, input: &mut Input, start: u64) -> Fill {
        if input.finished { self.damaged(input, start, FaultKind::TruncatedMember) } else { Fill::NeedInput }
    }

    /// Begins the search for the next member, from behind the damaged one's start if that is still there.
    fn damaged(&mut self, input: &mut Input, start: u64, kind: FaultKind) -> Fill {
        let from = input.rewind_to(start + 1);
        input.release();
        self.state = State::Resync(Resync::new(start, kind, from));
        Fill::More
    }
}

enum Header {
    Bytes(usize),
    Short,
    Bad,
}

/// Length of a gzip member's header (RFC 1952).
fn header_len(bytes: &[u8]) -> Header {
    let Some(fixed) = bytes.first_chunk::<10>() else { return Header::Short };
    let flags = fixed[3];
    if fixed[..3] != GZIP_MAGIC || flags & 0xe0 != 0 {
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

/// Whether a sound member that begins a record is at the start of `bytes`.
pub(super) fn probe(bytes: &[u8], finished: bool) -> Probe {
    let more = if finished { Probe::No } else { Probe::More };
    let len = match header_len(bytes) {
        Header::Bytes(len) => len,
        Header::Short => return more,
        Header::Bad => return Probe::No,
    };
    let mut out = Vec::with_capacity(PROBE);
    let mut inflate = Decompress::new(false);
    let Ok(status) = inflate.decompress_vec(&bytes[len..], &mut out, FlushDecompress::None) else {
        return Probe::No;
    };
    if is_record_start(&out) {
        return Probe::Member;
    }
    match status {
        // A whole member that begins no record: a record may go on in it, if its checksum is right.
        Status::StreamEnd => {
            let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
            let Some(trailer) = bytes.get(len + read..).and_then(|rest| rest.first_chunk::<8>()) else {
                return more;
            };
            if trailer[..4] == crc32(0, &out).to_le_bytes() { Probe::Member } else { Probe::No }
        }
        _ if out.len() < PROBE && bytes.len() < 2 * PROBE => more,
        _ => Probe::No,
    }
}

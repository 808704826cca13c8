//! Removes codings from bodies that are not held in memory.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use super::chunked::Unchunk;
use super::coding::{
    Coding, PayloadFault, PayloadLimits, PayloadNote, codings, is_text, is_zlib, is_zstd, sniff,
};
use super::inflate::Inflate;
use crate::deflate::Container;
use crate::head::RecordType;
use crate::http::HttpMessage;
use crate::magic;

/// Bytes of a body in which its HTTP header is searched.
pub(crate) const HEAD: u64 = 256 << 10;
/// Bytes by which a coding is recognised. A line with a chunk size is not longer.
const PEEK: u64 = 4 << 10;
/// Largest window of zstd-coded HTTP content as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Reads the payload of a record of any size with transfer and content codings removed, in bounded memory.
///
/// Created by [`Record::into_payload_reader`](crate::Record::into_payload_reader). Damage ends the payload;
/// [`PayloadReader::fault`] returns it. Decompression ends at [`PayloadLimits::bytes`]; uncompressed bytes have no limit.
pub struct PayloadReader<'a> {
    source: Box<dyn BufRead + 'a>,
    status: Option<u16>,
    /// Bytes that may still be returned.
    room: u64,
    fault: Option<PayloadFault>,
    notes: Vec<PayloadNote>,
}

impl std::fmt::Debug for PayloadReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadReader").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl<'a> PayloadReader<'a> {
    pub(crate) fn new(
        kind: Option<RecordType>,
        mut body: impl Read + 'a,
        limits: &PayloadLimits,
    ) -> std::io::Result<Self> {
        let mut start = Vec::new();
        body.by_ref().take(HEAD).read_to_end(&mut start)?;
        let mut reader =
            Self { source: Box::new(&[][..]), status: None, room: u64::MAX, fault: None, notes: Vec::new() };
        let mut found = Vec::new();
        let message = kind.and_then(|kind| HttpMessage::of(kind, &start));
        let skip = message.map_or(0, |message| {
            reader.status = message.status();
            found = codings(&message, limits, &mut reader.notes);
            start.len() - message.body().len()
        });
        start.drain(..skip);
        reader.source = Box::new(BufReader::new(std::io::Cursor::new(start).chain(body)));
        for coding in found {
            reader.take_off(coding, limits)?;
        }
        Ok(reader)
    }

    /// Removes one coding, or the one that the body has in fact.
    fn take_off(&mut self, coding: Coding, limits: &PayloadLimits) -> std::io::Result<()> {
        let start = self.peek()?;
        let is_true = match coding {
            Coding::Chunked => super::chunked::begins(&start),
            Coding::Gzip => start.starts_with(&magic::GZIP),
            Coding::Zstd => is_zstd(&start),
            Coding::Deflate | Coding::Brotli => !is_text(&start),
        };
        let mut coding = coding;
        if !is_true {
            self.notes.push(PayloadNote::Lie(coding));
            match sniff(&start).filter(|other| *other != coding) {
                Some(other) => coding = other,
                None => return Ok(()),
            }
        }
        let deflate = match coding {
            Coding::Deflate if is_zlib(&start) => Container::Zlib,
            Coding::Deflate if !start.starts_with(&magic::GZIP) => Container::Raw,
            _ => Container::Gzip,
        };
        let source = std::mem::replace(&mut self.source, Box::new(&[][..]));
        self.source = match coding {
            Coding::Chunked => faulty(Unchunk::new(source), coding),
            Coding::Gzip | Coding::Deflate => faulty(Inflate::new(source, deflate), coding),
            Coding::Brotli => faulty(brotli(source), coding),
            Coding::Zstd => faulty(zstd(source)?, coding),
        };
        if coding != Coding::Chunked {
            self.room = limits.bytes as u64;
        }
        Ok(())
    }

    /// The first bytes of the source, however small its reads are. They are not consumed, and neither is damage after
    /// them.
    fn peek(&mut self) -> std::io::Result<Vec<u8>> {
        let mut start = Vec::new();
        let damage = match self.source.by_ref().take(PEEK).read_to_end(&mut start) {
            Ok(_) => None,
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<PayloadFault>()) => Some(error),
            Err(error) => return Err(error),
        };
        let rest = std::mem::replace(&mut self.source, Box::new(&[][..]));
        let known = std::io::Cursor::new(start.clone());
        self.source = match damage {
            Some(error) => Box::new(BufReader::new(known.chain(Failing(Some(error))))),
            None => Box::new(BufReader::new(known.chain(rest))),
        };
        Ok(start)
    }

    /// The status code, if the record is an HTTP response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The damage found so far, if any.
    #[must_use]
    pub fn fault(&self) -> Option<PayloadFault> {
        self.fault
    }

    /// Oddities that lose nothing.
    #[must_use]
    pub fn notes(&self) -> &[PayloadNote] {
        &self.notes
    }
}

impl Read for PayloadReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.fault.is_some() || buf.is_empty() {
            return Ok(0);
        }
        let most = buf.len().min(usize::try_from(self.room.max(1)).unwrap_or(usize::MAX));
        match self.source.read(&mut buf[..most]) {
            Ok(0) => Ok(0),
            Ok(_) if self.room == 0 => {
                self.fault = Some(PayloadFault::TooLarge);
                Ok(0)
            }
            Ok(read) => {
                self.room -= read as u64;
                Ok(read)
            }
            Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<PayloadFault>()) {
                Some(fault) => {
                    self.fault = Some(*fault);
                    Ok(0)
                }
                None => Err(error),
            },
        }
    }
}

/// Fails once with an error.
struct Failing(Option<std::io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Adds the coding to the errors of its decoder. Errors of the source are passed on unchanged.
struct Faulty<R>(R, Coding);

fn faulty<'a>(reader: impl Read + 'a, coding: Coding) -> Box<dyn BufRead + 'a> {
    Box::new(BufReader::new(Faulty(reader, coding)))
}

impl<R: Read> Read for Faulty<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf).map_err(|error| {
            let fault = match error.kind() {
                ErrorKind::Interrupted => return error,
                _ if error.get_ref().is_some_and(|inner| inner.is::<PayloadFault>()) => return error,
                ErrorKind::UnexpectedEof => PayloadFault::Truncated(self.1),
                ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                    PayloadFault::Corrupt(self.1)
                }
                _ => return error,
            };
            std::io::Error::new(error.kind(), fault)
        })
    }
}

/// A brotli decoder whose errors distinguish a truncated stream from a corrupt one.
pub(super) fn brotli<'a>(source: impl Read + 'a) -> impl Read + 'a {
    Brotli(brotli_decompressor::Decompressor::new(Ended { source, ended: false }, 8 << 10))
}

struct Brotli<R: Read>(brotli_decompressor::Decompressor<Ended<R>>);

/// Notes whether its source has ended.
struct Ended<R> {
    source: R,
    ended: bool,
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buf)?;
        self.ended |= read == 0;
        Ok(read)
    }
}

impl<R: Read> Read for Brotli<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf).map_err(|error| {
            let cut = error.kind() == ErrorKind::InvalidData && self.0.get_ref().ended;
            if cut { ErrorKind::UnexpectedEof.into() } else { error }
        })
    }
}

pub(super) fn zstd<'a, R: BufRead + 'a>(source: R) -> std::io::Result<zstd::stream::read::Decoder<'a, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

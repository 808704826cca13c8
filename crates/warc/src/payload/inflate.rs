//! Streams deflate data that is damaged, truncated or too large to be decompressed at once.

use std::io::{BufRead, Error, ErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};

use crate::deflate::{Container, crc32};
use crate::magic;

/// Decompresses a zlib or raw deflate stream, or consecutive gzip members. Does not read what follows the stream.
///
/// Errors are [`ErrorKind::UnexpectedEof`] if the stream is truncated and [`ErrorKind::InvalidData`] if it is corrupt.
pub(super) struct Inflate<R> {
    source: R,
    container: Container,
    inflate: Decompress,
    state: State,
    crc: u32,
    len: u32,
}

/// Compressed bytes per call.
const PIECE: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Data,
    Trailer,
    Over,
}

impl<R: BufRead> Inflate<R> {
    pub(super) fn new(source: R, container: Container) -> Self {
        let state = if container == Container::Gzip { State::Header } else { State::Data };
        let inflate = Decompress::new(container == Container::Zlib);
        Self { source, container, inflate, state, crc: 0, len: 0 }
    }

    fn take<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads the header of a gzip member (RFC 1952).
    fn header(&mut self) -> std::io::Result<()> {
        let fixed: [u8; 10] = self.take()?;
        let flags = fixed[3];
        if fixed[..2] != magic::GZIP || fixed[2] != 8 || flags & 0xe0 != 0 {
            return Err(ErrorKind::InvalidData.into());
        }
        if flags & 4 != 0 {
            let len = u16::from_le_bytes(self.take()?);
            for _ in 0..len {
                self.take::<1>()?;
            }
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                while self.take::<1>()? != [0] {}
            }
        }
        if flags & 2 != 0 {
            self.take::<2>()?;
        }
        self.inflate.reset(false);
        (self.crc, self.len) = (0, 0);
        self.state = State::Data;
        Ok(())
    }

    fn data(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let input = self.source.fill_buf()?;
        let over = input.is_empty();
        // A failing call does not report what it decompressed before, so small pieces lose less.
        let input = &input[..input.len().min(PIECE)];
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let flush = if over { FlushDecompress::Finish } else { FlushDecompress::None };
        let status = self.inflate.decompress(input, buf, flush);
        let read = (self.inflate.total_in() - read) as usize;
        let written = (self.inflate.total_out() - written) as usize;
        self.source.consume(read);
        if self.container == Container::Gzip {
            self.crc = crc32(self.crc, &buf[..written]);
            self.len = self.len.wrapping_add(written as u32);
        }
        match status {
            Ok(Status::StreamEnd) if self.container == Container::Gzip => self.state = State::Trailer,
            Ok(Status::StreamEnd) => self.state = State::Over,
            Ok(_) if over && written == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            // Return what was decompressed before the damage first.
            Err(_) if written > 0 => {}
            Err(_) => return Err(ErrorKind::InvalidData.into()),
        }
        Ok(written)
    }

    fn trailer(&mut self) -> std::io::Result<()> {
        let trailer: [u8; 8] = self.take()?;
        let (crc, len) = trailer.split_at(4);
        if crc != self.crc.to_le_bytes() || len != self.len.to_le_bytes() {
            return Err(Error::new(ErrorKind::InvalidData, "checksum"));
        }
        let next = self.source.fill_buf()?;
        let goes_on = next[..next.len().min(2)] == magic::GZIP[..next.len().min(2)] && !next.is_empty();
        self.state = if goes_on { State::Header } else { State::Over };
        Ok(())
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Header => self.header()?,
                State::Data => match self.data(buf)? {
                    0 => {}
                    written => return Ok(written),
                },
                State::Trailer => self.trailer()?,
                State::Over => return Ok(0),
            }
        }
    }
}

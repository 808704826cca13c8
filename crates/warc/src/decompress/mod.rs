//! Decompresses the bytes of the file and marks member boundaries.
//!
//! Each decompressor consumes input, appends to the window and marks where members start. Damage becomes a mark with a fault;
//! the decompressor then searches the next valid member and continues.

mod detect;
mod format;
mod gzip;
mod lz4;
mod members;
mod zstd;

use crate::buffer::{Input, Window};
use gzip::Gzip;
use lz4::Lz4;
use members::Members;
use zstd::Zstd;

pub(crate) use detect::{begins_compressed, compressed_record, detect, form_of_start, record_member};
pub(crate) use format::{Compressed, Fill, Form, Limits};
pub(crate) use zstd::{dictionary_of, leading_dictionary};

/// Decompresses data of any form. The form may change from one record to the next.
#[derive(Debug)]
pub(crate) struct Decompressor {
    compression: Compression,
    limits: Limits,
    /// The form of the archive's start.
    first: Form,
    /// The dictionary of zstd frames, kept while other forms come between.
    dictionary: Option<Vec<u8>>,
    replaced: bool,
}

/// The form of the next bytes, and its state.
#[derive(Debug)]
enum Compression {
    /// `most` is the number of bytes taken per step.
    Plain {
        started: bool,
        most: usize,
    },
    Gzip(Box<Members<Gzip>>),
    Zstd(Box<Members<Zstd>>),
    Lz4(Box<Members<Lz4>>),
}

/// Plain bytes taken per step once forms change. Compressed data among them is put back.
const MIXED_PIECE: usize = 16 << 10;

impl Decompressor {
    pub(crate) fn new(form: Form, limits: Limits, dictionary: Option<Vec<u8>>) -> Self {
        let compression = Compression::new(form, limits, dictionary, usize::MAX);
        Self { compression, limits, first: form, dictionary: None, replaced: false }
    }

    pub(crate) fn fill(&mut self, input: &mut Input, window: &mut Window) -> Fill {
        let mut other = None;
        let fill = match &mut self.compression {
            Compression::Plain { started, most } => fill_plain(started, *most, input, window),
            Compression::Gzip(gzip) => gzip.fill(input, window, &mut other),
            Compression::Zstd(zstd) => zstd.fill(input, window, &mut other),
            Compression::Lz4(lz4) => lz4.fill(input, window, &mut other),
        };
        if let Some(form) = other {
            self.change(form);
        }
        fill
    }

    /// Switches to another form.
    pub(crate) fn change(&mut self, form: Form) {
        if let Compression::Zstd(zstd) = &mut self.compression {
            self.dictionary = zstd.format.dictionary.take();
            self.replaced |= zstd.format.replaced;
        }
        let dictionary = if form == Form::Zstd { self.dictionary.take() } else { None };
        self.compression = Compression::new(form, self.limits, dictionary, MIXED_PIECE);
    }

    /// Whether the form is still that of the archive's start.
    pub(crate) fn is_as_begun(&self) -> bool {
        let (form, replaced) = match &self.compression {
            Compression::Plain { .. } => (Form::Plain, false),
            Compression::Gzip(_) => (Form::Gzip, false),
            Compression::Zstd(zstd) => (Form::Zstd, zstd.format.replaced),
            Compression::Lz4(_) => (Form::Lz4, false),
        };
        form == self.first && !replaced && !self.replaced
    }

    /// The largest number of bytes to which this many compressed bytes can decompress.
    pub(crate) fn most_decompressed(&self, compressed: u64) -> u64 {
        let ratio = match &self.compression {
            // At least two bits per copy of at most 258 bytes (RFC 1951, 3.2.5).
            Compression::Gzip(_) => 1032,
            // Each byte extends a copy by at most 255 bytes (LZ4 block format).
            Compression::Lz4(_) => 255,
            // A block has a header of three bytes and decompresses to at most 128 KiB (RFC 8878, 3.1.1.2). Plain data may
            // follow compressed data of any form.
            Compression::Zstd(_) | Compression::Plain { .. } => (128 << 10) / 3 + 1,
        };
        compressed.saturating_mul(ratio)
    }

    /// Whether the bytes are stored uncompressed.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.compression, Compression::Plain { .. })
    }
}

impl Compression {
    fn new(form: Form, limits: Limits, dictionary: Option<Vec<u8>>, most: usize) -> Self {
        match form {
            Form::Plain => Self::Plain { started: false, most },
            Form::Gzip => Self::Gzip(Box::new(Members::new(Gzip::new(limits)))),
            Form::Zstd => Self::Zstd(Box::new(Members::new(Zstd::new(limits, dictionary)))),
            Form::Lz4 => Self::Lz4(Box::new(Members::new(Lz4::default()))),
        }
    }
}

fn fill_plain(started: &mut bool, most: usize, input: &mut Input, window: &mut Window) -> Fill {
    if input.available().is_empty() {
        return if input.finished { Fill::End } else { Fill::NeedInput };
    }
    if !*started {
        *started = true;
        window.mark_plain(input.offset());
    }
    window.compact();
    if window.buf.is_empty() && most == usize::MAX {
        let start = input.swap_out(&mut window.buf);
        window.pos = start;
        window.base -= start as u64;
    } else {
        let bytes = input.available();
        let bytes = &bytes[..bytes.len().min(most)];
        let len = bytes.len();
        window.buf.extend_from_slice(bytes);
        input.advance(len);
    }
    Fill::More
}

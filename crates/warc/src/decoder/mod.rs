//! The push decoder: bytes in, records and faults out, no reading of its own.

mod core;
mod search;

use crate::error::{Error, Fault};
use crate::head::Head;
use crate::record::{Location, Record};
use core::Core;

pub(crate) use core::{BodyStep, Core as DecoderCore, Step};
pub(crate) use search::{LOOK_AHEAD, is_sure, is_version, record_in_text};

/// Settings of decoders and readers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Stop at the first fault instead of going on behind it. Off by default.
    pub strict: bool,
    /// Bodies up to this many bytes are held whole in memory; larger ones come in pieces.
    /// 16 MiB by default: 16 times what Common Crawl keeps of a page (1 MiB).
    pub buffer_limit: usize,
    /// Longest header block, in bytes. 256 KiB by default: servers refuse headers above 8 to 64 KiB, and URLs
    /// of data are cut by crawlers long before.
    pub head_limit: usize,
    /// Largest window of a zstd frame as a power of two. 27 (128 MiB) by default, the limit of the `zstd` tool.
    pub zstd_window_log: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: false, buffer_limit: 16 << 20, head_limit: 256 << 10, zstd_window_log: 27 }
    }
}

impl Options {
    /// The same with strict mode on or off.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The same with another [`Options::buffer_limit`].
    #[must_use]
    pub fn with_buffer_limit(mut self, bytes: usize) -> Self {
        self.buffer_limit = bytes;
        self
    }
}

/// What a decoder says next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Feed more bytes, or say that there are no more.
    NeedInput,
    /// A record. If [`Record::is_streamed`], its body follows in [`Event::Body`] pieces.
    Record(Record<'a>),
    /// A piece of the body of the last record.
    Body(&'a [u8]),
    /// The body of the last record is over.
    BodyEnd,
    /// Damage; decoding goes on behind it.
    Damage(Fault),
    /// The archive is over.
    End,
}

/// A decoder that is fed with bytes as they come, from whatever source.
///
/// ```
/// use tsumugi_warc::{Decoder, Event, Options};
///
/// let mut decoder = Decoder::new(Options::default());
/// decoder.feed(b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n");
/// decoder.finish();
/// let Event::Record(record) = decoder.next_event()? else { unreachable!() };
/// assert_eq!(record.body(), b"hi");
/// assert!(matches!(decoder.next_event()?, Event::End));
/// # Ok::<(), tsumugi_warc::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    pub(crate) head: Head,
    pub(crate) core: Core,
}

impl Decoder {
    /// A decoder at the start of an archive.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self::at_offset(options, 0)
    }

    /// A decoder whose first byte is at `offset` of the archive, for reading from the middle.
    #[must_use]
    pub fn at_offset(options: Options, offset: u64) -> Self {
        Self { head: Head::default(), core: Core::new(options, offset) }
    }

    /// Gives the next bytes of the archive.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.core.input.feed(bytes);
    }

    /// Says that no more bytes follow.
    pub fn finish(&mut self) {
        self.core.input.finished = true;
    }

    /// Tells how long the archive is, which helps to find lying lengths.
    pub fn set_total(&mut self, bytes: u64) {
        self.core.total = Some(bytes);
    }

    /// The next event.
    ///
    /// # Errors
    /// [`Error::NotAnArchive`] at the end of input that has no record at all; [`Error::Damage`] in strict mode.
    pub fn next_event(&mut self) -> Result<Event<'_>, Error> {
        let step = self.core.step(&mut self.head)?;
        Ok(match step {
            Step::NeedInput | Step::Again => Event::NeedInput,
            Step::End => Event::End,
            Step::Fault(fault) if self.core.options.strict => return Err(fault.into()),
            Step::Fault(fault) => Event::Damage(fault),
            Step::Body(range) => Event::Body(self.core.bytes(range)),
            Step::BodyEnd => Event::BodyEnd,
            Step::Record(span) => Event::Record(Record::new(
                &self.head,
                span.location,
                span.complete,
                span.body.map(|range| self.core.bytes(range)),
            )),
        })
    }
}

/// A record in the window of the core.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) location: Location,
    pub(crate) complete: bool,
    /// Indexes in the window; `None` if the body comes in pieces.
    pub(crate) body: Option<std::ops::Range<usize>>,
}

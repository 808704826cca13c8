//! The push decoder: takes bytes, returns records and faults, and does no input itself.

mod core;
mod options;

use crate::error::{Error, Fault};
use crate::head::Head;
use crate::record::Record;
use core::Core;

pub(crate) use core::{BodyStep, Core as DecoderCore, Step};
pub use options::Options;

/// The next event of a decoder.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Feed more bytes, or call [`Decoder::finish`].
    NeedInput,
    /// A record. If [`Record::is_streamed`], its body follows as [`Event::Body`] pieces.
    Record(Record<'a>),
    /// A piece of the body of the last record.
    Body(&'a [u8]),
    /// The body of the last record has ended.
    BodyEnd,
    /// Damage. Decoding continues behind it.
    Damage(Fault),
    /// The archive has ended.
    End,
}

/// A decoder that is fed with bytes from any source as they arrive.
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
    /// Creates a decoder at the start of an archive.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self::at_offset(options, 0)
    }

    /// Creates a decoder whose first byte is at `offset` of the archive, for reading from the middle.
    #[must_use]
    pub fn at_offset(options: Options, offset: u64) -> Self {
        Self { head: Head::default(), core: Core::new(options, offset) }
    }

    /// Feeds the next bytes of the archive.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.core.input.feed(bytes);
    }

    /// Tells the decoder that no more bytes follow.
    pub fn finish(&mut self) {
        self.core.input.finished = true;
    }

    /// Sets the length of the archive, which helps to detect wrong lengths of records.
    pub fn set_total(&mut self, bytes: u64) {
        self.core.total = Some(bytes);
    }

    /// Returns the next event.
    ///
    /// # Errors
    /// [`Error::NotAnArchive`] at the end of input without any record; [`Error::Damage`] in strict mode.
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

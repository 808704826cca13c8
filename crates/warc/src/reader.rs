//! The reader above the decoder, which takes bytes from a file or any other source.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::body::{Stream, StreamedBody};
use crate::buffer::Spare;
use crate::decoder::{BodyStep, Decoder, DecoderCore, Options, Step};
use crate::decompress::{Form, dictionary_of, leading_dictionary};
use crate::error::Error;
use crate::location::Location;
use crate::record::Record;

/// Bytes per read from the source.
const CHUNK: usize = 1 << 20;

/// Reads the records of an archive one after another.
///
/// Each call of [`ArchiveReader::next`] lends the next record or reports damage. After damage, reading continues behind
/// it, except in [strict mode](Options::strict).
///
/// ```
/// use tsumugi_warc::{ArchiveReader, Options};
///
/// let bytes = b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n";
/// let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default());
/// while let Some(record) = reader.next() {
///     match record {
///         Ok(record) => println!("{} bytes", record.body().len()),
///         Err(error) if error.is_damage() => eprintln!("{error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok::<(), tsumugi_warc::Error>(())
/// ```
#[derive(Debug)]
pub struct ArchiveReader<R> {
    decoder: Decoder,
    source: R,
    done: bool,
}

impl ArchiveReader<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Open`] if that fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(path, Options::default())
    }

    /// Opens a file with settings.
    ///
    /// # Errors
    /// [`Error::Open`] if that fails.
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        Self::open_at(path, 0, options)
    }

    /// Opens a file at the offset of a record ([`Location::offset`]). The dictionary of a zstd archive is read from the
    /// start of the file.
    ///
    /// # Errors
    /// [`Error::Open`] if that fails.
    pub fn open_at(path: impl AsRef<Path>, offset: u64, options: Options) -> Result<Self, Error> {
        Self::open_middle(path.as_ref(), offset, options, None)
    }

    /// Opens a file in the middle, with the facts that its start would have told, if they are known.
    pub(crate) fn open_middle(
        path: &Path,
        offset: u64,
        options: Options,
        middle: Option<Middle>,
    ) -> Result<Self, Error> {
        let open = || {
            let mut file = File::open(path)?;
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
            }
            let mut middle = middle;
            if offset > 0 {
                if middle.is_none() {
                    middle = read_dictionary(&mut file)?.map(Middle::of_zstd);
                }
                file.seek(SeekFrom::Start(offset))?;
            }
            Ok((file, middle, meta.is_file().then_some(meta.len())))
        };
        let (file, middle, total) =
            open().map_err(|source| Error::Open { path: path.to_path_buf(), source })?;
        let mut decoder = Decoder::at_offset(options, offset);
        if let Some(Middle { form, arc, dictionary }) = middle {
            decoder.core.resume(form, arc, dictionary);
        }
        if let Some(total) = total {
            decoder.set_total(total);
        }
        Ok(Self { decoder, source: file, done: false })
    }

    /// Opens a file at a record: like [`ArchiveReader::open_at`], but skips the [bytes before it](Location::within) in its
    /// member, so that [`ArchiveReader::next`] returns that record.
    ///
    /// # Errors
    /// [`Error::Open`] if that fails.
    pub fn open_record(path: impl AsRef<Path>, location: Location, options: Options) -> Result<Self, Error> {
        let mut reader = Self::open_at(path, location.offset, options)?;
        reader.decoder.core.go_over(location.within);
        Ok(reader)
    }
}

/// Facts that the start of an archive tells about the rest.
#[derive(Debug, Clone)]
pub(crate) struct Middle {
    pub(crate) form: Form,
    pub(crate) arc: bool,
    pub(crate) dictionary: Option<Vec<u8>>,
}

impl Middle {
    fn of_zstd(dictionary: Vec<u8>) -> Self {
        Self { form: Form::Zstd, arc: false, dictionary: Some(dictionary) }
    }
}

/// The dictionary at the start of a zstd archive.
pub(crate) fn read_dictionary(file: &mut File) -> std::io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(0))?;
    let mut frame = Vec::new();
    file.by_ref().take(8).read_to_end(&mut frame)?;
    let Some(bytes) = leading_dictionary(&frame) else { return Ok(None) };
    file.by_ref().take(bytes - 8).read_to_end(&mut frame)?;
    Ok(dictionary_of(&frame))
}

impl<R: Read> ArchiveReader<R> {
    /// Reads from any source.
    #[must_use]
    pub fn from_reader(source: R, options: Options) -> Self {
        Self { decoder: Decoder::new(options), source, done: false }
    }

    /// Reads from any source whose first byte is at `offset` of an archive. `total` is the archive's length, if known.
    #[must_use]
    pub fn from_part(source: R, offset: u64, total: Option<u64>, options: Options) -> Self {
        let mut decoder = Decoder::at_offset(options, offset);
        if let Some(total) = total {
            decoder.set_total(total);
        }
        Self { decoder, source, done: false }
    }

    /// Returns the next record or damage, and `None` at the end.
    ///
    /// # Errors
    /// [`Error::Damage`] for damage (call again to continue), [`Error::NotAnArchive`] if the input has no record, and
    /// [`Error::Read`] if the source fails.
    #[expect(clippy::should_implement_trait, reason = "a lending iterator cannot be an Iterator")]
    pub fn next(&mut self) -> Option<Result<Record<'_>, Error>> {
        if self.done {
            return None;
        }
        let step = loop {
            match self.decoder.core.step(&mut self.decoder.head) {
                Ok(Step::NeedInput | Step::Again) => match self.read() {
                    Ok(()) => {}
                    Err(error) => return Some(Err(self.stop(error))),
                },
                // The body of the last record was not read to its end.
                Ok(Step::Body(_) | Step::BodyEnd) => {}
                Ok(step) => break step,
                Err(error) => return Some(Err(self.stop(error))),
            }
        };
        match step {
            Step::Fault(fault) => {
                self.done = self.decoder.core.options.strict;
                Some(Err(fault.into()))
            }
            Step::Record(span) => {
                let Decoder { head, core } = &mut self.decoder;
                let as_begun = core.is_as_begun();
                let mut record = match span.body {
                    Some(range) => Record::new(head, span.location, span.complete, Some(core.bytes(range))),
                    None => {
                        let stream = Stream { body: core, source: &mut self.source };
                        Record::streamed(head, span.location, stream)
                    }
                };
                record.as_begun = as_begun;
                Some(Ok(record))
            }
            _ => {
                self.done = true;
                None
            }
        }
    }

    /// Reads with the memory of another reader.
    pub(crate) fn borrow(&mut self, spare: &mut Spare) {
        self.decoder.core.borrow(spare);
    }

    /// Ends reading and returns the memory.
    pub(crate) fn give_back(mut self, spare: &mut Spare) {
        self.decoder.core.give_back(spare);
    }

    /// Records read so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.decoder.core.records()
    }

    /// Bytes of the archive read and decoded so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.decoder.core.input.offset()
    }

    /// Whether the last record was an ARC record.
    pub(crate) fn is_arc(&self) -> bool {
        self.decoder.core.is_arc()
    }

    fn read(&mut self) -> Result<(), Error> {
        let input = &mut self.decoder.core.input;
        match input.read_from(&mut self.source, CHUNK) {
            Ok(0) => input.finished = true,
            Ok(_) => {}
            Err(source) => return Err(Error::Read { offset: input.offset(), source }),
        }
        Ok(())
    }

    fn stop(&mut self, error: Error) -> Error {
        self.done = true;
        error
    }
}

impl StreamedBody for DecoderCore {
    fn read_body(
        &mut self,
        source: &mut dyn Read,
        piece: &mut Range<usize>,
        buf: &mut [u8],
    ) -> std::io::Result<usize> {
        while piece.start == piece.end {
            match self.body_step() {
                BodyStep::Body(range) => *piece = range,
                BodyStep::End => return Ok(0),
                BodyStep::NeedInput => {
                    if self.input.read_from(source, CHUNK)? == 0 {
                        self.input.finished = true;
                    }
                }
            }
        }
        let len = buf.len().min(piece.len());
        buf[..len].copy_from_slice(self.bytes(piece.start..piece.start + len));
        piece.start += len;
        Ok(len)
    }
}

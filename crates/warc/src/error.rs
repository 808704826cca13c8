//! Errors and the kinds of damage found in archives.

use std::fmt;

use thiserror::Error as ThisError;

/// What ends or interrupts reading and writing of archives.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Damage at one place. Reading can go on with the next call, except in strict mode.
    #[error("damaged archive: {0}")]
    Damage(#[from] Fault),
    /// The input has bytes, but nothing in it is a record of an archive.
    #[error(
        "not a web archive: no WARC or ARC record in {bytes} bytes (starts with {start:?}); \
         give a .warc, .arc, .warc.gz, .warc.zst or .warc.lz4 file"
    )]
    NotAnArchive {
        /// Bytes looked at.
        bytes: u64,
        /// The first bytes, printable ones as they are.
        start: String,
    },
    /// A file cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: std::path::PathBuf,
        /// The reason given by the system.
        source: std::io::Error,
    },
    /// The source of the bytes failed.
    #[error("reading failed at offset {offset}: {source}")]
    Read {
        /// Bytes read before.
        offset: u64,
        /// The reason given by the system.
        source: std::io::Error,
    },
    /// The sink of the bytes failed.
    #[error("writing failed at offset {offset}: {source}")]
    Write {
        /// Bytes written before.
        offset: u64,
        /// The reason given by the system.
        source: std::io::Error,
    },
    /// A header that cannot be written: it would break the record.
    #[error("header {name:?} cannot be written: {reason}")]
    Header {
        /// Name of the header.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Error {
    /// Whether reading can go on after this error.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damage(_))
    }
}

/// One place of damage in an archive.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{kind} at offset {offset}{}", Detail(.skipped))]
pub struct Fault {
    /// Offset in the file (compressed bytes) where the damage begins, as far as it is known.
    pub offset: u64,
    /// What is wrong.
    pub kind: FaultKind,
    /// Bytes that could not be given to any record, if known.
    pub skipped: Option<u64>,
}

impl Fault {
    pub(crate) fn new(offset: u64, kind: FaultKind) -> Self {
        Self { offset, kind, skipped: None }
    }
}

struct Detail<'a>(&'a Option<u64>);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, " ({bytes} bytes skipped)"),
            None => Ok(()),
        }
    }
}

/// Kinds of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The archive ends in the middle of a compressed member.
    TruncatedMember,
    /// Compressed data that cannot be unpacked.
    CorruptMember,
    /// A member unpacks, but its checksum or size does not agree with the data.
    Checksum,
    /// Bytes between or after members that are no member.
    Garbage,
    /// Unpacked bytes that are no record.
    NotARecord,
    /// The archive ends in the middle of a record's header.
    TruncatedHeader,
    /// A header block longer than the limit.
    HeaderTooLong,
    /// Lines in a header block that are no header.
    MalformedHeader,
    /// The archive ends in the middle of a record's body.
    TruncatedBody,
    /// The record has no Content-Length; its end was found by the next record.
    MissingLength,
    /// Content-Length is no number; the end was found by the next record.
    InvalidLength,
    /// Content-Length is larger than the body; the end was found by the next record.
    LengthTooLarge,
    /// Content-Length is smaller than the body; the end was found by the next record.
    LengthTooSmall,
    /// A compressed frame needs a dictionary that the archive does not have.
    MissingDictionary,
    /// A compressed frame wants more memory than allowed.
    FrameTooLarge,
}

impl FaultKind {
    /// A short name in snake case, stable across versions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TruncatedMember => "truncated_member",
            Self::CorruptMember => "corrupt_member",
            Self::Checksum => "checksum",
            Self::Garbage => "garbage",
            Self::NotARecord => "not_a_record",
            Self::TruncatedHeader => "truncated_header",
            Self::HeaderTooLong => "header_too_long",
            Self::MalformedHeader => "malformed_header",
            Self::TruncatedBody => "truncated_body",
            Self::MissingLength => "missing_length",
            Self::InvalidLength => "invalid_length",
            Self::LengthTooLarge => "length_too_large",
            Self::LengthTooSmall => "length_too_small",
            Self::MissingDictionary => "missing_dictionary",
            Self::FrameTooLarge => "frame_too_large",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TruncatedMember => "archive ends inside a compressed member",
            Self::CorruptMember => "compressed data is corrupt",
            Self::Checksum => "checksum of a compressed member is wrong",
            Self::Garbage => "bytes that are no compressed member",
            Self::NotARecord => "bytes that are no record",
            Self::TruncatedHeader => "archive ends inside a record header",
            Self::HeaderTooLong => "record header is too long",
            Self::MalformedHeader => "record header has lines that are no header",
            Self::TruncatedBody => "archive ends inside a record body",
            Self::MissingLength => "record has no Content-Length",
            Self::InvalidLength => "Content-Length is no number",
            Self::LengthTooLarge => "Content-Length is larger than the body",
            Self::LengthTooSmall => "Content-Length is smaller than the body",
            Self::MissingDictionary => "the frame's dictionary is missing",
            Self::FrameTooLarge => "frame needs more memory than allowed",
        })
    }
}

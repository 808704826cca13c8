//! Errors, and the kinds of damage in archives.

use std::fmt;

use thiserror::Error as ThisError;

/// Why reading or writing an archive failed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Damage at one place. The next call continues behind it, except in strict mode.
    #[error("damaged archive: {0}")]
    Damage(Fault),
    /// The input has bytes, but no record of an archive.
    #[error(
        "not a web archive: no WARC or ARC record in {bytes} bytes (starts with {start:?}); \
         give a .warc, .arc, .warc.gz, .warc.zst or .warc.lz4 file"
    )]
    NotAnArchive {
        /// Bytes examined.
        bytes: u64,
        /// The first bytes, with unprintable ones escaped.
        start: String,
    },
    /// A file cannot be opened.
    #[error("cannot open {path}", path = .path.display())]
    Open {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The source of the bytes failed.
    #[error("reading failed at offset {offset}")]
    Read {
        /// Bytes read before.
        offset: u64,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The sink of the bytes failed.
    #[error("writing failed at offset {offset}")]
    Write {
        /// Bytes written before.
        offset: u64,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A header field that would break the record.
    #[error("cannot write the header field {name:?}: {reason}")]
    Header {
        /// Name of the field.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Error {
    /// Whether reading can continue after this error.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damage(_))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Damage(fault)
    }
}

/// Damage at one place of an archive.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{kind} at offset {offset}{}", Detail(.skipped))]
pub struct Fault {
    /// Offset in the file (compressed bytes) where the damage starts, as far as known.
    pub offset: u64,
    /// What is wrong.
    pub kind: FaultKind,
    /// Bytes that belong to no record, if known.
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
    /// Compressed data that cannot be decompressed.
    CorruptMember,
    /// A member decompresses, but its checksum or size does not match the data.
    Checksum,
    /// Bytes between or after members that are not a member.
    Garbage,
    /// Decompressed bytes that are not a record.
    NotARecord,
    /// The archive ends in the middle of a record's header.
    TruncatedHeader,
    /// A header block longer than the limit.
    HeaderTooLong,
    /// Lines in a header block that are not header fields.
    MalformedHeader,
    /// The archive ends in the middle of a record's body.
    TruncatedBody,
    /// The record has no Content-Length; the next record marked its end.
    MissingLength,
    /// Content-Length is not a number; the next record marked the end.
    InvalidLength,
    /// Content-Length is larger than the body; the next record marked the end.
    LengthTooLarge,
    /// Content-Length is smaller than the body; the next record marked the end.
    LengthTooSmall,
    /// A compressed frame needs a dictionary that the archive lacks.
    MissingDictionary,
    /// A compressed frame needs more memory than allowed.
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
            Self::Garbage => "these bytes are not a compressed member",
            Self::NotARecord => "these bytes are not a record",
            Self::TruncatedHeader => "archive ends inside a record header",
            Self::HeaderTooLong => "record header is too long",
            Self::MalformedHeader => "record header has lines that are not header fields",
            Self::TruncatedBody => "archive ends inside a record body",
            Self::MissingLength => "record has no Content-Length",
            Self::InvalidLength => "Content-Length is not a number",
            Self::LengthTooLarge => "Content-Length is larger than the body",
            Self::LengthTooSmall => "Content-Length is smaller than the body",
            Self::MissingDictionary => "the dictionary of a compressed frame is missing",
            Self::FrameTooLarge => "compressed frame needs more memory than allowed",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn shows_each_cause_once() {
        let io = || std::io::Error::other("the cause");
        for error in [
            Error::Open { path: "a.warc".into(), source: io() },
            Error::Read { offset: 3, source: io() },
            Error::Write { offset: 3, source: io() },
        ] {
            assert!(!error.to_string().contains("the cause"), "{error}");
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the cause"), "{error}");
        }
        let fault = Fault { offset: 7, kind: FaultKind::Checksum, skipped: Some(2) };
        let shown = "damaged archive: checksum of a compressed member is wrong at offset 7 (2 bytes skipped)";
        assert_eq!(Error::from(fault).to_string(), shown);
        for error in [
            Error::Damage(Fault::new(7, FaultKind::Checksum)),
            Error::NotAnArchive { bytes: 2, start: "ab".into() },
            Error::Header { name: "a".into(), reason: "it has a line end" },
        ] {
            assert!(error.source().is_none(), "{error}");
        }
    }
}

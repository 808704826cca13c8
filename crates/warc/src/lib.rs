//! Reader and writer of web archives (WARC, ARC) and their HTTP payloads.
//!
//! The reader supports WARC 0.17 to 1.1 and ARC 1 and 2, plain, gzip, zstd or lz4, recognised by content. It reads what
//! other readers give up on: after damage it reports offset and kind, finds the next record and continues.
//!
//! ```
//! use tsumugi_warc::{ArchiveReader, ArchiveWriter, NewRecord, Options, Compression};
//!
//! // An archive of one page.
//! let mut writer = ArchiveWriter::new(Vec::new(), Compression::default());
//! let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>";
//! writer.write(&NewRecord::response("2026-01-31T12:00:00Z", "http://example.test/", page))?;
//! let archive = writer.finish()?;
//!
//! // Read it back.
//! let mut reader = ArchiveReader::from_reader(&archive[..], Options::default());
//! while let Some(record) = reader.next() {
//!     let record = record?;
//!     assert_eq!(record.uri().as_deref(), Some("http://example.test/"));
//!     assert_eq!(record.http().and_then(|http| http.status()), Some(200));
//!     assert_eq!(record.payload(&Default::default()).bytes(), b"<p>Hello</p>");
//! }
//! # Ok::<(), tsumugi_warc::Error>(())
//! ```
//!
//! [`ArchiveReader`] pulls bytes from a file or any [`std::io::Read`]. The [`Decoder`] below it is fed with bytes and
//! does no input itself. A file of many terabytes needs a few megabytes of memory; bodies above
//! [`Options::buffer_limit`] are streamed.
//!
//! This crate reads no network. Archives over `https://` and `s3://`, lists of paths and indexes are in
//! `tsumugi-warc-remote`.

mod arc;
mod body;
mod buffer;
mod decoder;
mod decompress;
mod deflate;
mod digest;
mod error;
mod head;
mod http;
mod location;
mod magic;
mod mime;
mod parallel;
mod payload;
mod reader;
mod record;
mod search;
mod writer;

pub use crate::body::BodyReader;
pub use crate::decoder::{Decoder, Event, Options};
pub use crate::digest::{Algorithm, Digest, DigestCheck, Hasher, sha1_base32};
pub use crate::error::{Error, Fault, FaultKind};
pub use crate::head::{Head, RecordType};
pub use crate::http::HttpMessage;
pub use crate::location::Location;
pub use crate::mime::{MediaType, sniff};
pub use crate::parallel::ParallelReader;
pub use crate::payload::{Coding, Payload, PayloadFault, PayloadLimits, PayloadNote, PayloadReader};
pub use crate::reader::ArchiveReader;
pub use crate::record::Record;
pub use crate::writer::{ArchiveWriter, Compression, NewRecord};

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

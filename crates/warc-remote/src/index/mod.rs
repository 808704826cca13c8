//! Indexes of archives: finds the captures that a selection wants, to read only those.
//!
//! An index lists URL, time, type, language and location of each capture. [`Plan::read`] reads indexes and keeps the
//! locations of the captures that a [`Selection`] wants, sorted by archive and offset; locations near each other are
//! merged into one [`Span`]. [`crate::Remote::parts`] fetches these spans, and a reader on each returns ordinary records:
//!
//! ```no_run
//! use tsumugi_warc_remote::index::{Plan, Selection};
//! use tsumugi_warc_remote::{Address, Remote};
//! use tsumugi_warc::{ArchiveReader, Options};
//!
//! let remote = Remote::new(Default::default())?;
//! let selection: Selection = "language=jpn,mime=text/html,status=200".parse()?;
//! let index = Address::parse("cdx-00000.gz")?;
//! let plan = Plan::read(&remote, &[index], &selection, None)?;
//! for archive in plan.archives() {
//!     for (span, part) in archive.spans.iter().zip(remote.parts(&archive.address, archive.ranges())?) {
//!         let (range, bytes) = part?;
//!         let mut reader = ArchiveReader::from_part(&bytes[..], range.start, None, Options::default());
//!         while let Some(record) = reader.next() {
//!             let record = record?;
//!             if span.wants(record.location().offset) {
//!                 println!("{:?}", record.uri());
//!             }
//!         }
//!     }
//! }
//! # Ok::<(), tsumugi_warc_remote::Error>(())
//! ```
//!
//! Supported formats, recognised by content: CDXJ and CDX (plain or gzip), ZipNum (a `cluster.idx` with its `cdx-*.gz`,
//! of which only the blocks that may contain the wanted domains are fetched) and, with the feature `columnar`, the
//! Parquet files of Common Crawl's columnar index.

mod cdx;
mod collector;
#[cfg(feature = "columnar")]
mod columnar;
mod fault;
mod lines;
mod plan;
mod read;
mod select;
mod spans;
mod surt;
mod zipnum;

pub use collector::IndexCounts;
pub use plan::{ArchivePlan, Plan};
pub use select::Selection;
pub use spans::Span;

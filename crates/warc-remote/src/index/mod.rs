//! Indexes of archives: which captures are where, and reading only those that are wanted.
//!
//! An index tells of each capture its address, time, type, language and place. [`Plan::read`] goes through indexes
//! and keeps the places of the captures that a [`Selection`] wants, sorted by archive and offset, near ones merged
//! into one [`Span`]; [`crate::Remote::parts`] fetches these spans, and a reader on each gives ordinary
//! records:
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
//! Read are CDXJ and CDX (plain or gzip), ZipNum (a `cluster.idx` with its `cdx-*.gz`: of these only the blocks that
//! may hold the wanted domains) and, with the feature `columnar`, the Parquet files of Common Crawl's columnar index.
//! Each is told apart by its content.

mod cdx;
#[cfg(feature = "columnar")]
mod columnar;
mod plan;
mod read;
mod select;
mod surt;
mod zipnum;

pub use plan::{ArchivePlan, Plan, Span};
pub use read::IndexCounts;
pub use select::Selection;

//! Web archives that are not on the local disk: over `https://`, `http://` and `s3://`, as Common Crawl's lists of paths
//! name them, or record by record as an index does.
//!
//! A [`Remote`] reads an object from start to end ([`Remote::archive`], [`Remote::stream`]) or in parts
//! ([`Remote::parts`]). When a connection is cut, stalls or is refused for a while, it connects again and continues at
//! the byte where it stopped, even if the server does not support ranges (the bytes it already has are then
//! discarded). It compares length and ETag every time: an object that changed on the server is an error, never a
//! mixture of two versions.
//!
//! ```no_run
//! use tsumugi_warc_remote::{Address, Remote};
//!
//! let remote = Remote::new(Default::default())?;
//! let list = Address::parse("https://data.commoncrawl.org/crawl-data/CC-MAIN-2024-51/warc.paths.gz")?;
//! for archive in remote.path_list(&list, None)? {
//!     let mut reader = remote.archive(&archive, Default::default())?;
//!     while let Some(record) = reader.next() {
//!         println!("{:?}", record?.uri());
//!     }
//! }
//! # Ok::<(), tsumugi_warc_remote::Error>(())
//! ```
//!
//! [`index`] selects single records by language, media type, domain, status or charset with a CDXJ, CDX or ZipNum
//! index, and with the feature `columnar` also with the Parquet files of Common Crawl's columnar index.
//!
//! All input and output runs on one thread of the client, so that the blocking functions work on any thread, and the
//! async ones on any runtime.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod archive;
mod block_on;
mod client;
mod config;
mod download;
mod error;
pub mod index;
mod lines;
mod lists;
mod parts;
mod service;
mod stream;
mod version;

pub use crate::address::{Address, HttpAddress};
pub use crate::archive::AnyArchiveReader;
pub use crate::client::Remote;
pub use crate::config::{RemoteConfig, S3Settings};
pub use crate::error::{Cause, Error, RemoteError, RemoteFault};
pub use crate::lists::{COMMON_CRAWL, is_path_list, resolve};
pub use crate::parts::Parts;
pub use crate::stream::{RemoteReader, RemoteStream};
pub use crate::version::Version;

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Archives that lie elsewhere: over `https://`, `http://` and `s3://`, and lists of them.
//!
//! A [`Remote`] reads an object from one end to the other ([`Remote::archive`], [`Remote::stream`]) or parts of it
//! ([`Remote::parts`]). A connection that is cut, stalls or is refused for a while is made anew, and reading goes on
//! at the byte where it stopped, also where the server knows no ranges (the bytes that were already there are then
//! passed over). Length and ETag are checked each time: an object that has changed is an error, not a mixture of two.
//!
//! ```no_run
//! use tsumugi_warc::remote::{Address, Remote};
//!
//! let remote = Remote::new(Default::default())?;
//! let list = Address::parse("https://data.commoncrawl.org/crawl-data/CC-MAIN-2024-51/warc.paths.gz")?;
//! for archive in remote.path_list(&list, None)? {
//!     let mut reader = remote.archive(&archive, Default::default())?;
//!     while let Some(record) = reader.next() {
//!         println!("{:?}", record?.uri());
//!     }
//! }
//! # Ok::<(), tsumugi_warc::Error>(())
//! ```

mod address;
mod block_on;
mod client;
mod download;
mod error;
pub(crate) mod lines;
mod lists;
mod parts;
mod service;
mod stream;
mod version;

use std::io::Read;

pub use address::{Address, HttpAddress};
pub use client::{Remote, RemoteOptions, S3Settings};
pub(crate) use error::read_error;
pub use error::{RemoteError, RemoteFault};
pub use lists::{COMMON_CRAWL, is_path_list, resolve};
pub use parts::Parts;
pub use stream::{RemoteReader, RemoteStream};
pub use version::Version;

use crate::decoder::Options;
use crate::error::Error;
use crate::reader::ArchiveReader;

/// A reader of an archive wherever it is.
pub type AnyArchiveReader = ArchiveReader<Box<dyn Read + Send>>;

impl Remote {
    /// Opens an archive, wherever it is.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Remote`] where that fails.
    pub fn archive(&self, address: &Address, options: Options) -> Result<AnyArchiveReader, Error> {
        let (source, total): (Box<dyn Read + Send>, _) = match address {
            Address::Http(_) | Address::S3 { .. } => {
                let reader = self.reader(address)?;
                let length = reader.version().length;
                (Box::new(reader), length)
            }
            Address::File(path) => {
                let length =
                    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
                (self.open(address)?, length)
            }
            Address::StandardInput => (self.open(address)?, None),
        };
        Ok(ArchiveReader::from_part(source, 0, total, options))
    }

    /// As [`Remote::archive`], of this version only: another one is refused.
    ///
    /// # Errors
    /// As [`Remote::archive`], with [`RemoteFault::Changed`] for another version.
    pub fn archive_of_version(
        &self,
        address: &Address,
        version: &Version,
        options: Options,
    ) -> Result<AnyArchiveReader, Error> {
        if !address.is_remote() {
            return self.archive(address, options);
        }
        let reader =
            block_on::block_on(self.stream_of_version(address, Some(version.clone())))?.into_reader();
        let total = reader.version().length;
        Ok(ArchiveReader::from_part(Box::new(reader), 0, total, options))
    }
}

//! Opening archives by address.

use std::io::Read;

use tsumugi_warc::{ArchiveReader, Options};

use crate::address::Address;
use crate::block_on::block_on;
use crate::client::Remote;
use crate::error::Error;
use crate::version::Version;

/// A reader of an archive, local or remote.
pub type AnyArchiveReader = ArchiveReader<Box<dyn Read + Send>>;

impl Remote {
    /// Opens an archive, local or remote.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Remote`] if that fails.
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

    /// Opens an archive as [`Remote::archive`] does, and refuses any other version of it than `version`.
    ///
    /// # Errors
    /// As [`Remote::archive`], and [`RemoteFault::Changed`](crate::RemoteFault::Changed) for another version.
    pub fn archive_of_version(
        &self,
        address: &Address,
        version: &Version,
        options: Options,
    ) -> Result<AnyArchiveReader, Error> {
        if !address.is_remote() {
            return self.archive(address, options);
        }
        let reader = block_on(self.stream_of_version(address, Some(version.clone())))?.into_reader();
        let total = reader.version().length;
        Ok(ArchiveReader::from_part(Box::new(reader), 0, total, options))
    }
}

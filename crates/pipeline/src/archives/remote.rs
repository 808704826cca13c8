//! Archives that are not local, and parts of archives that an index names.

use std::fmt;
use std::io::Read;
use std::path::Path;

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use tsumugi_warc::{ArchiveReader, Options};
use tsumugi_warc_remote::index::{ArchivePlan, Plan, Selection, Span};
use tsumugi_warc_remote::{Address, Remote, RemoteConfig, is_path_list};

use super::{Archives, Each, Kind, Named, Source, Totals, is_archive, no_archive};
use crate::Error;
use crate::runner::content_hash;

/// Compressed bytes of wanted records that make one shard: an index may name a few records in each of 90,000 archives.
const SHARD_BYTES: u64 = 64 << 20;

impl Archives {
    pub(super) fn client(&self) -> Result<Remote, Error> {
        self.remote.clone().ok_or_else(|| Error::config("archive", "the client for URLs is not set up"))
    }

    fn connect(&mut self) -> Result<Remote, Error> {
        if self.remote.is_none() {
            self.remote = Some(client()?);
        }
        self.client()
    }

    /// Adds a URL, the objects of an S3 prefix, or what a list names.
    pub(super) fn add_elsewhere(&mut self, path: &Path, base: Option<&str>) -> Result<(), Error> {
        let remote = self.connect()?;
        let (address, base) = (address(path)?, parse_base(base)?);
        let found = if is_path_list(&address) {
            remote.path_list(&address, base.as_ref()).map_err(failed)?
        } else if address.is_prefix() {
            let mut found = remote.list(&address).map_err(failed)?;
            found.retain(|address| is_archive(&address.name()));
            if found.is_empty() {
                return Err(no_archive(address.to_string()));
            }
            found
        } else {
            vec![address]
        };
        let elsewhere: Vec<Address> = found.iter().filter(|address| address.is_remote()).cloned().collect();
        let mut versions = remote.versions(&elsewhere).map_err(failed)?.into_iter();
        for address in found {
            self.sources.push(Source(match address {
                Address::File(path) => Kind::File(path),
                Address::StandardInput => {
                    return Err(Error::config("-", "standard input cannot be named in a list of archives"));
                }
                address => Kind::Remote(address, versions.next().unwrap_or_default()),
            }));
        }
        Ok(())
    }

    /// Takes the records that indexes name, so many archives a shard as make its size.
    pub(super) fn select(&mut self, named: &Named<'_>) -> Result<(), Error> {
        let remote = self.connect()?;
        let selection = named.select.parse::<Selection>().map_err(Error::setting("select"))?;
        let base = parse_base(named.base)?;
        let mut indexes = Vec::new();
        for (number, path) in named.indexes.iter().enumerate() {
            let address = address(path)?;
            let identity = match &address {
                Address::File(path) if path.is_file() => content_hash(path)?,
                address if address.is_remote() && !address.is_prefix() => {
                    format!("{address} {}", remote.version(address).map_err(failed)?.identity())
                }
                // A folder: what its files name identifies it, below.
                address => address.to_string(),
            };
            self.selected.insert(format!("index:{number:05}:{}", address.name()), identity);
            indexes.push(address);
        }
        let plan = Plan::read(&remote, &indexes, &selection, base.as_ref()).map_err(failed)?;
        if let Some(malformed) = &plan.counts().first_malformed {
            tracing::warn!(
                "{} lines of the index cannot be read; the first: {malformed}",
                plan.counts().malformed
            );
        }
        self.selected.insert("records".into(), identity(plan.archives()));
        let mut shard: Vec<ArchivePlan> = Vec::new();
        for archive in plan.archives() {
            let bytes: u64 = shard.iter().map(ArchivePlan::bytes).sum();
            if bytes > 0 && bytes + archive.bytes() > SHARD_BYTES {
                self.sources.push(Source(Kind::Parts(std::mem::take(&mut shard))));
            }
            shard.push(archive.clone());
        }
        if !shard.is_empty() {
            self.sources.push(Source(Kind::Parts(shard)));
        }
        Ok(())
    }

    pub(super) fn read_parts(
        &self,
        plans: &[ArchivePlan],
        bar: &ProgressBar,
        each: &mut Each<'_>,
    ) -> Result<Totals, Error> {
        bar.set_length(plans.iter().map(ArchivePlan::bytes).sum());
        let remote = self.client()?;
        let mut totals = Totals::default();
        for plan in plans {
            let parts = remote.parts(&plan.address, plan.ranges()).map_err(failed)?;
            for (span, part) in plan.spans.iter().zip(parts) {
                let (range, bytes) = part.map_err(failed)?;
                totals.bytes += bytes.len() as u64;
                bar.set_position(totals.bytes);
                let found = read_span(span, &bytes, range.start, &plan.address.name(), each)?;
                totals.records += found;
                totals.missing += (span.offsets().len() as u64).saturating_sub(found);
            }
        }
        Ok(totals)
    }
}

/// Hands the wanted records of a span over, and counts them.
fn read_span(span: &Span, bytes: &[u8], offset: u64, name: &str, each: &mut Each<'_>) -> Result<u64, Error> {
    let mut reader = ArchiveReader::from_part(bytes, offset, None, Options::default());
    let mut found = 0;
    while let Some(record) = reader.next() {
        match record {
            Ok(record) if span.wants(record.location().offset) => {
                found += 1;
                each(name, Ok(&record))?;
            }
            Ok(_) => {}
            // What lies there is no record at all: told by the count of those that are missing.
            Err(tsumugi_warc::Error::NotAnArchive { .. }) => {}
            Err(error) => each(name, Err(error))?,
        }
    }
    Ok(found)
}

pub(super) fn open(path: &Path, options: Options) -> Result<ArchiveReader<Box<dyn Read + Send>>, Error> {
    client()?.archive(&address(path)?, options).map_err(failed)
}

pub(super) fn show_parts(plans: &[ArchivePlan], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match plans {
        [one] => fmt::Display::fmt(&one.address, f),
        [first, .., last] => {
            write!(f, "records of {} archives, {} to {}", plans.len(), first.address, last.address)
        }
        [] => f.write_str("no records"),
    }
}

fn client() -> Result<Remote, Error> {
    Remote::new(RemoteConfig::default()).map_err(failed)
}

fn address(path: &Path) -> Result<Address, Error> {
    Address::of_path(path).map_err(Error::setting("archive"))
}

fn parse_base(base: Option<&str>) -> Result<Option<Address>, Error> {
    base.map(Address::parse).transpose().map_err(Error::setting("base"))
}

/// An error that names its place itself.
pub(super) fn failed(error: tsumugi_warc_remote::Error) -> Error {
    Error::Remote(Box::new(error))
}

/// What identifies the wanted records.
fn identity(archives: &[ArchivePlan]) -> String {
    let mut hash = Sha256::new();
    let mut records = 0;
    for archive in archives {
        hash.update(format!("{}\n", archive.name));
        for offset in archive.spans.iter().flat_map(Span::offsets) {
            records += 1;
            hash.update(offset.to_le_bytes());
        }
    }
    format!("{records}:{}", &data_encoding::HEXLOWER.encode(&hash.finalize())[..32])
}

//! Lists of archives, as Common Crawl publishes them (`warc.paths.gz`).

use std::io::{BufReader, Read};

use object_store::{ObjectStore, path::Path};
use tokio::sync::oneshot;

use crate::address::Address;
use crate::block_on::block_on;
use crate::client::Remote;
use crate::error::Error;
use crate::error::{RemoteError, RemoteFault, read_error};
use crate::lines::{Lines, unpacked};
use crate::service::causes;
use crate::stream::stopped;

/// Where Common Crawl's paths begin.
pub const COMMON_CRAWL: &str = "https://data.commoncrawl.org/";

/// Longest line of a list.
const LONGEST_PATH: usize = 64 << 10;

/// Whether the name of an address says that it is a list of archives: `.paths`, `.paths.gz`.
#[must_use]
pub fn is_path_list(address: &Address) -> bool {
    let name = address.name().to_ascii_lowercase();
    name.ends_with(".paths") || name.ends_with(".paths.gz")
}

/// What a path of Common Crawl or an index names: below `base` if that is given; else paths that begin with
/// `crawl-data/` or `cc-index/` lie below [`COMMON_CRAWL`], and others beside the file that names them.
///
/// # Errors
/// [`Error::Remote`] where the path is a URL that cannot be read.
pub fn resolve(path: &str, base: Option<&Address>, named_by: &Address) -> Result<Address, Error> {
    match base {
        Some(base) => base.join(path),
        None if path.starts_with("crawl-data/") || path.starts_with("cc-index/") => {
            Address::parse(COMMON_CRAWL)?.join(path)
        }
        None => named_by.parent().join(path),
    }
}

impl Remote {
    /// Reads a list of archives, plain or gzip: a path or URL a line, blank lines and such as begin with `#`
    /// passed over. Paths are taken as [`resolve`] does.
    ///
    /// # Errors
    /// Where the list cannot be read, or a line is no address.
    pub fn path_list(&self, list: &Address, base: Option<&Address>) -> Result<Vec<Address>, Error> {
        let mut lines = Lines::new(unpacked(self.open(list)?).map_err(read_error)?, LONGEST_PATH);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().map_err(read_error)? {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                found.push(resolve(line, base, list)?);
            }
        }
        Ok(found)
    }

    /// The objects below an S3 prefix ([`Address::is_prefix`]), sorted by key.
    ///
    /// # Errors
    /// [`Error::Remote`] where they cannot be listed.
    pub fn list(&self, prefix: &Address) -> Result<Vec<Address>, Error> {
        let Address::S3 { bucket, key } = prefix else {
            let reason = "only s3:// has folders; name the files, or give a list of them (*.paths)".into();
            return Err(RemoteError::new(prefix, RemoteFault::Address(reason)).into());
        };
        let object = self.object(&Address::S3 { bucket: bucket.clone(), key: String::new() })?;
        let below = Path::parse(key.trim_end_matches('/'))
            .map_err(|error| RemoteError::new(prefix, RemoteFault::Setup(error.to_string())))?;
        let (tell, told) = oneshot::channel();
        let _task = self.task(async move {
            let _ = tell.send(list(&*object.store, &below).await);
        });
        let listed = block_on(told).map_err(|_| stopped(prefix))?;
        let mut keys =
            listed.map_err(|error| RemoteError::new(prefix, RemoteFault::Store(causes(&error))))?;
        keys.sort();
        Ok(keys.into_iter().map(|key| Address::S3 { bucket: bucket.clone(), key }).collect())
    }

    /// Opens whatever an address names as one reader: a file, standard input or a remote object.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Remote`] where that fails.
    pub fn open(&self, address: &Address) -> Result<Box<dyn Read + Send>, Error> {
        Ok(match address {
            Address::File(path) => {
                let open = || {
                    let file = std::fs::File::open(path)?;
                    if file.metadata()?.is_dir() {
                        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
                    }
                    Ok(file)
                };
                Box::new(open().map_err(|source| Error::Open { path: path.clone(), source })?)
            }
            Address::StandardInput => Box::new(BufReader::new(std::io::stdin())),
            Address::Http(_) | Address::S3 { .. } => Box::new(self.reader(address)?),
        })
    }
}

async fn list(store: &dyn ObjectStore, below: &Path) -> Result<Vec<String>, object_store::Error> {
    use futures::TryStreamExt;
    store.list(Some(below)).map_ok(|meta| meta.location.to_string()).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_paths_by_their_first_folder_or_their_list() {
        let list = Address::parse("lists/warc.paths.gz").unwrap();
        assert!(is_path_list(&list) && !is_path_list(&Address::parse("a.warc.gz").unwrap()));
        let base = Address::parse("s3://commoncrawl/").unwrap();
        for (path, base, expected) in [
            ("crawl-data/a.warc.gz", None, "https://data.commoncrawl.org/crawl-data/a.warc.gz"),
            ("crawl-data/a.warc.gz", Some(&base), "s3://commoncrawl/crawl-data/a.warc.gz"),
            ("a.warc.gz", None, "lists/a.warc.gz"),
            ("https://h.test/a.warc.gz", Some(&base), "https://h.test/a.warc.gz"),
        ] {
            assert_eq!(resolve(path, base, &list).unwrap().to_string(), expected);
        }
    }
}

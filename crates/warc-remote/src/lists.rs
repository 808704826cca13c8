//! Lists of archives: path lists as Common Crawl publishes them (`warc.paths.gz`), and S3 prefixes.

use std::io::{BufReader, Read};
use std::sync::Arc;

use object_store::{ObjectStore, path::Path};
use tokio::sync::oneshot;

use crate::address::Address;
use crate::block_on::block_on;
use crate::client::Remote;
use crate::error::{Error, RemoteError, RemoteFault};
use crate::lines::{Lines, decompressed};
use crate::stream::stopped;

/// Base URL of the paths in Common Crawl's lists and indexes.
pub const COMMON_CRAWL: &str = "https://data.commoncrawl.org/";

/// Longest line of a list in bytes.
const LONGEST_PATH: usize = 64 << 10;

/// Whether an address names a path list: `.paths` or `.paths.gz`.
#[must_use]
pub fn is_path_list(address: &Address) -> bool {
    let name = address.name().to_ascii_lowercase();
    name.ends_with(".paths") || name.ends_with(".paths.gz")
}

/// Resolves a path found in a list or an index: below `base` if that is given; otherwise below [`COMMON_CRAWL`] if it
/// starts with `crawl-data/` or `cc-index/`, and else beside the file that names it.
///
/// # Errors
/// [`Error::Remote`] if the path is an invalid URL.
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
    /// Reads a list of archives, plain or gzip: one path or URL per line. Skips blank lines and lines that start with
    /// `#`. Paths are resolved by [`resolve`].
    ///
    /// # Errors
    /// If the list cannot be read, or a line is not an address.
    pub fn path_list(&self, list: &Address, base: Option<&Address>) -> Result<Vec<Address>, Error> {
        let failed = |source| Error::read(list, source);
        let mut lines = Lines::new(decompressed(self.open(list)?).map_err(failed)?, LONGEST_PATH);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().map_err(failed)? {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                found.push(resolve(line, base, list)?);
            }
        }
        Ok(found)
    }

    /// Lists the objects below an S3 prefix ([`Address::is_prefix`]), sorted by key.
    ///
    /// # Errors
    /// [`Error::Remote`] if they cannot be listed.
    pub fn list(&self, prefix: &Address) -> Result<Vec<Address>, Error> {
        let Address::S3 { bucket, key } = prefix else {
            let reason = "only s3:// has folders; give the files, or a list of them (*.paths)";
            return Err(RemoteError::new(prefix, RemoteFault::Address { reason, source: None }).into());
        };
        let object = self.object(&Address::S3 { bucket: bucket.clone(), key: String::new() })?;
        let below = Path::parse(key.trim_end_matches('/'))
            .map_err(|error| RemoteError::new(prefix, RemoteFault::invalid_key(error)))?;
        let (send, receive) = oneshot::channel();
        let _task = self.task(async move {
            let _ = send.send(list(&*object.store, &below).await);
        });
        let listed = block_on(receive).map_err(|_| stopped(prefix))?;
        let mut keys =
            listed.map_err(|error| RemoteError::new(prefix, RemoteFault::Store(Arc::new(error))))?;
        keys.sort();
        Ok(keys.into_iter().map(|key| Address::S3 { bucket: bucket.clone(), key }).collect())
    }

    /// Opens a file, standard input or a remote object as a reader.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Remote`] if that fails.
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
    fn resolves_paths_by_first_folder_or_list() {
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

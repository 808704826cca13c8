//! Where pictures come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::archives::{self, Archives, Named};

/// A place to read pictures from: a shard of the first phase.
#[derive(Debug)]
pub(super) enum Source {
    /// An archive of the set of this number.
    Archive(usize, archives::Source),
    Folder(PathBuf),
}

/// All places, and the sets of archives that read them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) list: Vec<Source>,
    pub(super) archives: Vec<Archives>,
    /// Whether what the others do not have is fetched over HTTP.
    pub(super) http: bool,
}

/// Reads `--from`, and adds to `identity` what each source is.
pub(super) fn parse(from: &[String], identity: &mut BTreeMap<String, String>) -> Result<Sources, Error> {
    let mut sources = Sources::default();
    for (number, text) in from.iter().enumerate() {
        match text.split_once(':') {
            Some(("warc", path)) => {
                let named = Named { archives: &[path.into()], ..Named::default() };
                let mut found = Archives::find(&named)?;
                for (name, is) in &found.identity {
                    identity.insert(format!("from:{number:05}:{name}"), is.clone());
                }
                let set = sources.archives.len();
                let taken = std::mem::take(&mut found.sources);
                sources.list.extend(taken.into_iter().map(|source| Source::Archive(set, source)));
                sources.archives.push(found);
            }
            Some(("dir", path)) if Path::new(path).is_dir() => {
                let path = PathBuf::from(path);
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                identity.insert(format!("from:{number:05}:{name}"), folder_identity(&path)?);
                sources.list.push(Source::Folder(path));
            }
            Some(("dir", path)) => return Err(Error::config("--from", format!("{path} is no folder"))),
            #[cfg(feature = "remote")]
            _ if text == "http" => sources.http = true,
            #[cfg(not(feature = "remote"))]
            _ if text == "http" => {
                let reason = "this build has no network (feature `remote`); give warc:FILE or dir:FOLDER";
                return Err(Error::config("--from", reason));
            }
            _ => {
                let reason = format!("`{text}` is no source; give warc:FILE, dir:FOLDER or http");
                return Err(Error::config("--from", reason));
            }
        }
    }
    if sources.list.is_empty() && !sources.http {
        return Err(Error::config("--from", "no source is given; give warc:FILE, dir:FOLDER or http"));
    }
    Ok(sources)
}

/// The reason of a picture that no source has.
pub(super) fn missing_reason(sources: &[Source]) -> &'static str {
    if sources.iter().any(|source| matches!(source, Source::Folder(_))) {
        "not_found"
    } else {
        "not_in_archive"
    }
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = std::fs::read_dir(folder).map_err(Error::io("read folder", folder))?;
    let paths: std::io::Result<Vec<PathBuf>> = read.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(Error::io("read folder", folder))?;
    paths.sort();
    Ok(paths)
}

/// What identifies a folder of pictures: names and lengths of its files (not their bytes, which are read once only).
fn folder_identity(folder: &Path) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut files = 0_u64;
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        for entry in entries(&path)? {
            let metadata = std::fs::metadata(&entry).map_err(Error::io("open", &entry))?;
            if metadata.is_dir() {
                waiting.push(entry);
                continue;
            }
            files += 1;
            let name = entry.strip_prefix(folder).unwrap_or(&entry);
            hash.update(format!("{} {}\n", name.display(), metadata.len()));
        }
    }
    Ok(format!("{files}:{}", &data_encoding::HEXLOWER.encode(&hash.finalize())[..32]))
}

//! Where pictures come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::runner::file_identity;

/// A place to read pictures from: a shard of the first phase.
#[derive(Debug)]
pub(super) enum Source {
    Archive(PathBuf),
    Folder(PathBuf),
}

/// Ends of the names of archives, for those in a folder.
const ENDINGS: [&str; 6] = [".warc", ".warc.gz", ".warc.zst", ".warc.lz4", ".arc", ".arc.gz"];

/// Reads `--from`, and adds to `identity` what each source is.
pub(super) fn parse(from: &[String], identity: &mut BTreeMap<String, String>) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for text in from {
        match text.split_once(':') {
            Some(("warc", path)) => {
                let path = Path::new(path);
                let files = if path.is_dir() { archives_in(path)? } else { vec![path.to_owned()] };
                sources.extend(files.into_iter().map(Source::Archive));
            }
            Some(("dir", path)) if Path::new(path).is_dir() => sources.push(Source::Folder(path.into())),
            Some(("dir", path)) => return Err(Error::config("--from", format!("{path} is no folder"))),
            _ if text == "http" => {
                let reason = "this build does not fetch over HTTP; give warc:FILE or dir:FOLDER";
                return Err(Error::config("--from", reason));
            }
            _ => {
                let reason = format!("`{text}` is no source; give warc:FILE or dir:FOLDER");
                return Err(Error::config("--from", reason));
            }
        }
    }
    if sources.is_empty() {
        return Err(Error::config("--from", "no source is given; give warc:FILE or dir:FOLDER"));
    }
    for (number, source) in sources.iter().enumerate() {
        let (path, is) = match source {
            Source::Archive(path) => (path, file_identity(path)?),
            Source::Folder(path) => (path, folder_identity(path)?),
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        identity.insert(format!("from:{number:05}:{name}"), is);
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

fn archives_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_archive = |path: &PathBuf| {
        let name = path.to_string_lossy().to_ascii_lowercase();
        path.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    let found: Vec<PathBuf> = entries(folder)?.into_iter().filter(is_archive).collect();
    if found.is_empty() {
        return Err(Error::config(folder.display().to_string(), "the folder has no archive"));
    }
    Ok(found)
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

//! Which archives the step reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::runner::file_identity;

/// Ends of the names of archives, for files that are found in a folder.
const ENDINGS: [&str; 10] = [
    ".warc",
    ".warc.gz",
    ".warc.zst",
    ".warc.lz4",
    ".arc",
    ".arc.gz",
    ".warc.wet",
    ".warc.wet.gz",
    ".warc.wat",
    ".warc.wat.gz",
];

/// The archives in the order in which they were named, those of a folder by name.
pub(super) struct Archives {
    pub(super) files: Vec<PathBuf>,
    /// For each what identifies its content.
    pub(super) identity: BTreeMap<String, String>,
}

pub(super) fn find(named: &[PathBuf]) -> Result<Archives, Error> {
    let mut files = Vec::new();
    for path in named {
        let text = path.to_string_lossy();
        if text.contains("://") {
            return Err(Error::config(text, "archives are read from local files; download it first"));
        }
        if path.is_dir() {
            files.extend(in_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        return Err(Error::config("--warc", "no archive is given"));
    }
    let mut identity = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        identity.insert(format!("{number:05}:{name}"), file_identity(file)?);
    }
    Ok(Archives { files, identity })
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read folder", folder))? {
        let path = entry.map_err(Error::io("read folder", folder))?.path();
        let name =
            path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if path.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    if found.is_empty() {
        let reason = "the folder has no archive (.warc, .warc.gz, .warc.zst, .warc.lz4, .arc, .arc.gz)";
        return Err(Error::config(folder.display().to_string(), reason));
    }
    found.sort();
    Ok(found)
}

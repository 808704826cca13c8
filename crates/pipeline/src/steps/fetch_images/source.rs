//! Where images come from.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::archives::{self, Archives, Named};
use crate::runner::{Inputs, folder_hash};

/// A place to read images from: a shard of the first phase.
#[derive(Debug)]
pub(super) enum Source {
    /// An archive of the set of this number.
    Archive(usize, archives::Source),
    Folder(PathBuf),
    /// The documents themselves, whose `data:` URLs hold images. It is always the last one.
    Documents,
}

/// All places, and the sets of archives that read them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) list: Vec<Source>,
    pub(super) archives: Vec<Archives>,
    /// Whether what the others do not have is fetched over HTTP.
    pub(super) http: bool,
}

/// Reads the setting `from`, and declares what each source holds.
pub(super) fn parse(from: &[String], inputs: &mut Inputs) -> Result<Sources, Error> {
    let mut sources = Sources::default();
    for (number, text) in from.iter().enumerate() {
        match text.split_once(':') {
            Some(("warc", path)) => {
                let named = Named { archives: &[path.into()], ..Named::default() };
                let mut found = Archives::find(&named)?;
                if inputs.are_hashed() {
                    let parts = found.identity()?.into_iter();
                    inputs.hashes("from", parts.map(|(name, hash)| (format!("{number:05}:{name}"), hash)));
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
                if inputs.are_hashed() {
                    inputs.hashes("from", [(format!("{number:05}:{name}"), folder_hash(&path)?)]);
                }
                sources.list.push(Source::Folder(path));
            }
            Some(("dir", path)) => return Err(Error::config("from", format!("{path} is not a folder"))),
            #[cfg(feature = "remote")]
            _ if text == "http" => {
                sources.http = true;
                inputs.hashes("from", []);
            }
            #[cfg(not(feature = "remote"))]
            _ if text == "http" => {
                let reason = "this build has no network (feature `remote`); give warc:FILE or dir:FOLDER";
                return Err(Error::config("from", reason));
            }
            _ => {
                let reason = format!("`{text}` is not a source; give warc:FILE, dir:FOLDER or http");
                return Err(Error::config("from", reason));
            }
        }
    }
    if sources.list.is_empty() && !sources.http {
        return Err(Error::config("from", "no source is given; give warc:FILE, dir:FOLDER or http"));
    }
    sources.list.push(Source::Documents);
    Ok(sources)
}

/// The reason of an image that no source has.
pub(super) fn missing_reason(sources: &[Source]) -> &'static str {
    if sources.iter().any(|source| matches!(source, Source::Folder(_))) {
        "not_found"
    } else {
        "not_in_archive"
    }
}

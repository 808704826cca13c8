//! The files of a pack, embedded or read from a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::Error;

/// Path below `languages/` and contents of every embedded file, sorted; written by `build.rs`.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// The codes of the embedded packs.
pub(super) fn embedded_codes() -> Vec<&'static str> {
    EMBEDDED.iter().filter_map(|(path, _)| path.strip_suffix("/pack.toml")).collect()
}

/// The code of the embedded pack that has this file.
pub(super) fn embedded_with(file: &str) -> Option<&'static str> {
    EMBEDDED.iter().find_map(|(path, _)| path.strip_suffix(file)?.strip_suffix('/'))
}

/// Contents by path inside the pack, such as `prompts/vqa.toml`.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// The folder or, for an embedded pack, the language's code.
    origin: PathBuf,
    contents: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Files {
    /// The embedded pack of this code.
    pub(super) fn embedded(code: &str) -> Option<Self> {
        let contents: BTreeMap<_, _> = EMBEDDED
            .iter()
            .filter_map(|(path, text)| {
                let inside = path.strip_prefix(code)?.strip_prefix('/')?;
                Some((Cow::Borrowed(inside), Cow::Borrowed(*text)))
            })
            .collect();
        contents.contains_key("pack.toml").then(|| Self { origin: PathBuf::from(code), contents })
    }

    /// The TOML and text files of a folder and of the folders in it.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let mut files = Self { origin: folder.to_owned(), contents: BTreeMap::new() };
        files.read_folder(folder, "")?;
        Ok(files)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        let failed = |source| Error::Read { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                self.read_folder(&path, &format!("{name}/"))?;
            } else if path.extension().is_some_and(|extension| extension == "toml" || extension == "txt") {
                let text = fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
                self.contents.insert(name.into(), text.into());
            }
        }
        Ok(())
    }

    /// Where a file is, for messages.
    pub(super) fn place(&self, file: &str) -> PathBuf {
        self.origin.join(file)
    }

    pub(super) fn get(&self, file: &str) -> Result<&str, Error> {
        self.contents.get(file).map(|text| &**text).ok_or_else(|| {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            Error::PackFile { file: self.place(file), known: self.names(folder).join(", ") }
        })
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, file: &str) -> Result<T, Error> {
        toml::from_str(self.get(file)?)
            .map_err(|source| Error::Pack { file: self.place(file), source: Box::new(source) })
    }

    /// Names of the files right in a folder of the pack, without their extension.
    pub(super) fn names(&self, folder: &str) -> Vec<&str> {
        let inside = |path: &'_ Cow<'static, str>| {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            (parent == folder).then(|| path.len() - name.len())
        };
        self.contents
            .keys()
            .filter_map(|path| {
                let name = &path[inside(path)?..];
                Some(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
            })
            .collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.contents.iter().map(|(name, text)| (&**name, &**text))
    }
}

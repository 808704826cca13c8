//! What a step reads, told apart by content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tsumugi_record::Record;

use super::input::{InputTable, input_table};
use crate::Error;

/// The inputs of a step, declared when it is opened. Each belongs to a setting whose schema says `x-role: input`; the runner
/// refuses a step that reads such a setting without declaring what it holds.
#[derive(Debug, Default)]
pub struct Inputs {
    pub(super) hashes: BTreeMap<String, String>,
    pub(super) resolved: Map<String, Value>,
    pub(super) declared: BTreeSet<String>,
    /// A worker need not know: the driver has compared the hashes.
    is_worker: bool,
}

impl Inputs {
    pub(super) fn of_worker() -> Inputs {
        Inputs { is_worker: true, ..Inputs::default() }
    }

    /// Whether hashes are used. A step that computes hashes of its own may leave them out where they are not.
    pub fn are_hashed(&self) -> bool {
        !self.is_worker
    }

    /// Declares a table: the folder of a finished step, or a folder of Parquet files made elsewhere.
    ///
    /// # Errors
    /// Where the folder cannot be read, the step that writes it has not finished, or it holds no such table.
    pub fn table<R: Record>(&mut self, key: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let table = input_table(folder, R::KIND)?;
        Ok(self.add_table(key, R::KIND, table))
    }

    /// Declares a table that may be missing.
    ///
    /// # Errors
    /// As [`Inputs::table`], but for the missing table.
    pub fn optional_table<R: Record>(&mut self, key: &str, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        match input_table(folder, R::KIND) {
            Ok(table) => Ok(self.add_table(key, R::KIND, table)),
            Err(Error::NoTable { .. }) => Ok(self.add_table(key, R::KIND, InputTable::default())),
            Err(error) => Err(error),
        }
    }

    fn add_table(&mut self, key: &str, kind: &str, table: InputTable) -> Vec<PathBuf> {
        self.hashes(key, table.identity.into_iter().map(|(name, hash)| (format!("{kind}:{name}"), hash)));
        table.shards
    }

    /// Declares a file by its content.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn file(&mut self, key: &str, path: &Path) -> Result<(), Error> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if self.are_hashed() {
            self.hashes(key, [(name, content_hash(path)?)]);
        }
        Ok(())
    }

    /// Declares an input by hashes that the caller has: name and hash of each part.
    pub fn hashes(&mut self, key: &str, parts: impl IntoIterator<Item = (String, String)>) {
        self.declared.insert(key.to_owned());
        self.hashes.extend(parts.into_iter().map(|(name, hash)| (format!("{key}:{name}"), hash)));
    }

    /// Declares an input by the value that it was resolved to, such as the profile behind a name. The value takes the place
    /// of the setting in what tells one run from another, and in the manifest.
    ///
    /// # Errors
    /// Where the value cannot be written as JSON.
    pub fn resolved(&mut self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.declared.insert(key.to_owned());
        let value = serde_json::to_value(value).map_err(Error::step("inputs", key))?;
        self.resolved.insert(key.to_owned(), value);
        Ok(())
    }
}

/// Files up to this size are hashed in full.
const IN_FULL: u64 = 256 << 20;
/// Of a larger file this many blocks are hashed, at equal distances from the first to the last byte.
const BLOCKS: u64 = 1024;
/// Bytes of a block.
const BLOCK: u64 = 64 << 10;

/// The hash by which a file is told from others: its length, and the SHA-256 of its content. Of a file above 256 MiB, 1,024
/// blocks of 64 KiB are hashed, so that a crawl need not be read twice.
///
/// # Errors
/// Where the file cannot be read.
pub fn content_hash(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if metadata.is_dir() {
        return Err(Error::config(path.display().to_string(), "is a folder, and a file was expected"));
    }
    let length = metadata.len();
    let mut hasher = Sha256::new();
    if length <= IN_FULL {
        let mut block = vec![0; BLOCK as usize];
        loop {
            match file.read(&mut block).map_err(Error::io("read", path))? {
                0 => break,
                read => hasher.update(&block[..read]),
            }
        }
    } else {
        let mut block = Vec::with_capacity(BLOCK as usize);
        for number in 0..BLOCKS {
            block.clear();
            let start = (length - BLOCK) / (BLOCKS - 1) * number;
            let start = if number + 1 == BLOCKS { length - BLOCK } else { start };
            file.seek(SeekFrom::Start(start)).map_err(Error::io("read", path))?;
            file.by_ref().take(BLOCK).read_to_end(&mut block).map_err(Error::io("read", path))?;
            hasher.update(&block);
        }
    }
    Ok(format!("{length}:{}", &data_encoding::HEXLOWER.encode(&hasher.finalize())[..32]))
}

/// The hash of a folder: names and contents of all files in it.
///
/// # Errors
/// Where a file cannot be read.
pub(crate) fn folder_hash(folder: &Path) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    let mut files = 0_u64;
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let read = fs::read_dir(&path).map_err(Error::io("read folder", &path))?;
        let entries: std::io::Result<Vec<PathBuf>> = read.map(|entry| Ok(entry?.path())).collect();
        let mut entries = entries.map_err(Error::io("read folder", &path))?;
        entries.sort();
        for entry in entries {
            if entry.is_dir() {
                waiting.push(entry);
                continue;
            }
            files += 1;
            let name = entry.strip_prefix(folder).unwrap_or(&entry);
            hasher.update(format!("{} {}\n", name.display(), content_hash(&entry)?));
        }
    }
    Ok(format!("{files}:{}", &data_encoding::HEXLOWER.encode(&hasher.finalize())[..32]))
}

/// A 16-byte key in the order of identifiers. It keeps the order of texts up to 16 bytes and of texts of 32 hexadecimal digits,
/// which is what the steps write; other identifiers are ordered by a hash.
pub fn order_key(id: &str) -> [u8; 16] {
    let mut key = [0; 16];
    if id.len() <= key.len() {
        key[..id.len()].copy_from_slice(id.as_bytes());
        return key;
    }
    if let Some(decoded) =
        data_encoding::HEXLOWER.decode(id.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok())
    {
        return decoded;
    }
    key.copy_from_slice(&Sha256::digest(id)[..16]);
    key
}

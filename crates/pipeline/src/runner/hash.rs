//! What tells files and identifiers apart.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;

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

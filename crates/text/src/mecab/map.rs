//! Read-only memory maps of dictionary files: the one module of this crate with unsafe code.

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::Error;

/// A whole file mapped into memory, with its path for messages.
#[derive(Debug)]
pub(super) struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    /// Maps `dir/name`.
    #[expect(unsafe_code, reason = "a memory map is only as safe as the file below it is left alone")]
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, Error> {
        let path = dir.join(name);
        let file = File::open(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        // SAFETY: the map is read-only and private to this value. Undefined behaviour would need another process to
        // shorten the file while we read it; dictionaries are installed once and never written in place, which is the
        // same assumption MeCab itself makes. Every read below goes through checked slices of plain bytes.
        let map = unsafe { Mmap::map(&file) }.map_err(|source| Error::Read { path: path.clone(), source })?;
        Ok(Self { path, map })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// An error that says what is wrong with this file.
    pub(super) fn broken(&self, reason: impl Into<String>) -> Error {
        Error::DictionaryBroken { path: self.path.clone(), reason: reason.into() }
    }
}

/// The little-endian `u32` at byte `at`, if it lies inside.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The little-endian `u16` at byte `at`, if it lies inside.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

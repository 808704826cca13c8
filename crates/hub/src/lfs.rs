//! Git LFS pointers: what a clone holds instead of a file where Git LFS is not installed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The first line of every pointer.
const MAGIC: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether bytes are a Git LFS pointer and not the file that it stands for.
#[must_use]
pub fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Whether a file is a Git LFS pointer. A file that cannot be read is none.
#[must_use]
pub fn is_lfs_pointer_file(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && is_lfs_pointer(&head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_by_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        for (bytes, expected) in [
            ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", true),
            ("version 1", false),
            ("", false),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(is_lfs_pointer(bytes.as_bytes()), expected, "{bytes}");
            assert_eq!(is_lfs_pointer_file(&path), expected, "{bytes}");
        }
        assert!(!is_lfs_pointer_file(folder.path()));
    }
}

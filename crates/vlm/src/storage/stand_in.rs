//! What stands in a checkpoint's folder where a file should be.

use std::path::Path;

use tsumugi_hub::is_lfs_pointer_file;

use crate::error::{Error, Result};

/// The error of reading a file, or that the file is a Git LFS pointer.
pub(crate) fn unless_pointer(path: &Path, error: Error) -> Error {
    if is_lfs_pointer_file(path) { Error::LfsPointer { path: path.to_owned() } } else { error }
}

/// Files of tokenizers that transformers can turn into a `tokenizer.json`.
const SLOW: [&str; 5] =
    ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "merges.txt", "vocab.txt"];

/// The bytes of a checkpoint's `tokenizer.json`, which is in `folder` or below it.
pub(crate) fn read_tokenizer(folder: &Path, path: &Path) -> Result<Vec<u8>> {
    if is_lfs_pointer_file(path) {
        return Err(Error::LfsPointer { path: path.to_owned() });
    }
    let homes = [Some(folder), path.parent()];
    std::fs::read(path).map_err(|source| {
        if source.kind() != std::io::ErrorKind::NotFound {
            return Error::Io { path: path.to_owned(), source };
        }
        let slow = SLOW.iter().find(|name| homes.iter().flatten().any(|home| home.join(name).is_file()));
        let reason = match slow {
            Some(name) => format!(
                "has no tokenizer.json, only {name}; transformers writes one: \
                 `AutoTokenizer.from_pretrained(FOLDER, use_fast=True).save_pretrained(FOLDER)`"
            ),
            None => "has no tokenizer.json; copy that of the model which it was trained from".to_owned(),
        };
        Error::Checkpoint { path: folder.to_owned(), reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::read_json;
    use crate::tokenizer::Tokenizer;

    #[test]
    fn a_missing_tokenizer_is_named_by_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Tokenizer::open(folder.path()).unwrap_err().to_string();
        assert!(open().contains("has no tokenizer.json; copy"), "{}", open());
        std::fs::create_dir(folder.path().join("llm")).unwrap();
        for place in ["llm/tokenizer.model", "tokenizer.model"] {
            std::fs::write(folder.path().join(place), "x").unwrap();
            let error = open();
            assert!(error.contains("only tokenizer.model") && error.contains("save_pretrained"), "{error}");
            std::fs::remove_file(folder.path().join(place)).unwrap();
        }
    }

    #[test]
    fn pointers_are_named_for_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
                .unwrap();
            path
        };
        write("tokenizer.json");
        for error in [
            Tokenizer::open(folder.path()).unwrap_err(),
            crate::checkpoint::read_safetensors(&write("model.safetensors")).unwrap_err(),
            read_json(&write("config.json")).unwrap_err(),
        ] {
            assert!(
                matches!(error, Error::LfsPointer { .. }) && error.to_string().contains("git lfs pull"),
                "{error}"
            );
        }
    }
}

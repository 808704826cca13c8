//! Models by name from the Hugging Face hub.

use std::path::{Path, PathBuf};

use tsumugi_hub::Hub;

use crate::error::{Error, Result};

/// A local folder with the model: `model` itself if it is a folder, else the files of the hub's repository of that name
/// (`owner/name` or `owner/name@revision`), from the hub's usual cache or downloaded into it ([`Hub::from_env`]).
///
/// # Errors
/// [`Error::NoFolder`] if it is neither a folder nor the name of a repository; [`Error::Hub`].
pub fn fetch(model: &str) -> Result<PathBuf> {
    find(model, |hub| hub.model(model))
}

/// A local folder with a tokenizer, found as [`fetch`] finds a model, of which nothing else is downloaded.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_tokenizer(model: &str) -> Result<PathBuf> {
    find(model, |hub| hub.tokenizer(model))
}

fn find(
    model: &str,
    at_hub: impl FnOnce(&Hub) -> std::result::Result<PathBuf, tsumugi_hub::Error>,
) -> Result<PathBuf> {
    let local = Path::new(model);
    if local.is_dir() {
        return Ok(local.to_owned());
    }
    match at_hub(&Hub::from_env()) {
        Err(tsumugi_hub::Error::Name { name }) => Err(Error::NoFolder { name }),
        found => Ok(found?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_folder_and_no_repository_is_said_to_be_neither() {
        for name in ["/no/such/folder", "./checkpoint", "checkpoint", "a/b/c"] {
            let error = fetch(name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("owner/name"), "{error}");
        }
    }
}

//! Models by name from the Hugging Face hub.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiRepo};

use crate::error::{Error, Result};

/// A local folder with the model: `model` itself if it is one, else the files of the hub's repository of that name
/// (`owner/name`), downloaded into the hub's usual cache where they are not there yet. `HF_HOME`, `HF_ENDPOINT` and
/// `HF_TOKEN` are respected.
///
/// # Errors
/// [`Error::Hub`] if it is neither a folder nor a repository that can be fetched.
pub fn fetch(model: &str) -> Result<PathBuf> {
    let local = Path::new(model);
    if local.is_dir() {
        return Ok(local.to_owned());
    }
    let fail = |reason: String| Error::Hub { repo: model.to_owned(), reason };
    if model.split('/').filter(|part| !part.is_empty()).count() != 2 || model.starts_with(['/', '.']) {
        return Err(fail("no such folder, and not the name of a repository (owner/name) either".to_owned()));
    }
    let api = hf_hub::api::sync::ApiBuilder::from_env().build().map_err(|error| fail(error.to_string()))?;
    download(&api, model).map_err(|error| fail(error.to_string()))
}

fn download(api: &Api, model: &str) -> std::result::Result<PathBuf, hf_hub::api::sync::ApiError> {
    let repo: ApiRepo = api.model(model.to_owned());
    let mut folder = PathBuf::new();
    for file in repo.info()?.siblings {
        let wanted = file.rfilename.ends_with(".safetensors")
            || file.rfilename.ends_with(".json")
            || file.rfilename.ends_with(".jinja");
        if wanted {
            let path = repo.get(&file.rfilename)?;
            // The cache keeps one folder a revision; config.json lies at its top.
            if file.rfilename == "config.json" {
                folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            }
        }
    }
    Ok(folder)
}

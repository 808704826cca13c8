//! Models by name from the Hugging Face hub.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{Api, ApiBuilder, ApiRepo};

use crate::error::{Error, Result};

/// A local folder with the model: `model` itself if it is a folder, else the files of the hub's repository of that name
/// (`owner/name`), downloaded into the hub's usual cache unless they are there. `HF_HOME`, `HF_ENDPOINT` and
/// `HF_TOKEN` are respected.
///
/// # Errors
/// [`Error::Hub`] if it is neither a folder nor the name of a repository; [`Error::Download`].
pub fn fetch(model: &str) -> Result<PathBuf> {
    let local = Path::new(model);
    if local.is_dir() {
        return Ok(local.to_owned());
    }
    if model.split('/').filter(|part| !part.is_empty()).count() != 2 || model.starts_with(['/', '.']) {
        let reason = "no such folder, and not the name of a repository (owner/name) either".to_owned();
        return Err(Error::Hub { repo: model.to_owned(), reason });
    }
    let fail = |source| Error::Download { repo: model.to_owned(), source: Box::new(source) };
    let token = std::env::var("HF_TOKEN").ok();
    let api = with_token(ApiBuilder::from_env(), token).build().map_err(fail)?;
    download(&api, model).map_err(fail)
}

/// hf-hub reads only the token of its login file. A token of the environment takes precedence.
fn with_token(builder: ApiBuilder, token: Option<String>) -> ApiBuilder {
    match token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()) {
        Some(token) => builder.with_token(Some(token)),
        None => builder,
    }
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
            // The cache keeps one folder a revision; files outside subfolders are at its top.
            if !file.rfilename.contains('/') {
                folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            }
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// The head of the first request that a server receives when a model is requested with `token`.
    fn request(token: Option<&str>) -> String {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", server.local_addr().unwrap());
        let seen = std::thread::spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            let mut head = Vec::new();
            let mut piece = [0; 1024];
            while !head.ends_with(b"\r\n\r\n") {
                let read = client.read(&mut piece).unwrap();
                assert!(read > 0);
                head.extend_from_slice(&piece[..read]);
            }
            client
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
            String::from_utf8(head).unwrap().to_lowercase()
        });
        let cache = tempfile::tempdir().unwrap();
        let builder = ApiBuilder::new().with_endpoint(endpoint).with_cache_dir(cache.path().to_owned());
        let api =
            with_token(builder.with_retries(0).with_token(None), token.map(str::to_owned)).build().unwrap();
        download(&api, "owner/name").unwrap_err();
        seen.join().unwrap()
    }

    #[test]
    fn the_token_of_the_environment_is_sent() {
        assert!(request(Some(" secret\n")).contains("authorization: bearer secret\r\n"));
        assert!(!request(None).contains("authorization"));
        assert!(!request(Some("")).contains("authorization"));
    }
}

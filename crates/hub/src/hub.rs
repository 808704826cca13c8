//! A hub and its cache.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cached::{Snapshot, find};
use crate::download::download;
use crate::files::Files;
use crate::place::Place;
use crate::repository::Repository;

const ENDPOINT: &str = "https://huggingface.co";

/// Where repositories come from, and where they are kept.
///
/// What has been fetched once is found in the cache when the hub cannot be reached.
#[derive(Clone)]
pub struct Hub {
    place: Place,
    is_offline: bool,
}

/// The token is not shown.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.place.token.as_ref().map(|_| "(hidden)");
        f.debug_struct("Hub")
            .field("endpoint", &self.place.endpoint)
            .field("cache", &self.place.cache)
            .field("token", &token)
            .field("is_offline", &self.is_offline)
            .finish()
    }
}

impl Hub {
    /// The hub that the environment names: `HF_ENDPOINT`, or huggingface.co; the cache `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or
    /// that in the user's cache folder; the token `HF_TOKEN`, or the one that a login left in `HF_TOKEN_PATH` or `HF_HOME`.
    /// With `HF_HUB_OFFLINE` nothing is asked.
    #[must_use]
    pub fn from_env() -> Self {
        let read = |name: &str| std::env::var(name).ok();
        Self::from_variables(&read, std::env::home_dir().as_deref())
    }

    fn from_variables(read: &dyn Fn(&str) -> Option<String>, user: Option<&Path>) -> Self {
        let first = |names: &[&str]| {
            let values = names.iter().filter_map(|name| read(name));
            values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let path = |names: &[&str]| first(names).map(|value| expanded(&value, user));
        let home = path(&["HF_HOME"]).unwrap_or_else(|| {
            let cache = path(&["XDG_CACHE_HOME"]);
            let cache = cache.unwrap_or_else(|| user.unwrap_or(Path::new(".")).join(".cache"));
            cache.join("huggingface")
        });
        let cache = path(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]).unwrap_or_else(|| home.join("hub"));
        let token_file = path(&["HF_TOKEN_PATH"]).unwrap_or_else(|| home.join("token"));
        let of_file = || std::fs::read_to_string(token_file).ok().map(|token| token.trim().to_owned());
        let token = first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]).or_else(of_file);
        let endpoint = first(&["HF_ENDPOINT"]).unwrap_or_else(|| ENDPOINT.to_owned());
        let offline = first(&["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]).unwrap_or_default();
        let is_offline = ["1", "on", "yes", "true"].contains(&offline.to_lowercase().as_str());
        let hub = Self::new(endpoint, cache).with_offline(is_offline);
        match token.filter(|token| !token.is_empty()) {
            Some(token) => hub.with_token(token),
            None => hub,
        }
    }

    /// A hub at this address with this cache, without a token.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        let endpoint = endpoint.into().trim_end_matches('/').to_owned();
        Self { place: Place { endpoint, cache: cache.into(), token: None }, is_offline: false }
    }

    /// Signs in with this token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.place.token = Some(token.into());
        self
    }

    /// Asks nothing of a network where `offline` is true.
    #[must_use]
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.is_offline = offline;
        self
    }

    /// A folder with a model: its safetensors, JSON files and chat templates.
    ///
    /// # Errors
    /// Where it is neither at the hub nor as a whole in the cache; see [`Error`].
    pub fn model(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.snapshot(&Repository::model(name)?, Files::Model)?.folder)
    }

    /// A folder with the tokenizer of a model.
    ///
    /// # Errors
    /// As [`Hub::model`].
    pub fn tokenizer(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.snapshot(&Repository::model(name)?, Files::Tokenizer)?.folder)
    }

    /// The Parquet files of a dataset's split, in the order of their names.
    ///
    /// # Errors
    /// As [`Hub::model`].
    pub fn parquet(&self, name: &str, split: &str) -> Result<Vec<PathBuf>, Error> {
        let found = self.snapshot(&Repository::dataset(name)?, Files::Parquet(split))?;
        Ok(found.names.iter().map(|name| found.folder.join(name)).collect())
    }

    fn snapshot(&self, repository: &Repository, files: Files<'_>) -> Result<Snapshot, Error> {
        let cached = || find(&self.place.cache, repository, files);
        if self.is_offline {
            return cached().ok_or_else(|| Error::Offline {
                repository: repository.name().to_owned(),
                revision: repository.revision().to_owned(),
                cache: self.place.cache.clone(),
            });
        }
        // A commit never changes: there is nothing to ask.
        if let Some(found) = repository.is_pinned().then(cached).flatten() {
            return Ok(found);
        }
        download(&self.place, repository, files).or_else(|error| match cached() {
            Some(found) => {
                tracing::warn!("{repository} is taken from the cache, which may be older: {error}");
                Ok(found)
            }
            None => Err(error),
        })
    }
}

/// A path with the user's folder in place of `~`.
fn expanded(path: &str, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), user) {
        (Some(rest), Some(user)) => user.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(variables: &[(&str, &str)]) -> Hub {
        let read = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Hub::from_variables(&read, Some(Path::new("/home/u")))
    }

    #[test]
    fn variables_are_read_as_python_reads_them() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "/home/u/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("HF_HOME", "/h")], "/h/hub"),
            (&[("HF_HOME", "~/h")], "/home/u/h/hub"),
            (&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HUB_CACHE", " ")], "/home/u/.cache/huggingface/hub"),
        ];
        for (variables, cache) in cases {
            assert_eq!(hub(variables).place.cache, Path::new(cache), "{variables:?}");
        }
        for (value, expected) in [("1", true), ("ON", true), ("true", true), ("0", false), ("", false)] {
            assert_eq!(hub(&[("HF_HUB_OFFLINE", value)]).is_offline, expected, "{value}");
        }
        assert_eq!(hub(&[("HF_ENDPOINT", "http://a/")]).place.endpoint, "http://a");
        assert_eq!(hub(&[]).place.endpoint, ENDPOINT);
    }

    #[test]
    fn the_token_is_never_shown() {
        let hub = hub(&[("HF_TOKEN", " hf_secret\n")]);
        assert_eq!(hub.place.token.as_deref(), Some("hf_secret"));
        assert!(!format!("{hub:?}").contains("hf_secret"));
        assert_eq!(hub.place.without_token("Bearer hf_secret was refused"), "Bearer (token) was refused");
    }

    #[test]
    fn a_login_leaves_its_token_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        // Also where the files are kept elsewhere.
        assert_eq!(hub(&[("HF_HOME", home), ("HF_HUB_CACHE", "/c")]).place.token.as_deref(), Some("hf_file"));
        assert_eq!(hub(&[("HF_HOME", home), ("HF_TOKEN", "hf_own")]).place.token.as_deref(), Some("hf_own"));
    }
}

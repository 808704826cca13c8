//! Benchmarks from the Hugging Face hub.

use std::fmt;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};

use crate::Error;

/// Where named benchmarks come from, and where they are kept.
///
/// A benchmark that has been fetched once is found in the cache when the hub cannot be reached.
#[derive(Clone, Default)]
pub struct Hub {
    endpoint: Option<String>,
    cache: Option<PathBuf>,
    token: Option<String>,
}

/// The token is not shown.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "(hidden)");
        let mut shown = f.debug_struct("Hub");
        shown.field("endpoint", &self.endpoint).field("cache", &self.cache).field("token", &token).finish()
    }
}

impl Hub {
    /// The hub that `HF_ENDPOINT` names (huggingface.co where absent), with the token of `HF_TOKEN` (or the one that a login
    /// left in `HF_HOME`), into the cache of `HF_HOME`.
    #[must_use]
    pub fn from_env() -> Self {
        let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.trim().is_empty());
        Self { endpoint: None, cache: None, token }
    }

    /// A hub at this address with a cache of its own.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        Self { endpoint: Some(endpoint.into()), cache: Some(cache.into()), token: None }
    }

    /// Signs in with this token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Downloads the Parquet files of a dataset's split, unless they are in the cache, and returns their paths in the order of
    /// their names.
    ///
    /// # Errors
    /// [`Error::Hub`] where it is neither at the hub nor in the cache.
    pub fn parquet(&self, repository: &str, split: &str) -> Result<Vec<PathBuf>, Error> {
        self.download(repository, split).or_else(|reason| {
            self.cached(repository, split).ok_or_else(|| Error::Hub {
                repository: repository.to_owned(),
                reason: self.without_token(&reason),
            })
        })
    }

    fn download(&self, repository: &str, split: &str) -> Result<Vec<PathBuf>, String> {
        let mut builder = ApiBuilder::from_env().with_retries(2);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
        }
        if let Some(cache) = &self.cache {
            builder = builder.with_cache_dir(cache.clone());
        }
        if self.token.is_some() {
            builder = builder.with_token(self.token.clone());
        }
        let repo = builder.build().map_err(|e| e.to_string())?.repo(dataset(repository));
        let names = repo.info().map_err(|e| e.to_string())?.siblings.into_iter().map(|file| file.rfilename);
        let names = of_split(names.collect(), split);
        if names.is_empty() {
            return Err(format!("it has no Parquet file of the split `{split}`"));
        }
        names.iter().map(|name| repo.get(name).map_err(|e| format!("{name}: {e}"))).collect()
    }

    /// What an earlier download left, if all of it is there.
    fn cached(&self, repository: &str, split: &str) -> Option<Vec<PathBuf>> {
        let cache = self.cache.clone().map_or_else(Cache::from_env, Cache::new);
        let folder = cache.path().join(dataset(repository).folder_name());
        let revision = std::fs::read_to_string(folder.join("refs/main")).ok()?;
        let folder = folder.join("snapshots").join(revision.trim());
        let files = super::files::parquet_files(&folder).ok()?;
        let name = |path: &PathBuf| path.strip_prefix(&folder).ok()?.to_str().map(str::to_owned);
        let names = of_split(files.iter().filter_map(name).collect(), split);
        let whole = names.first().is_some_and(|first| shards(first).is_none_or(|count| count == names.len()));
        whole.then(|| names.iter().map(|name| folder.join(name)).collect())
    }

    /// No message may show the token, whatever a server put into its answer.
    fn without_token(&self, text: &str) -> String {
        match self.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) => text.replace(token, "(token)"),
            None => text.to_owned(),
        }
    }
}

fn dataset(repository: &str) -> Repo {
    Repo::new(repository.to_owned(), RepoType::Dataset)
}

/// The Parquet files whose names begin with the split (`data/test-00000-of-00001.parquet`); all of them where none does.
fn of_split(mut names: Vec<String>, split: &str) -> Vec<String> {
    names.retain(|name| name.ends_with(".parquet"));
    names.sort();
    let is_of_split = |name: &String| {
        let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.strip_prefix(split).is_some_and(|rest| rest.starts_with(['-', '.', '_']))
    };
    if names.iter().any(is_of_split) {
        names.retain(is_of_split);
    }
    names
}

/// The number of files that a name such as `test-00000-of-00003.parquet` counts.
fn shards(name: &str) -> Option<usize> {
    let rest = &name[name.find("-of-")? + 4..];
    rest.get(..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_split() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = names(&[
            "README.md",
            "data/train-00000-of-00001-ab12.parquet",
            "data/test-00000-of-00002.parquet",
        ]);
        assert_eq!(of_split(all.clone(), "test"), ["data/test-00000-of-00002.parquet"]);
        assert_eq!(
            of_split(names(&["b.parquet", "a.parquet", "a.json"]), "test"),
            ["a.parquet", "b.parquet"]
        );
        assert_eq!(shards("data/train-00000-of-00012-ab12.parquet"), Some(12));
        assert_eq!(shards("a.parquet"), None);
    }

    #[test]
    fn the_token_is_never_shown() {
        let hub = Hub::new("http://127.0.0.1:9", "/nowhere").with_token("hf_secret");
        assert!(!format!("{hub:?}").contains("hf_secret"));
        assert_eq!(hub.without_token("Bearer hf_secret was refused"), "Bearer (token) was refused");
    }
}

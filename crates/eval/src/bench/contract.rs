//! What a benchmark's source is, apart from those that this crate has.

use std::fmt;
use std::path::{Path, PathBuf};

use tsumugi_hub::Hub;

use super::benchmark::Benchmark;
use super::files::parquet_files;
use crate::Error;
use crate::profile::Profile;

/// Loads a benchmark that configurations select by name.
///
/// ```
/// use tsumugi_eval::bench::{Benchmark, BenchmarkSource, LoadRequest, Question};
/// use tsumugi_eval::profile::{JudgePlan, Profile};
/// use tsumugi_eval::{Error, Registry};
///
/// /// Sums of two digits.
/// #[derive(Debug)]
/// struct Sums;
///
/// impl BenchmarkSource for Sums {
///     fn name(&self) -> &str {
///         "sums"
///     }
///
///     fn load(&self, _request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
///         let question = |a: u32| Question {
///             id: a.to_string(),
///             category: String::new(),
///             question: format!("{a} + 1 = ?"),
///             reference: (a + 1).to_string(),
///             context: None,
///             image: None,
///         };
///         Benchmark::new("sums", JudgePlan::default(), (0..10).map(question).collect())
///     }
/// }
///
/// let registry = Registry::default().with_benchmark(Sums);
/// let benchmark = registry.load_benchmark("sums", &LoadRequest::new(Profile::Paper))?;
/// assert_eq!(benchmark.questions.len(), 10);
/// # Ok::<(), Error>(())
/// ```
pub trait BenchmarkSource: fmt::Debug + Send + Sync {
    /// The name by which configurations select the benchmark.
    fn name(&self) -> &str;

    /// Loads the benchmark.
    ///
    /// # Errors
    /// Where its files are missing, unreadable or not as the benchmark should be.
    fn load(&self, request: &LoadRequest<'_>) -> Result<Benchmark, Error>;
}

/// Where a benchmark is loaded from.
#[derive(Debug, Clone)]
pub struct LoadRequest<'a> {
    /// The profile, which decides which questions are asked.
    pub profile: Profile,
    /// Folder or file of the benchmark's data. Without it a benchmark is fetched from the hub.
    pub data: Option<&'a Path>,
    /// The Hugging Face hub.
    pub hub: Hub,
}

impl<'a> LoadRequest<'a> {
    /// Loads from the hub that the environment names ([`Hub::from_env`]).
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self { profile, data: None, hub: Hub::from_env() }
    }

    /// Loads from this folder or file, where there is one.
    #[must_use]
    pub fn with_data(mut self, data: Option<&'a Path>) -> Self {
        self.data = data;
        self
    }

    /// Loads from this hub.
    #[must_use]
    pub fn with_hub(mut self, hub: Hub) -> Self {
        self.hub = hub;
        self
    }

    /// The benchmark's files: what lies at [`data`](Self::data), or the Parquet files of this split of a hub repository
    /// (`owner/name` or `owner/name@revision`).
    ///
    /// # Errors
    /// Where there are none, or the hub cannot be reached.
    pub fn files(&self, repository: &str, split: &str) -> Result<Vec<PathBuf>, Error> {
        match self.data {
            Some(data) => parquet_files(data),
            None => self.hub.parquet(repository, split).map_err(|source| {
                let benchmark = repository.to_owned();
                Error::Hub { benchmark, source }
            }),
        }
    }
}

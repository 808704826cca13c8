//! Benchmarks and scorers by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::Error;
use crate::bench::{
    Benchmark, BenchmarkSource, FileSource, HeronBench, JaVgVqa500, LoadRequest, ja_vlm_bench_in_the_wild,
};
use crate::scorer::{ExactMatch, GatedRougeL, JudgePoints, JudgeRelative, MecabRougeL, Scorer};

/// The benchmarks and scorers that a configuration can name. An ordinary value: a lab adds its own and hands it to the
/// evaluation.
///
/// ```
/// use tsumugi_eval::Registry;
/// use tsumugi_eval::bench::HubSource;
///
/// let registry = Registry::default().with_benchmark(HubSource::new("menus", "our-lab/menus", "test"));
/// assert!(registry.benchmark("menus").is_some());
/// assert!(registry.scorer("rouge-l").is_ok());
/// ```
#[derive(Clone)]
pub struct Registry {
    benchmarks: BTreeMap<String, Arc<dyn BenchmarkSource>>,
    scorers: BTreeMap<String, Arc<dyn Scorer>>,
}

impl Default for Registry {
    /// The benchmarks and scorers of this crate.
    fn default() -> Self {
        Self::empty()
            .with_benchmark(HeronBench)
            .with_benchmark(ja_vlm_bench_in_the_wild())
            .with_benchmark(JaVgVqa500)
            .with_scorer(MecabRougeL)
            .with_scorer(GatedRougeL::new("ja"))
            .with_scorer(ExactMatch)
            .with_scorer(JudgeRelative)
            .with_scorer(JudgePoints)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Registry");
        shown.field("benchmarks", &self.benchmarks.keys()).field("scorers", &self.scorers.keys()).finish()
    }
}

impl Registry {
    /// A registry without benchmarks and scorers.
    #[must_use]
    pub fn empty() -> Self {
        Self { benchmarks: BTreeMap::new(), scorers: BTreeMap::new() }
    }

    /// Adds a benchmark, or replaces the one of its name.
    #[must_use]
    pub fn with_benchmark(mut self, source: impl BenchmarkSource + 'static) -> Self {
        self.benchmarks.insert(source.name().to_owned(), Arc::new(source));
        self
    }

    /// Adds a scorer, or replaces the one of its name.
    #[must_use]
    pub fn with_scorer(mut self, scorer: impl Scorer + 'static) -> Self {
        self.scorers.insert(scorer.name().to_owned(), Arc::new(scorer));
        self
    }

    /// The benchmark of this name.
    #[must_use]
    pub fn benchmark(&self, name: &str) -> Option<&dyn BenchmarkSource> {
        self.benchmarks.get(name).map(AsRef::as_ref)
    }

    /// Loads the benchmark of this name, or the file or folder at this path.
    ///
    /// # Errors
    /// [`Error::UnknownBenchmark`] where there is neither; else as [`BenchmarkSource::load`].
    pub fn load_benchmark(&self, name: &str, request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        if let Some(source) = self.benchmark(name) {
            return source.load(request);
        }
        if !Path::new(name).exists() {
            return Err(Error::UnknownBenchmark { name: name.to_owned(), known: list(&self.benchmarks) });
        }
        FileSource::new(name).load(request)
    }

    /// The scorer of this name.
    ///
    /// # Errors
    /// [`Error::UnknownScorer`] listing the names that there are.
    pub fn scorer(&self, name: &str) -> Result<&Arc<dyn Scorer>, Error> {
        self.scorers
            .get(name)
            .ok_or_else(|| Error::UnknownScorer { name: name.to_owned(), known: list(&self.scorers) })
    }

    /// The scorers of these names, in order.
    ///
    /// # Errors
    /// [`Error::UnknownScorer`] for the first name that is unknown.
    pub fn scorers<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<Arc<dyn Scorer>>, Error> {
        names.iter().map(|name| self.scorer(name.as_ref()).cloned()).collect()
    }
}

fn list<T>(known: &BTreeMap<String, T>) -> String {
    known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

//! What a scorer is, apart from those that this crate has.

use std::fmt;

use tsumugi_record::Prediction;

use super::resources::Resources;
use crate::Error;
use crate::bench::Benchmark;
use crate::item::Item;
use crate::profile::{Judging, Profile};
use crate::stats::mean_at;

/// The answers to a benchmark, with what scorers may need beside them.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// The profile that the evaluation follows.
    pub profile: Profile,
    /// The benchmark.
    pub benchmark: &'a Benchmark,
    /// The answers.
    pub predictions: &'a [Prediction],
    /// How the judge was asked; `None` where nobody judged.
    pub judging: Option<Judging>,
    /// Dictionaries and models.
    pub resources: &'a Resources,
}

/// Makes a score of the answers to a benchmark.
///
/// A simple scorer implements [`name`](Self::name) and [`values`](Self::values): its score is the mean of the values.
///
/// ```
/// use tsumugi_eval::scorer::{Answers, Scorer};
/// use tsumugi_eval::{Error, Registry};
///
/// /// Percentage of answers that hold the reference answer.
/// #[derive(Debug)]
/// struct Contains;
///
/// impl Scorer for Contains {
///     fn name(&self) -> &str {
///         "contains"
///     }
///
///     fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
///         let value = |holds: bool| if holds { 100.0 } else { 0.0 };
///         Ok(answers.predictions.iter().map(|p| value(p.answer.contains(&p.reference))).collect())
///     }
/// }
///
/// let registry = Registry::default().with_scorer(Contains);
/// assert!(registry.scorer("contains").is_ok());
/// ```
pub trait Scorer: fmt::Debug + Send + Sync {
    /// The name of its metric, by which configurations select it and results list it.
    fn name(&self) -> &str;

    /// The name of its metric in tables and charts.
    fn title(&self) -> &str {
        self.name()
    }

    /// The best score there can be: the end of the axis in charts.
    fn maximum(&self) -> f64 {
        100.0
    }

    /// Loads what scoring needs. It is called before a model is asked, so that a missing file is reported early.
    ///
    /// # Errors
    /// Where something is missing or unusable.
    fn prepare(&self, _resources: &Resources) -> Result<(), Error> {
        Ok(())
    }

    /// Whether there is something to score. A judge's scorer has nothing to do where nobody judged.
    fn applies(&self, _answers: &Answers<'_>) -> bool {
        true
    }

    /// Whether it asks the language detector, which results then name.
    fn uses_detector(&self) -> bool {
        false
    }

    /// One finite value for each answer, in order. Results keep them under the scorer's name. A scorer whose
    /// [`statistic`](Self::statistic) reads other fields of the items returns an empty list.
    ///
    /// # Errors
    /// Where a resource is missing or the computation fails.
    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error>;

    /// How items make a score; the mean of the values unless overridden. Intervals and comparisons are computed from
    /// it.
    fn statistic<'i>(&self, items: &'i [Item], _profile: Profile) -> Statistic<'i> {
        Statistic::of(items, self.name())
    }

    /// How many of the items the score is of; all of them unless overridden.
    fn scored(&self, items: &[Item]) -> usize {
        items.len()
    }

    /// The score over the items with these indices, where it is not the [`statistic`](Self::statistic).
    fn corpus_score(&self, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
        self.statistic(items, profile).at(indices)
    }

    /// The score of one category, whose items have these indices.
    fn category_score(&self, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
        self.statistic(items, profile).at(indices)
    }
}

/// A score of items by their indices.
pub type Function<'i> = Box<dyn Fn(&[usize]) -> f64 + 'i>;

/// How items make a score.
pub enum Statistic<'i> {
    /// The mean of one value for each item. Two runs are then compared question by question.
    Mean(Vec<f64>),
    /// Any other function of item indices, which may repeat.
    Other(Function<'i>),
}

impl Statistic<'_> {
    /// The mean of the values that items have for a metric; items without one count 0.
    #[must_use]
    pub fn of(items: &[Item], metric: &str) -> Self {
        Self::Mean(items.iter().map(|item| item.scores.get(metric).copied().unwrap_or(0.0)).collect())
    }

    /// The score over the items with these indices.
    #[must_use]
    pub fn at(&self, indices: &[usize]) -> f64 {
        match self {
            Self::Mean(values) => mean_at(values, indices),
            Self::Other(statistic) => statistic(indices),
        }
    }
}

impl fmt::Debug for Statistic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean(values) => f.debug_tuple("Mean").field(values).finish(),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

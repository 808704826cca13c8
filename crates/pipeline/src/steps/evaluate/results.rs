//! What is made of the tables: scores, results and report.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::profile::Profile;
use tsumugi_eval::results::{Results, Run, score, set_contamination};
use tsumugi_record::{Judgement, Prediction};

use super::{Evaluate, failed, read_table, training};
use crate::{Error, Progress};

/// What an evaluation found.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Name of the benchmark.
    pub benchmark: String,
    /// The profile.
    pub profile: Profile,
    /// Who answered.
    pub model: String,
    /// Score and 95 % interval by metric.
    pub scores: BTreeMap<String, (f64, f64, f64)>,
    /// Judgements that failed: replies that could not be read, and such as were not given.
    pub failed_judgements: usize,
    /// Questions of which something was found in training data, where that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contaminated: Option<usize>,
    /// The page to look at.
    pub report: PathBuf,
    /// Everything, as in `results.json`.
    #[serde(skip)]
    pub results: Results,
    /// The benchmark as it was loaded.
    #[serde(skip)]
    pub loaded: Benchmark,
}

impl Evaluate {
    /// Scores the tables and writes results and report. Doing so again gives the same.
    pub(super) fn evaluation(&self, progress: &Progress) -> Result<Evaluation, Error> {
        let config = &self.settings;
        let predictions: Vec<Prediction> = read_table(&config.out)?;
        let judgements: Vec<Judgement> = read_table(&config.out.join("judgements"))?;
        let run = Run {
            benchmark: &self.benchmark,
            profile: config.profile,
            predictions: &predictions,
            judgements: &judgements,
            judging: self.judges.as_ref().map(|judges| judges.judging),
        };
        let mut results = score(&run, &self.scorers, &self.resources).map_err(failed("scores"))?;
        if !config.training.is_empty() {
            let found = training::search(&self.benchmark, &config.training, config.contamination, progress)?;
            set_contamination(&mut results, found, &self.registry);
        }
        results.write(&config.out).map_err(failed("results"))?;
        let note = config.note.as_deref();
        let report = tsumugi_eval::report::write(
            &config.out,
            &self.benchmark,
            &results,
            &predictions,
            &judgements,
            note,
        )
        .map_err(failed("report"))?;
        let scores = results
            .scores
            .iter()
            .map(|score| (score.metric.clone(), (score.score, score.interval.low, score.interval.high)));
        let judge = results.judge.as_ref();
        Ok(Evaluation {
            benchmark: results.benchmark.clone(),
            profile: results.profile,
            model: results.model.clone(),
            scores: scores.collect(),
            contaminated: results.contamination.as_ref().map(|found| found.questions),
            failed_judgements: judge.map_or(0, |judge| judge.unreadable + judge.crashes + judge.unanswered),
            report,
            results,
            loaded: self.benchmark.clone(),
        })
    }
}

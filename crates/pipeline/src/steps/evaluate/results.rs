//! What is made of the tables: scores, results and report.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::profile::Profile;
use tsumugi_eval::results::{Results, Run, score, set_contamination};
use tsumugi_record::{Excluded, Judgement, Prediction};

use super::{Evaluate, STEP, failed, read_table, training};
use crate::{Error, Progress};

/// Characters of a judge's reply that an error shows.
const EXAMPLE_CHARS: usize = 400;

/// What an evaluation found.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Name of the benchmark.
    pub benchmark: String,
    /// The profile.
    pub profile: Profile,
    /// Who answered.
    pub model: String,
    /// Questions of the benchmark.
    pub questions: usize,
    /// Questions that were answered.
    pub answered: usize,
    /// Score and 95 % interval by metric.
    pub scores: BTreeMap<String, (f64, f64, f64)>,
    /// Answers that each score is of, by metric.
    pub answers: BTreeMap<String, usize>,
    /// Judgements that were asked for, where there was a judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judgements: Option<usize>,
    /// Judgements that failed: replies that could not be read, and such as were not given.
    pub failed_judgements: usize,
    /// Questions of which something was found in training data, where that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contaminated: Option<usize>,
    /// The page to look at.
    pub report: PathBuf,
    /// What the judge said that gave no points, where it gave none at all.
    #[serde(skip)]
    pub(super) unjudged: Option<String>,
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
        if let Some(reason) = self.unanswered(&predictions)? {
            return Err(Error::step(STEP, self.benchmark.name.as_str())(reason));
        }
        let judgements: Vec<Judgement> = read_table(&config.out.join("judgements"))?;
        let run = Run {
            benchmark: &self.benchmark,
            profile: config.profile,
            predictions: &predictions,
            judgements: &judgements,
            judging: self.judges.as_ref().map(|judges| judges.judging),
        };
        let mut results = score(&run, &self.scorers, &self.resources).map_err(failed("scores"))?;
        if let Some((facts, judges)) = results.judge.as_mut().zip(self.judges.as_ref()) {
            facts.sent_instead = self.judging_client(judges)?.parameter_changes(&judges.settings.model);
        }
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
        let answers = results.scores.iter().map(|score| (score.metric.clone(), score.answers));
        let judge = results.judge.as_ref();
        let judged = judgements.is_empty() || judgements.iter().any(|judgement| judgement.error.is_none());
        warn_of_few(&results);
        Ok(Evaluation {
            benchmark: results.benchmark.clone(),
            profile: results.profile,
            model: results.model.clone(),
            questions: results.questions,
            answered: results.items.len(),
            scores: scores.collect(),
            answers: answers.collect(),
            judgements: judge.map(|judge| judge.judgements),
            unjudged: (!judged).then(|| unjudged(&judgements)),
            contaminated: results.contamination.as_ref().map(|found| found.questions),
            failed_judgements: judge.map_or(0, |judge| judge.unreadable + judge.crashes + judge.unanswered),
            report,
            results,
            loaded: self.benchmark.clone(),
        })
    }
}

impl Evaluate {
    /// Why there is nothing to score, where there is nothing.
    fn unanswered(&self, predictions: &[Prediction]) -> Result<Option<String>, Error> {
        let asked = self.benchmark.questions.len();
        if predictions.is_empty() {
            let excluded: Vec<Excluded> = read_table(&self.settings.out.join("excluded"))?;
            let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
            excluded.iter().for_each(|row| *reasons.entry(&row.reason).or_default() += 1);
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let first = excluded.first().map(|row| {
                let why = row.value.as_deref().unwrap_or_default();
                format!(": question {:?}: {why}", row.id)
            });
            return Ok(Some(format!(
                "none of {asked} questions was answered ({}){}. There are no scores; the reasons are in excluded/",
                reasons.join(", "),
                first.unwrap_or_default()
            )));
        }
        // A checkpoint may have learned to say nothing, which is a result. An endpoint that says nothing was not asked rightly.
        let is_silent = predictions.iter().all(|prediction| prediction.answer.trim().is_empty());
        Ok((is_silent && self.settings.base_url.is_some()).then(|| {
            let limit = self.generation.max_tokens;
            format!(
                "all {} answers are empty. A reasoning model may use up all {limit} tokens before it answers; raise `generation.max_tokens`, or look at the replies in cache/answers",
                predictions.len()
            )
        }))
    }
}

impl Evaluation {
    /// A judge that gave no points judged nothing: that is no success.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.unjudged {
            Some(reason) => Err(Error::step(STEP, "judge")(reason.clone())),
            None => Ok(()),
        }
    }
}

/// What a judge said that gave no points.
fn unjudged(judgements: &[Judgement]) -> String {
    let first = judgements.first();
    let why = first.and_then(|judgement| judgement.error.as_deref()).unwrap_or_default();
    let reply = first.map(|judgement| judgement.reply.as_str()).unwrap_or_default();
    let said: String =
        reply.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(EXAMPLE_CHARS).collect();
    format!(
        "none of {} judgements gave points, so that there is no score of the judge ({why}; the reply was {said:?}). The replies are in report.html; look at the judge's model and its prompt",
        judgements.len()
    )
}

/// Says of how few answers scores are.
fn warn_of_few(results: &Results) {
    let questions = results.questions;
    for score in results.scores.iter().filter(|score| score.answers < questions) {
        tracing::warn!("{STEP}: {} is the score of {} of {questions} questions", score.title, score.answers);
    }
}

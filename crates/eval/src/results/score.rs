//! From predictions and judgements to results.

use std::collections::HashMap;
use std::sync::Arc;

use tsumugi_chat::ParameterChanges;
use tsumugi_record::{Judgement, Prediction};

use super::file::{CategoryScore, JudgeFacts, MetricScore, Results, VERSION};
use crate::Error;
use crate::bench::Benchmark;
use crate::item::Item;
use crate::judge::{FailureKind, failure_kind, fallback};
use crate::profile::{Judging, Profile, Style};
use crate::scorer::{Answers, Resources, Scorer, run_score};
use crate::stats::{Resampling, variance};

/// The tables of a run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The benchmark that was answered.
    pub benchmark: &'a Benchmark,
    /// The profile that the evaluation follows.
    pub profile: Profile,
    /// The answers.
    pub predictions: &'a [Prediction],
    /// The judge's replies; empty where nobody judged.
    pub judgements: &'a [Judgement],
    /// How the judge was asked; without it the judgements are ignored.
    pub judging: Option<Judging>,
}

/// Scores the answers to a benchmark with each of the scorers that applies.
///
/// The same tables give the same results, on any number of threads.
///
/// # Errors
/// Where a scorer fails, or [`Error::Scorer`] where it does not give one finite value for each answer.
pub fn score(run: &Run<'_>, scorers: &[Arc<dyn Scorer>], resources: &Resources) -> Result<Results, Error> {
    let Run { benchmark, profile, predictions, judgements, judging } = *run;
    let judging = judging.filter(|_| !judgements.is_empty());
    // A judge that gave no points has no score: that of points put in their place would say nothing.
    let judged = judging.filter(|_| judgements.iter().any(|judgement| judgement.error.is_none()));
    let answers = Answers { profile, benchmark, predictions, judging: judged, resources };
    let mut items = items(benchmark, predictions);
    let mut judge = judging.map(|judging| fill(&mut items, judgements, judging));
    let applying: Vec<&dyn Scorer> =
        scorers.iter().map(AsRef::as_ref).filter(|scorer| scorer.applies(&answers)).collect();
    for scorer in &applying {
        add_values(&mut items, *scorer, &answers)?;
    }
    let sampling = Sampling::new(&items);
    let scores = applying.iter().map(|scorer| sampling.score(&items, *scorer, profile)).collect();
    let mut detector = None;
    if let Some((judging, facts)) = judged.zip(judge.as_mut()) {
        let all: Vec<usize> = (0..items.len()).collect();
        let of_run = |run| run_score(&items, judging.style, &all, run);
        facts.run_scores = (0..facts.runs as usize).map(of_run).collect();
    }
    if applying.iter().any(|scorer| scorer.uses_detector()) {
        detector = Some(resources.detector().name().to_owned());
    }
    let first = predictions.first();
    Ok(Results {
        version: VERSION,
        benchmark: benchmark.name.clone(),
        profile,
        model: first.map(|p| p.model.clone()).unwrap_or_default(),
        settings: first.and_then(|p| serde_json::from_str(&p.settings).ok()).unwrap_or_default(),
        questions: benchmark.questions.len(),
        unanswered: benchmark.questions.len().saturating_sub(items.len()),
        scores,
        judge,
        language_detector: detector,
        contamination: None,
        items,
    })
}

/// One item for each answer, without any score.
fn items(benchmark: &Benchmark, predictions: &[Prediction]) -> Vec<Item> {
    let images: HashMap<&str, &str> = benchmark
        .questions
        .iter()
        .filter_map(|q| Some((q.id.as_str(), q.image.as_ref()?.id.as_str())))
        .collect();
    let item = |prediction: &Prediction| Item {
        question_id: prediction.question_id.clone(),
        category: prediction.category.clone(),
        image: images.get(prediction.question_id.as_str()).map(|id| (*id).to_owned()),
        ..Item::default()
    };
    predictions.iter().map(item).collect()
}

/// Puts the values of a scorer into the items.
fn add_values(items: &mut [Item], scorer: &dyn Scorer, answers: &Answers<'_>) -> Result<(), Error> {
    let values = scorer.values(answers)?;
    let fault = |reason: String| Error::Scorer { scorer: scorer.name().to_owned(), reason };
    if values.is_empty() {
        return Ok(());
    }
    if values.len() != items.len() {
        return Err(fault(format!("it returned {} values for {} answers", values.len(), items.len())));
    }
    for (item, value) in items.iter_mut().zip(values) {
        if !value.is_finite() {
            return Err(fault(format!("it returned {value} for question {:?}", item.question_id)));
        }
        item.scores.insert(scorer.name().to_owned(), value);
    }
    Ok(())
}

/// Puts the judgements into the items and counts what failed.
fn fill(items: &mut [Item], judgements: &[Judgement], judging: Judging) -> JudgeFacts {
    let places: HashMap<String, usize> =
        items.iter().enumerate().map(|(i, item)| (item.question_id.clone(), i)).collect();
    let runs = judgements.iter().map(|j| j.run + 1).max().unwrap_or(0);
    let is_pair = matches!(judging.style, Style::Pair(_));
    for item in items.iter_mut() {
        item.points = vec![None; runs as usize];
        item.reference_points = vec![None; if is_pair { runs as usize } else { 0 }];
    }
    let mut facts = JudgeFacts {
        model: judgements.first().map(|j| j.judge.clone()).unwrap_or_default(),
        runs,
        run_scores: Vec::new(),
        judgements: judgements.len(),
        unreadable: 0,
        crashes: 0,
        unanswered: 0,
        variance: None,
        sent_instead: ParameterChanges::new(),
    };
    let mut clean: Vec<Vec<f64>> = vec![Vec::new(); items.len()];
    for judgement in judgements {
        let Some(at) = places.get(&judgement.question_id).copied() else { continue };
        let item = &mut items[at];
        let mut points = (judgement.score, judgement.reference_score);
        if let Some(error) = &judgement.error {
            item.failures += 1;
            match failure_kind(error) {
                FailureKind::Default => {
                    facts.unreadable += 1;
                    let (score, reference) = fallback(judging.style);
                    points = (Some(score), reference);
                }
                FailureKind::Crash => facts.crashes += 1,
                FailureKind::Refused | FailureKind::Unanswered => facts.unanswered += 1,
            }
        } else if let Some(score) = judgement.score {
            clean[at].push(score);
        }
        item.points[judgement.run as usize] = points.0;
        if let Some(slot) = item.reference_points.get_mut(judgement.run as usize) {
            *slot = points.1;
        }
    }
    facts.variance = variance(&clean);
    facts
}

struct Sampling {
    by_question: Resampling,
    by_image: Resampling,
}

impl Sampling {
    fn new(items: &[Item]) -> Self {
        Self {
            by_question: Resampling::by_question(items.iter().map(|item| item.category.as_str())),
            by_image: Resampling::by_image(items.iter().map(|item| item.image.as_deref())),
        }
    }

    fn score(&self, items: &[Item], scorer: &dyn Scorer, profile: Profile) -> MetricScore {
        let all: Vec<usize> = (0..items.len()).collect();
        let statistic = scorer.statistic(items, profile);
        let at = |drawn: &[usize]| statistic.at(drawn);
        MetricScore {
            metric: scorer.name().to_owned(),
            title: scorer.title().to_owned(),
            maximum: scorer.maximum(),
            answers: scorer.scored(items),
            score: scorer.corpus_score(items, &all, profile),
            interval: self.by_question.interval(at),
            interval_by_image: self.by_image.interval(at),
            categories: by_category(items, |members| scorer.category_score(items, members, profile)),
            clean: None,
        }
    }
}

/// The categories of the items in the order of their first question.
fn categories(items: &[Item]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        if !names.contains(&item.category) {
            names.push(item.category.clone());
        }
    }
    names
}

fn by_category(items: &[Item], score: impl Fn(&[usize]) -> f64) -> Vec<CategoryScore> {
    let category_score = |category: String| {
        let members: Vec<usize> = (0..items.len()).filter(|i| items[*i].category == category).collect();
        CategoryScore { score: score(&members), questions: members.len(), category }
    };
    categories(items).into_iter().map(category_score).collect()
}

//! From predictions and judgements to results.

use std::collections::HashMap;

use tsumugi_record::{Judgement, Prediction};

use super::{CategoryScore, Item, JudgeFacts, Metric, MetricScore, Results, VERSION};
use crate::aggregate::{Points, heron, mean};
use crate::bench::Benchmark;
use crate::judge::{FailureKind, failure_kind, fallback};
use crate::profile::{Corpus, Judging, PairReply, PointReply, Profile, Style};
use crate::rouge::{LanguageDetector, gated, score_all};
use crate::stats::{Resampling, bootstrap_median, mean_at, variance};
use tsumugi_text::mecab::Dictionary;

/// Scores the answers to a benchmark. `judging` is how the judgements were asked for; without one they are left out.
/// `detector` is what the language gate asks, under profiles that have one; without it there is no gated score.
///
/// The same tables give the same results, on any number of threads.
#[must_use]
pub fn score(
    benchmark: &Benchmark,
    profile: Profile,
    dictionary: &Dictionary,
    predictions: &[Prediction],
    judgements: &[Judgement],
    judging: Option<Judging>,
    detector: Option<&dyn LanguageDetector>,
) -> Results {
    let settings = profile.settings();
    let detector = detector.filter(|_| settings.language_gate);
    let pairs: Vec<_> = predictions.iter().map(|p| (p.answer.as_str(), p.reference.as_str())).collect();
    let rouge = score_all(dictionary, settings.normalizer, &pairs);
    let pictures: HashMap<&str, Option<String>> = benchmark
        .questions
        .iter()
        .map(|q| (q.id.as_str(), q.picture.as_ref().map(|p| p.id.clone())))
        .collect();
    let mut items: Vec<Item> = predictions
        .iter()
        .zip(rouge)
        .map(|(prediction, rouge_l)| Item {
            question_id: prediction.question_id.clone(),
            category: prediction.category.clone(),
            picture: pictures.get(prediction.question_id.as_str()).cloned().flatten(),
            rouge_l,
            ..Item::default()
        })
        .collect();
    if let Some(detector) = detector {
        let pass = |(answer, reference): &(&str, &str)| gated(detector, answer, reference) == *answer;
        for (item, pair) in items.iter_mut().zip(&pairs) {
            // What the gate lets through scores as it did; an empty answer scores nothing.
            item.rouge_l_ja = Some(if pass(pair) { item.rouge_l } else { 0.0 });
        }
    }
    let judging = judging.filter(|_| !judgements.is_empty());
    let mut judge = judging.map(|judging| fill(&mut items, judgements, judging));
    let sampling = Sampling::new(&items);
    let mut scores = vec![rouge_score(&items, Metric::RougeL, settings.corpus, &sampling)];
    if detector.is_some() {
        scores.push(rouge_score(&items, Metric::RougeLJa, settings.corpus, &sampling));
    }
    if let Some((judging, facts)) = judging.zip(judge.as_mut()) {
        scores.push(judge_score(&items, judging, facts, &sampling));
    }
    let first = predictions.first();
    Results {
        version: VERSION,
        benchmark: benchmark.name.clone(),
        profile,
        model: first.map(|p| p.model.clone()).unwrap_or_default(),
        settings: first.and_then(|p| serde_json::from_str(&p.settings).ok()).unwrap_or_default(),
        questions: benchmark.questions.len(),
        unanswered: benchmark.questions.len().saturating_sub(items.len()),
        scores,
        judge,
        language_detector: detector.map(|detector| detector.name().to_owned()),
        contamination: None,
        items,
    }
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
    by_picture: Resampling,
}

impl Sampling {
    fn new(items: &[Item]) -> Self {
        Self {
            by_question: Resampling::by_question(items.iter().map(|item| item.category.as_str())),
            by_picture: Resampling::by_picture(items.iter().map(|item| item.picture.as_deref())),
        }
    }

    fn score(
        &self,
        metric: Metric,
        score: f64,
        categories: Vec<CategoryScore>,
        statistic: impl Fn(&[usize]) -> f64,
    ) -> MetricScore {
        let interval = self.by_question.interval(&statistic);
        let interval_by_picture = self.by_picture.interval(&statistic);
        MetricScore { metric, score, interval, interval_by_picture, categories, clean: None }
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

fn rouge_score(items: &[Item], metric: Metric, corpus: Corpus, sampling: &Sampling) -> MetricScore {
    let values = rouge_values(items, metric);
    let statistic = |drawn: &[usize]| mean_at(&values, drawn);
    sampling.score(metric, corpus_score(&values, corpus), by_category(items, statistic), statistic)
}

pub(super) fn rouge_values(items: &[Item], metric: Metric) -> Vec<f64> {
    let value = |item: &Item| match metric {
        Metric::RougeLJa => item.rouge_l_ja.unwrap_or(item.rouge_l),
        _ => item.rouge_l,
    };
    items.iter().map(value).collect()
}

fn corpus_score(values: &[f64], corpus: Corpus) -> f64 {
    match corpus {
        Corpus::Mean => mean(values.iter().copied()).unwrap_or(0.0),
        Corpus::BootstrapMedian => bootstrap_median(values),
    }
}

/// The score of a metric over some of the items, as the profile makes one of many.
pub(super) fn statistic(items: &[Item], metric: Metric, profile: Profile, drawn: &[usize]) -> f64 {
    match metric {
        Metric::RougeL | Metric::RougeLJa => {
            let values = rouge_values(items, metric);
            let drawn: Vec<f64> = drawn.iter().map(|i| values[*i]).collect();
            corpus_score(&drawn, profile.settings().corpus)
        }
        Metric::JudgeRelative | Metric::JudgePoints => {
            judge_statistic(items, style_of(metric, profile), drawn)
        }
    }
}

/// The style of the judge behind a metric. What it decides of a score is the same for all judges that give points.
pub(super) fn style_of(metric: Metric, profile: Profile) -> Style {
    match metric {
        Metric::JudgeRelative => Style::Pair(profile.settings().pair.unwrap_or(PairReply::Json)),
        _ => Style::Point(PointReply::FirstDigit),
    }
}

/// The score of a judge over the drawn items: the mean over runs of each run's score.
pub(super) fn judge_statistic(items: &[Item], style: Style, drawn: &[usize]) -> f64 {
    let runs = items.first().map_or(0, |item| item.points.len());
    mean((0..runs).filter_map(|run| run_score(items, style, drawn, run))).unwrap_or(0.0)
}

fn run_score(items: &[Item], style: Style, drawn: &[usize], run: usize) -> Option<f64> {
    let points = |i: &usize| {
        let item = &items[*i];
        let score = item.points.get(run).copied().flatten()?;
        let reference = item.reference_points.get(run).copied().flatten();
        Some((item.category.as_str(), Points { score, reference: reference.unwrap_or(0.0) }))
    };
    match style {
        Style::Pair(reply) => {
            let judged: Vec<_> = drawn.iter().filter_map(points).collect();
            (!judged.is_empty()).then(|| heron(judged.iter().copied(), reply).relative)
        }
        Style::Point(_) => mean(drawn.iter().filter_map(points).map(|(_, p)| p.score)),
    }
}

fn judge_score(items: &[Item], judging: Judging, facts: &mut JudgeFacts, sampling: &Sampling) -> MetricScore {
    let style = judging.style;
    let all: Vec<usize> = (0..items.len()).collect();
    facts.run_scores = (0..facts.runs as usize).map(|run| run_score(items, style, &all, run)).collect();
    let metric = metric_of(style);
    let statistic = |drawn: &[usize]| judge_statistic(items, style, drawn);
    let categories = match style {
        Style::Point(_) => by_category(items, statistic),
        Style::Pair(reply) => by_category(items, |members| {
            let of_run = |run: usize| {
                let points = |i: &usize| {
                    let (score, reference) = (items[*i].points[run]?, items[*i].reference_points[run]?);
                    Some(("", Points { score, reference }))
                };
                let judged: Vec<_> = members.iter().filter_map(points).collect();
                (!judged.is_empty()).then(|| heron(judged.iter().copied(), reply).relative)
            };
            mean((0..facts.runs as usize).filter_map(of_run)).unwrap_or(0.0)
        }),
    };
    sampling.score(metric, statistic(&all), categories, statistic)
}

fn metric_of(style: Style) -> Metric {
    match style {
        Style::Pair(_) => Metric::JudgeRelative,
        Style::Point(_) => Metric::JudgePoints,
    }
}

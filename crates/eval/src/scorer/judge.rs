//! Scores from the points of a judge. The points themselves are in the items.

use super::contract::{Answers, Scorer, Statistic};
use super::names;
use crate::Error;
use crate::aggregate::{Points, heron};
use crate::item::Item;
use crate::profile::{PairReply, PointReply, Profile, Style};
use crate::stats::mean;

/// A judge's points in percent of its points for the reference answers: the score of Heron Bench.
#[derive(Debug, Clone, Copy, Default)]
pub struct JudgeRelative;

impl Scorer for JudgeRelative {
    fn name(&self) -> &str {
        names::JUDGE_RELATIVE
    }

    fn title(&self) -> &str {
        "Judge, % of reference"
    }

    fn applies(&self, answers: &Answers<'_>) -> bool {
        answers.judging.is_some_and(|judging| matches!(judging.style, Style::Pair(_)))
    }

    fn values(&self, _answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        Ok(Vec::new())
    }

    fn statistic<'i>(&self, items: &'i [Item], profile: Profile) -> Statistic<'i> {
        let style = Style::Pair(reply(profile));
        Statistic::Other(Box::new(move |drawn| mean_of_runs(items, style, drawn)))
    }

    fn scored(&self, items: &[Item]) -> usize {
        judged(items)
    }

    fn category_score(&self, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
        let runs = items.first().map_or(0, |item| item.points.len());
        let of_run = |run: usize| {
            let points = |i: &usize| {
                let of_run = |points: &[Option<f64>]| points.get(run).copied().flatten();
                let (score, reference) = (of_run(&items[*i].points)?, of_run(&items[*i].reference_points)?);
                Some(("", Points { score, reference }))
            };
            let judged: Vec<_> = indices.iter().filter_map(points).collect();
            (!judged.is_empty()).then(|| heron(judged.iter().copied(), reply(profile)).relative)
        };
        mean((0..runs).filter_map(of_run)).unwrap_or(0.0)
    }
}

/// A judge's points, 1 to 5.
#[derive(Debug, Clone, Copy, Default)]
pub struct JudgePoints;

impl Scorer for JudgePoints {
    fn name(&self) -> &str {
        names::JUDGE_POINTS
    }

    fn title(&self) -> &str {
        "Judge, points"
    }

    fn maximum(&self) -> f64 {
        5.0
    }

    fn applies(&self, answers: &Answers<'_>) -> bool {
        answers.judging.is_some_and(|judging| matches!(judging.style, Style::Point(_)))
    }

    fn values(&self, _answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        Ok(Vec::new())
    }

    fn statistic<'i>(&self, items: &'i [Item], _profile: Profile) -> Statistic<'i> {
        // The form of the reply decides nothing here: the points have been read.
        let style = Style::Point(PointReply::FirstDigit);
        Statistic::Other(Box::new(move |drawn| mean_of_runs(items, style, drawn)))
    }

    fn scored(&self, items: &[Item]) -> usize {
        judged(items)
    }
}

/// Items that a judge gave points in any of its runs.
fn judged(items: &[Item]) -> usize {
    items.iter().filter(|item| item.points.iter().any(Option::is_some)).count()
}

fn reply(profile: Profile) -> PairReply {
    profile.settings().pair.unwrap_or(PairReply::Json)
}

/// The mean over the judge's runs of each run's score.
fn mean_of_runs(items: &[Item], style: Style, indices: &[usize]) -> f64 {
    let runs = items.first().map_or(0, |item| item.points.len());
    mean((0..runs).filter_map(|run| run_score(items, style, indices, run))).unwrap_or(0.0)
}

/// The score of one run of the judge over the items with these indices; `None` where the run has no points for them.
#[must_use]
pub fn run_score(items: &[Item], style: Style, indices: &[usize], run: usize) -> Option<f64> {
    let points = |i: &usize| {
        let item = &items[*i];
        let score = item.points.get(run).copied().flatten()?;
        let reference = item.reference_points.get(run).copied().flatten();
        Some((item.category.as_str(), Points { score, reference: reference.unwrap_or(0.0) }))
    };
    match style {
        Style::Pair(reply) => {
            let judged: Vec<_> = indices.iter().filter_map(points).collect();
            (!judged.is_empty()).then(|| heron(judged.iter().copied(), reply).relative)
        }
        Style::Point(_) => mean(indices.iter().filter_map(points).map(|(_, p)| p.score)),
    }
}

//! Runs side by side.

use std::collections::HashMap;

use serde::Serialize;

use super::file::{MetricScore, Results, cell};
use crate::item::Item;
use crate::profile::Profile;
use crate::scorer::Statistic;
use crate::stats::{Paired, Resampling, paired, paired_statistic};
use crate::{Error, Registry};

/// Runs side by side: their scores, and the differences of each to the first on the questions both answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Name of the profile.
    pub profile: String,
    /// One row a run, in the order given.
    pub rows: Vec<Row>,
    /// Differences to the first run.
    pub differences: Vec<Difference>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Name of the run.
    pub run: String,
    /// Who answered.
    pub model: String,
    /// Questions of the benchmark.
    pub questions: usize,
    /// Its scores.
    pub scores: Vec<MetricScore>,
}

/// The difference of a run to the first one in one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Name of the run.
    pub run: String,
    /// Name of the run it is compared with.
    pub to: String,
    /// Name of the metric.
    pub metric: String,
    /// Name of the metric in tables and charts.
    pub title: String,
    /// Questions that both answered.
    pub questions: usize,
    /// Difference with questions drawn.
    pub by_question: Paired,
    /// Difference with images drawn, each with all its questions.
    pub by_image: Paired,
}

/// Compares runs (name and results) of one benchmark under one profile. A metric that the registry does not know is
/// compared by the mean of its values.
///
/// # Errors
/// [`Error::Incomparable`] where benchmark or profile differ, or two runs share no question.
pub fn compare(runs: &[(String, Results)], registry: &Registry) -> Result<Comparison, Error> {
    let Some(((first_name, first), others)) = runs.split_first() else {
        return Err(Error::Incomparable("there are none".to_owned()));
    };
    let mut differences = Vec::new();
    for (name, other) in others {
        if (&other.benchmark, other.profile) != (&first.benchmark, first.profile) {
            return Err(Error::Incomparable(format!(
                "{first_name} is {} under profile {}, {name} is {} under {}",
                first.benchmark, first.profile, other.benchmark, other.profile
            )));
        }
        let (a, b) = common(&first.items, &other.items);
        if a.is_empty() {
            return Err(Error::Incomparable(format!("{first_name} and {name} share no question")));
        }
        for score in &first.scores {
            if other.metric(&score.metric).is_none() {
                continue;
            }
            let [a_values, b_values] =
                [&a, &b].map(|items| statistic(items, &score.metric, first.profile, registry));
            let difference = |resampling: &Resampling| difference(&a_values, &b_values, a.len(), resampling);
            differences.push(Difference {
                run: name.clone(),
                to: first_name.clone(),
                metric: score.metric.clone(),
                title: score.title.clone(),
                questions: a.len(),
                by_question: difference(&Resampling::by_question(
                    a.iter().map(|item| item.category.as_str()),
                )),
                by_image: difference(&Resampling::by_image(a.iter().map(|item| item.image.as_deref()))),
            });
        }
    }
    let row = |(name, run): &(String, Results)| Row {
        run: name.clone(),
        model: run.model.clone(),
        questions: run.questions,
        scores: run.scores.clone(),
    };
    Ok(Comparison {
        benchmark: first.benchmark.clone(),
        profile: first.profile.to_string(),
        rows: runs.iter().map(row).collect(),
        differences,
    })
}

/// The items both runs have, in the order of the first.
fn common(first: &[Item], second: &[Item]) -> (Vec<Item>, Vec<Item>) {
    let places: HashMap<&str, &Item> = second.iter().map(|item| (item.question_id.as_str(), item)).collect();
    let found =
        first.iter().filter_map(|a| Some((a.clone(), (*places.get(a.question_id.as_str())?).clone())));
    found.unzip()
}

fn statistic<'i>(items: &'i [Item], metric: &str, profile: Profile, registry: &Registry) -> Statistic<'i> {
    match registry.scorer(metric) {
        Ok(scorer) => scorer.statistic(items, profile),
        Err(_) => Statistic::of(items, metric),
    }
}

fn difference(a: &Statistic<'_>, b: &Statistic<'_>, questions: usize, resampling: &Resampling) -> Paired {
    match (a, b) {
        (Statistic::Mean(a), Statistic::Mean(b)) => paired(a, b, resampling),
        _ => paired_statistic(|drawn| b.at(drawn) - a.at(drawn), questions, resampling),
    }
}

impl Comparison {
    /// Scores and differences as two Markdown tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        let metrics = self.rows.first().map(|row| row.scores.as_slice()).unwrap_or_default();
        let mut out = format!("{} under profile {}\n\n| run | model |", self.benchmark, self.profile);
        metrics.iter().for_each(|metric| out.push_str(&format!(" {} |", cell(&metric.title))));
        out.push_str("\n|---|---|");
        metrics.iter().for_each(|_| out.push_str("---|"));
        for row in &self.rows {
            out.push_str(&format!("\n| {} | {} |", cell(&row.run), cell(&row.model)));
            for metric in metrics {
                match row.scores.iter().find(|score| score.metric == metric.metric) {
                    Some(s) => out.push_str(&format!(
                        " {:.2} [{:.2}, {:.2}]{} |",
                        s.score,
                        s.interval.low,
                        s.interval.high,
                        s.share_of(row.questions)
                    )),
                    None => out.push_str(" |"),
                }
            }
        }
        out.push_str("\n\n| run | minus | metric | difference | 95 % interval | by image | p | questions needed |\n|---|---|---|---|---|---|---|---|\n");
        for d in &self.differences {
            let (q, p) = (&d.by_question, &d.by_image);
            out.push_str(&format!(
                "| {} | {} | {} | {:+.2} | {:+.2} to {:+.2} | {:+.2} to {:+.2} | {:.4} | {} |\n",
                cell(&d.run),
                cell(&d.to),
                cell(&d.title),
                q.difference,
                q.interval.low,
                q.interval.high,
                p.interval.low,
                p.interval.high,
                q.p_value,
                q.questions_needed.map_or_else(|| "-".to_owned(), |n| n.to_string())
            ));
        }
        out
    }
}

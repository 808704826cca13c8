//! Runs side by side.

use std::collections::HashMap;

use serde::Serialize;

use super::score::{judge_statistic, rouge_values, style_of};
use super::{Item, Metric, MetricScore, Results, cell};
use crate::Error;
use crate::stats::{Paired, Resampling, paired, paired_statistic};

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
    /// The metric.
    pub metric: Metric,
    /// Questions that both answered.
    pub questions: usize,
    /// Difference with questions drawn.
    pub by_question: Paired,
    /// Difference with pictures drawn, with all their questions.
    pub by_picture: Paired,
}

/// Compares runs (name and results) of one benchmark under one profile.
///
/// # Errors
/// [`Error::Incomparable`] where benchmark or profile differ, or two runs share no question.
pub fn compare(runs: &[(String, Results)]) -> Result<Comparison, Error> {
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
            if other.metric(score.metric).is_none() {
                continue;
            }
            let difference = |resampling: &Resampling| difference(&a, &b, score.metric, first, resampling);
            differences.push(Difference {
                run: name.clone(),
                to: first_name.clone(),
                metric: score.metric,
                questions: a.len(),
                by_question: difference(&Resampling::by_question(
                    a.iter().map(|item| item.category.as_str()),
                )),
                by_picture: difference(&Resampling::by_picture(a.iter().map(|item| item.picture.as_deref()))),
            });
        }
    }
    let row = |(name, run): &(String, Results)| Row {
        run: name.clone(),
        model: run.model.clone(),
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

fn difference(a: &[Item], b: &[Item], metric: Metric, first: &Results, resampling: &Resampling) -> Paired {
    match metric {
        Metric::RougeL | Metric::RougeLJa => {
            paired(&rouge_values(a, metric), &rouge_values(b, metric), resampling)
        }
        Metric::JudgePoints | Metric::JudgeRelative => {
            let style = style_of(metric, first.profile);
            let statistic =
                |drawn: &[usize]| judge_statistic(b, style, drawn) - judge_statistic(a, style, drawn);
            paired_statistic(statistic, a.len(), resampling)
        }
    }
}

impl Comparison {
    /// Scores and differences as two Markdown tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        let metrics: Vec<Metric> =
            self.rows.first().map(|row| row.scores.iter().map(|s| s.metric).collect()).unwrap_or_default();
        let mut out = format!("{} under profile {}\n\n| run | model |", self.benchmark, self.profile);
        metrics.iter().for_each(|metric| out.push_str(&format!(" {} |", metric.title())));
        out.push_str("\n|---|---|");
        metrics.iter().for_each(|_| out.push_str("---|"));
        for row in &self.rows {
            out.push_str(&format!("\n| {} | {} |", cell(&row.run), cell(&row.model)));
            for metric in &metrics {
                match row.scores.iter().find(|score| score.metric == *metric) {
                    Some(s) => out.push_str(&format!(
                        " {:.2} [{:.2}, {:.2}] |",
                        s.score, s.interval.low, s.interval.high
                    )),
                    None => out.push_str(" |"),
                }
            }
        }
        out.push_str("\n\n| run | minus | metric | difference | 95 % interval | by picture | p | questions needed |\n|---|---|---|---|---|---|---|---|\n");
        for d in &self.differences {
            let (q, p) = (&d.by_question, &d.by_picture);
            out.push_str(&format!(
                "| {} | {} | {} | {:+.2} | {:+.2} to {:+.2} | {:+.2} to {:+.2} | {:.4} | {} |\n",
                cell(&d.run),
                cell(&d.to),
                d.metric.title(),
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

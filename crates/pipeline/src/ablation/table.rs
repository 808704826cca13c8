//! The tables of an ablation: scores with intervals, differences to the first run, and the paper's own rows beside them.

use std::fmt::Write as _;

use tsumugi_eval::profile::Profile;
use tsumugi_eval::published::PUBLISHED;
use tsumugi_eval::results::{Comparison, MetricScore};

use super::config::AblationConfig;
use super::run::RunSummary;

/// What is said where the stand-in judged.
pub(super) const STAND_IN: &str = "The judge of this run is a loopback stand-in that follows fixed rules; its points say nothing about quality.";

/// A column: a benchmark and a metric.
type Column<'a> = (&'a Comparison, &'a MetricScore);

/// All tables.
pub(super) fn markdown(config: &AblationConfig, runs: &[RunSummary], comparisons: &[Comparison]) -> String {
    let columns: Vec<Column<'_>> = comparisons
        .iter()
        .flat_map(|comparison| {
            let scores = comparison.rows.first().map(|row| row.scores.as_slice()).unwrap_or_default();
            scores.iter().map(move |score| (comparison, score))
        })
        .collect();
    let mut out = format!(
        "Profile {}. Intervals hold 95 % of 1,000 bootstrap samples over questions.\n\n",
        config.profile
    );
    if config.judge.as_ref().is_some_and(|judge| judge.stand_in) {
        let _ = writeln!(out, "{STAND_IN}\n");
    }
    scores(&mut out, config, runs, &columns);
    differences(&mut out, runs, comparisons);
    papers(&mut out, config, &columns);
    losses(&mut out, runs);
    out
}

fn head(out: &mut String, first: &str, columns: &[String]) {
    let _ = writeln!(out, "| {first} | {} |", columns.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(columns.len()));
}

fn title((comparison, score): &Column<'_>) -> String {
    format!("{}, {}", cell(&comparison.benchmark), cell(&score.title))
}

fn scores(out: &mut String, config: &AblationConfig, runs: &[RunSummary], columns: &[Column<'_>]) {
    head(out, "run", &columns.iter().map(title).collect::<Vec<_>>());
    for (run, config) in runs.iter().zip(&config.runs) {
        let _ = write!(out, "| {} |", cell(&run.name));
        for (comparison, metric) in columns {
            let row = comparison.rows.iter().find(|row| row.run == run.name);
            let score = row.and_then(|row| row.scores.iter().find(|score| score.metric == metric.metric));
            match score {
                Some(s) => {
                    let _ = write!(out, " {:.2} [{:.2}, {:.2}]", s.score, s.interval.low, s.interval.high);
                    out.push_str(&row.map(|row| s.share_of(row.questions)).unwrap_or_default());
                }
                None => out.push_str(" -"),
            }
            let published = config.paper.as_deref().and_then(|row| PUBLISHED.iter().find(|p| p.model == row));
            if let Some(score) = published.and_then(|row| row.score(&comparison.benchmark, &metric.metric)) {
                let _ = write!(out, " (paper {score})");
            }
            out.push_str(" |");
        }
        out.push('\n');
    }
}

fn differences(out: &mut String, runs: &[RunSummary], comparisons: &[Comparison]) {
    let Some(first) = runs.first().filter(|_| runs.len() > 1) else { return };
    let _ = writeln!(out, "\nDifferences to \"{}\", question by question:\n", cell(&first.name));
    let names = ["benchmark, metric", "difference", "95 % interval", "by image", "p", "questions needed"];
    head(out, "run", &names.map(str::to_owned));
    for run in &runs[1..] {
        let all = comparisons.iter().flat_map(|c| c.differences.iter().map(move |d| (c, d)));
        for (comparison, d) in all.filter(|(_, d)| d.run == run.name) {
            let (q, p) = (&d.by_question, &d.by_image);
            let needed = q.questions_needed.map_or_else(|| "-".to_owned(), |n| n.to_string());
            let _ = writeln!(
                out,
                "| {} | {}, {} | {:+.2} | {:+.2} to {:+.2} | {:+.2} to {:+.2} | {:.4} | {needed} |",
                cell(&run.name),
                cell(&comparison.benchmark),
                cell(&d.title),
                q.difference,
                q.interval.low,
                q.interval.high,
                p.interval.low,
                p.interval.high,
                q.p_value,
            );
        }
    }
}

/// The paper's table 3, where the columns are the paper's.
fn papers(out: &mut String, config: &AblationConfig, columns: &[Column<'_>]) {
    let is_known = |(comparison, metric): &&Column<'_>| {
        PUBLISHED.iter().any(|row| row.score(&comparison.benchmark, &metric.metric).is_some())
    };
    let known: Vec<Column<'_>> = columns.iter().filter(is_known).copied().collect();
    if known.is_empty() || config.profile != Profile::Paper {
        return;
    }
    let _ = writeln!(out, "\nThe paper's ablation (its judge was gpt-4o-2024-05-13):\n");
    head(out, "model", &known.iter().map(title).collect::<Vec<_>>());
    for row in PUBLISHED.iter().filter(|row| row.ablation || row.model == "LLM-jp-3 VILA") {
        let _ = write!(out, "| {} |", row.model);
        for (comparison, metric) in &known {
            let score = row.score(&comparison.benchmark, &metric.metric);
            let _ = write!(out, " {} |", score.map_or_else(|| "-".to_owned(), |score| score.to_string()));
        }
        out.push('\n');
    }
}

fn losses(out: &mut String, runs: &[RunSummary]) {
    let _ = writeln!(out, "\nLosses, first tenth of the steps to last tenth:\n");
    head(out, "run", &["stages".to_owned()]);
    for run in runs {
        let stage = |(number, stage): (usize, &tsumugi_train::StageSummary)| {
            let shared = if number < run.shared_stages { " (shared)" } else { "" };
            format!("{} {:.2} to {:.2}{shared}", stage.name, stage.first_loss, stage.final_loss)
        };
        let stages: Vec<String> = run.stages.iter().enumerate().map(stage).collect();
        let _ = writeln!(out, "| {} | {} |", cell(&run.name), stages.join(", "));
    }
}

/// A text inside a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

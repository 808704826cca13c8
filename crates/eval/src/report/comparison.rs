//! Runs side by side: scores with intervals, and differences to the first run.

use tsumugi_report::{Block, Chart, Column, Page, Section, Table};

use super::radar;
use crate::results::{Comparison, MetricScore};
use crate::stats::Interval;

/// Runs side by side as a page: for each metric the scores and the differences to the first run with their intervals.
#[must_use]
pub fn comparison_page(comparison: &Comparison) -> Page {
    let mut page = Page::new(format!("{} under profile {}", comparison.benchmark, comparison.profile))
        .lead("Dots are scores, lines are 95 % bootstrap intervals over questions.");
    for score in comparison.rows.first().map(|row| row.scores.as_slice()).unwrap_or_default() {
        page.push(metric_section(comparison, score));
    }
    if !comparison.differences.is_empty() {
        page.push(Section::new("Differences").with(differences(comparison)));
    }
    let markdown = Block::preformatted(comparison.markdown());
    page.with(Section::new("As Markdown").with(Block::details("Tables in Markdown", [markdown])))
}

/// The scores and differences of all runs in the metric of `first`.
fn metric_section(comparison: &Comparison, first: &MetricScore) -> Section {
    let (metric, title) = (&first.metric, first.title.as_str());
    let mut scores = Chart::interval(format!("{title} by run"));
    let mut runs: Vec<(&str, &MetricScore)> = Vec::new();
    for row in &comparison.rows {
        let Some(score) = row.scores.iter().find(|score| score.metric == *metric) else { continue };
        let label = format!("{}{}", row.run, score.share_of(row.questions));
        scores.push(label, score.score, ends(score.interval));
        runs.push((row.run.as_str(), score));
    }
    let mut differences = Chart::interval(format!("{title}: differences")).zero();
    for difference in comparison.differences.iter().filter(|difference| difference.metric == *metric) {
        let label = format!("{} - {}", difference.run, difference.to);
        differences.push(label, difference.by_question.difference, ends(difference.by_question.interval));
    }
    let mut charts = vec![Block::from(scores)];
    if !differences.is_empty() {
        charts.push(differences.into());
    }
    charts.extend(radar(&runs).map(Block::from));
    Section::new(title).with(Block::grid(charts))
}

fn ends(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

fn differences(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::text("run").filter(),
        Column::text("against"),
        Column::text("metric").filter(),
        Column::number("difference").decimals(2),
        Column::text("95 % interval"),
        Column::number("p").decimals(4),
        Column::number("questions of both"),
        Column::number("questions needed"),
    ])
    .caption("Paired differences, questions drawn");
    for row in &comparison.differences {
        let paired = &row.by_question;
        table.push((
            &row.run,
            &row.to,
            &row.title,
            paired.difference,
            format!("{:.2} to {:.2}", paired.interval.low, paired.interval.high),
            paired.p_value,
            row.questions,
            paired.questions_needed,
        ));
    }
    table
}

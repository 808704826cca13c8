//! Runs side by side as a page: scores with intervals, and differences to the first run.

use std::fmt::Write as _;

use super::{escape, radar};
use crate::results::{Comparison, MetricScore};
use crate::stats::Interval;

/// The comparison as a self-contained HTML page.
#[must_use]
pub fn comparison_page(comparison: &Comparison) -> String {
    let title = format!("{} under profile {}", comparison.benchmark, comparison.profile);
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{0}</title><style>body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 1.5rem auto; padding: 0 1rem; color: #222; }} svg:not(.radar) {{ width: 100%; }} svg text {{ font-size: 12px; fill: #333; }} line {{ stroke: #2b6cb0; stroke-width: 2; }} line.zero {{ stroke: #999; stroke-width: 1; stroke-dasharray: 3 3; }} circle {{ fill: #2b6cb0; }} pre {{ overflow-x: auto; background: #f7f7f7; padding: .5rem; }}</style><h1>{0}</h1><p>Dots are scores, lines 95 % bootstrap intervals over questions.</p>",
        escape(&title)
    );
    let metrics = comparison.rows.first().map(|row| row.scores.as_slice()).unwrap_or_default();
    for MetricScore { metric, title, .. } in metrics {
        let scores: Vec<_> = comparison
            .rows
            .iter()
            .filter_map(|row| {
                let score = row.scores.iter().find(|score| score.metric == *metric)?;
                Some((row.run.clone(), score.score, score.interval))
            })
            .collect();
        plot(&mut out, title, &scores, false);
        let areas: Vec<(&str, &MetricScore)> = comparison
            .rows
            .iter()
            .filter_map(|row| {
                Some((row.run.as_str(), row.scores.iter().find(|score| score.metric == *metric)?))
            })
            .collect();
        out.push_str(&radar::svg(&areas).unwrap_or_default());
        let differences: Vec<_> = comparison
            .differences
            .iter()
            .filter(|d| d.metric == *metric)
            .map(|d| (format!("{} - {}", d.run, d.to), d.by_question.difference, d.by_question.interval))
            .collect();
        plot(&mut out, &format!("{}: differences", title), &differences, true);
    }
    let _ = write!(out, "<h2>Tables</h2><pre>{}</pre></html>", escape(&comparison.markdown()));
    out
}

fn plot(out: &mut String, title: &str, rows: &[(String, f64, Interval)], zero: bool) {
    let rows: Vec<_> =
        rows.iter().filter(|(_, v, i)| v.is_finite() && i.low.is_finite() && i.high.is_finite()).collect();
    if rows.is_empty() {
        return;
    }
    let start = if zero { 0.0 } else { f64::INFINITY };
    let low = rows.iter().map(|(_, v, i)| v.min(i.low)).fold(start, f64::min);
    let high = rows.iter().map(|(_, v, i)| v.max(i.high)).fold(-start, f64::max);
    let span = (high - low).max(1e-9);
    let x = |value: f64| 260.0 + 480.0 * (value - low) / span;
    let height = 26 * rows.len() + 10;
    let _ = write!(out, "<h2>{}</h2><svg viewBox=\"0 0 860 {height}\" role=img>", escape(title));
    if zero {
        let _ = write!(out, "<line class=zero x1={0:.1} x2={0:.1} y1=0 y2={height} />", x(0.0));
    }
    for (index, (name, value, interval)) in rows.iter().enumerate() {
        let y = 26 * index + 18;
        let _ = write!(
            out,
            "<text x=0 y={}>{}</text><line x1={:.1} x2={:.1} y1={y} y2={y} /><circle cx={:.1} cy={y} r=4 /><text x=760 y={}>{value:.2}</text>",
            y + 4,
            escape(name),
            x(interval.low),
            x(interval.high),
            x(*value),
            y + 4
        );
    }
    out.push_str("</svg>");
}

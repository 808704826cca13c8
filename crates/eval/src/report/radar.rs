//! Scores by category as a radar chart.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::escape;
use crate::results::{Metric, MetricScore};

/// The chart as SVG; `None` with fewer than three categories, which make no area.
pub(super) fn svg(score: &MetricScore) -> Option<String> {
    let categories: Vec<_> =
        score.categories.iter().filter(|c| c.score.is_finite() && !c.category.is_empty()).collect();
    if categories.len() < 3 {
        return None;
    }
    let top = match score.metric {
        Metric::JudgePoints => 5.0,
        Metric::RougeL | Metric::RougeLJa | Metric::JudgeRelative => 100.0,
    };
    let place = |index: usize, part: f64| {
        let angle = TAU * index as f64 / categories.len() as f64 - TAU / 4.0;
        (150.0 + 95.0 * part * angle.cos(), 125.0 + 95.0 * part * angle.sin())
    };
    let ring = |part: &dyn Fn(usize) -> f64| {
        let points = (0..categories.len()).map(|i| place(i, part(i)));
        points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let mut out =
        format!("<svg viewBox=\"0 0 300 250\" width=300 role=img><title>{}</title>", score.metric.title());
    for step in 1..=4 {
        let _ = write!(out, "<polygon class=ring points=\"{}\"/>", ring(&|_| f64::from(step) / 4.0));
    }
    let value = |i: usize| (categories[i].score / top).clamp(0.0, 1.0);
    let _ = write!(out, "<polygon class=area points=\"{}\"/>", ring(&value));
    for (i, category) in categories.iter().enumerate() {
        let (x, y) = place(i, 1.18);
        let _ = write!(
            out,
            "<text x={x:.0} y={y:.0}>{} {:.1}</text>",
            escape(&category.category),
            category.score
        );
    }
    out.push_str("</svg>");
    Some(out)
}

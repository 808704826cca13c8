//! Scores by category as a radar chart, of one run or of several on top of each other.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::escape;
use crate::results::MetricScore;

/// Colours of the runs, in order and again from the first.
const COLOURS: [&str; 6] = ["#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#4a5568"];

/// The chart as SVG: runs (name and score) over the categories of the first. `None` with fewer than three categories,
/// which make no area. Names are shown where there are several runs.
pub(super) fn svg(runs: &[(&str, &MetricScore)]) -> Option<String> {
    let (_, first) = runs.first()?;
    let names: Vec<&str> =
        first.categories.iter().map(|c| c.category.as_str()).filter(|name| !name.is_empty()).collect();
    if names.len() < 3 {
        return None;
    }
    let of = |score: &MetricScore, name: &str| {
        let found = score.categories.iter().find(|c| c.category == name);
        found.map(|c| c.score).filter(|score| score.is_finite()).unwrap_or(0.0)
    };
    let top = first.maximum;
    let place = |index: usize, part: f64| {
        let angle = TAU * index as f64 / names.len() as f64 - TAU / 4.0;
        (150.0 + 95.0 * part * angle.cos(), 125.0 + 95.0 * part * angle.sin())
    };
    let ring = |part: &dyn Fn(usize) -> f64| {
        let points = (0..names.len()).map(|i| place(i, part(i)));
        points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let height = 250 + if runs.len() > 1 { 16 * runs.len() } else { 0 };
    let mut out = format!(
        "<svg class=radar viewBox=\"0 0 300 {height}\" width=300 role=img><title>{}</title>",
        escape(&first.title)
    );
    for step in 1..=4 {
        let _ = write!(
            out,
            "<polygon fill=none stroke=\"#ccc\" points=\"{}\"/>",
            ring(&|_| f64::from(step) / 4.0)
        );
    }
    for (number, (name, score)) in runs.iter().enumerate() {
        let value = |i: usize| (of(score, names[i]) / top).clamp(0.0, 1.0);
        let colour = COLOURS[number % COLOURS.len()];
        let points = ring(&value);
        let _ = write!(
            out,
            "<polygon fill=\"{colour}\" fill-opacity=.15 stroke=\"{colour}\" stroke-width=2 points=\"{points}\"/>"
        );
        if runs.len() > 1 {
            let y = 262 + 16 * number;
            let _ =
                write!(out, "<text x=150 y={y} text-anchor=middle fill=\"{colour}\">{}</text>", escape(name));
        }
    }
    for (i, name) in names.iter().enumerate() {
        let (x, y) = place(i, 1.18);
        let score = if runs.len() > 1 { String::new() } else { format!(" {:.1}", of(first, name)) };
        let _ = write!(out, "<text x={x:.0} y={y:.0} text-anchor=middle>{}{score}</text>", escape(name));
    }
    out.push_str("</svg>");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::CategoryScore;

    #[test]
    fn areas_of_runs() {
        let score = |scores: &[f64]| MetricScore {
            metric: "judge-relative".into(),
            title: "Judge".into(),
            maximum: 100.0,
            score: 0.0,
            interval: Default::default(),
            interval_by_image: Default::default(),
            categories: ["conv", "detail", "com<plex"]
                .iter()
                .zip(scores)
                .map(|(name, score)| CategoryScore { category: (*name).into(), score: *score, questions: 1 })
                .collect(),
            clean: None,
        };
        let (a, b) = (score(&[100.0, 50.0, f64::NAN]), score(&[10.0, 20.0, 30.0]));
        let alone = svg(&[("a", &a)]).unwrap();
        assert!(alone.contains("conv 100.0") && alone.contains("com&lt;plex") && !alone.contains(">a<"));
        assert!(alone.contains("150.0,30.0"), "{alone}");
        let both = svg(&[("a", &a), ("b", &b)]).unwrap();
        assert_eq!(both.matches("<polygon").count(), 6);
        assert!(both.contains(">b</text>"));
        assert!(svg(&[("a", &score(&[1.0, 2.0]))]).is_none());
    }
}

//! From the points of questions to the score of a benchmark, as each reference does it.

use serde::{Deserialize, Serialize};

use crate::profile::PairReply;
use crate::stats::mean;

/// The categories of Heron Bench, whose mean is its score.
pub const HERON_CATEGORIES: [&str; 3] = ["conv", "detail", "complex"];

/// Points of one question in one judge run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    /// Of the model's answer.
    pub score: f64,
    /// Of the reference answer.
    pub reference: f64,
}

/// Score of one judge run on Heron Bench.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HeronScore {
    /// For each category met: mean points, and percent of the reference's points.
    pub categories: Vec<(String, f64, f64)>,
    /// Mean points over all questions.
    pub mean: f64,
    /// The score: mean percent over the three categories.
    pub relative: f64,
}

/// Aggregates one run: for each category 100 x mean of the answers' points / mean of the reference's points, then the
/// mean over the three categories.
///
/// With `paper` and `eval-mm` the divisor is at least 0.01, a category without questions or with a mean of exactly -1
/// counts 0, and the sum is divided by three. `heron` divides as it is. Categories outside the three take part in
/// [`HeronScore::mean`] only, where the benchmark has any of the three; a benchmark with categories of its own is
/// averaged over those.
#[must_use]
pub fn heron<'a>(points: impl Iterator<Item = (&'a str, Points)> + Clone, reply: PairReply) -> HeronScore {
    let known = points.clone().any(|(category, _)| HERON_CATEGORIES.contains(&category));
    let mut names: Vec<&str> = if known { HERON_CATEGORIES.to_vec() } else { Vec::new() };
    if !known {
        for (category, _) in points.clone() {
            if !names.contains(&category) {
                names.push(category);
            }
        }
    }
    let mut categories = Vec::new();
    for name in &names {
        let own = mean(points.clone().filter(|(c, _)| c == name).map(|(_, p)| p.score));
        let reference = mean(points.clone().filter(|(c, _)| c == name).map(|(_, p)| p.reference));
        let (Some(own), Some(reference)) = (own, reference) else { continue };
        match reply {
            PairReply::TwoNumbers => categories.push(((*name).to_owned(), own, 100.0 * own / reference)),
            _ if own == -1.0 => {}
            _ => categories.push(((*name).to_owned(), own, 100.0 * own / reference.max(0.01))),
        }
    }
    let sum: f64 = categories.iter().map(|(_, _, relative)| relative).sum();
    let relative = if names.is_empty() { 0.0 } else { sum / names.len() as f64 };
    HeronScore { categories, mean: mean(points.map(|(_, p)| p.score)).unwrap_or(0.0), relative }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_of_categories() {
        let points = |score, reference| Points { score, reference };
        let items = [
            ("conv", points(4.0, 8.0)),
            ("conv", points(6.0, 8.0)),
            ("detail", points(3.0, 9.0)),
            ("complex", points(9.0, 9.0)),
        ];
        let score = heron(items.iter().copied(), PairReply::Json);
        assert!((score.relative - (62.5 + 100.0 / 3.0 + 100.0) / 3.0).abs() < 1e-12);
        assert_eq!(score.mean, 5.5);
        // One category failed throughout: it counts nothing, but the sum is still divided by three.
        let items = [("conv", points(5.0, 10.0)), ("detail", points(-1.0, -1.0))];
        assert!((heron(items.iter().copied(), PairReply::TwoIntegers).relative - 50.0 / 3.0).abs() < 1e-12);
        assert_eq!(heron([].iter().copied(), PairReply::Json).relative, 0.0);
    }
}

//! How well pictures and texts fit.

use crate::{Error, Matrix, Result};

/// A scorer of pictures against texts, such as a dual encoder.
///
/// Scores are cosine similarities: the thresholds of the builders are on that scale.
pub trait Similarity: Sync {
    /// Name under which its scores stand in the tables.
    fn name(&self) -> &str;

    /// What tells this scorer from another of its name, such as a hash of its weights; by default its name.
    fn identity(&self) -> String {
        self.name().to_owned()
    }

    /// Scores of every picture (encoded files) with every text.
    ///
    /// # Errors
    /// Where the scorer fails; pictures that cannot be decoded do not come here.
    fn score(&self, images: &[&[u8]], texts: &[&str]) -> Result<Matrix>;

    /// Scores of each picture with its own text. A scorer that embeds can do better than this default, which
    /// asks for one pair at a time.
    ///
    /// # Errors
    /// As [`Similarity::score`], and where the slices differ in length.
    fn score_pairs(&self, images: &[&[u8]], texts: &[&str]) -> Result<Vec<f64>> {
        if images.len() != texts.len() {
            return Err(Error::Shape { rows: images.len(), columns: 1, len: texts.len() });
        }
        let one = |(image, text): (&&[u8], &&str)| {
            let matrix = self.score(&[image], &[text])?;
            let value = matrix.row(0).first().copied();
            value.ok_or_else(|| Error::Scorer {
                scorer: self.name().to_owned(),
                message: "gave no score".into(),
            })
        };
        images.iter().zip(texts).map(one).collect()
    }
}

/// A judge of pictures by themselves, such as a probe that finds what is not safe for work.
pub trait Judge: Sync {
    /// Name under which its scores stand in the tables.
    fn name(&self) -> &str;

    /// What tells this judge from another of its name; by default its name.
    fn identity(&self) -> String {
        self.name().to_owned()
    }

    /// For each picture (an encoded file) the probability of what it judges.
    ///
    /// # Errors
    /// Where the judge fails; pictures that cannot be decoded do not come here.
    fn judge(&self, images: &[&[u8]]) -> Result<Vec<f64>>;
}

/// Scores of several scorers as one, as the paper has it: each divided by its own median over all rows, then summed.
/// `scores[scorer][row]`; a scorer whose median is not positive counts undivided.
///
/// ```
/// let combined = tsumugi_interleave::combine(&[vec![0.1, 0.2, 0.4], vec![2.0, 4.0, 6.0]]);
/// assert_eq!(combined, [1.0, 2.0, 3.5]);
/// ```
pub fn combine(scores: &[Vec<f64>]) -> Vec<f64> {
    let rows = scores.iter().map(Vec::len).min().unwrap_or(0);
    let mut sums = vec![0.0; rows];
    for column in scores {
        let median = median(column);
        let weight = if median > 0.0 { 1.0 / median } else { 1.0 };
        for (sum, value) in sums.iter_mut().zip(column) {
            *sum += value * weight;
        }
    }
    sums
}

/// The median; of an even number the mean of the middle two; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

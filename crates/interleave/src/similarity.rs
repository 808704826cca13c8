//! Scorers of images and texts.

use crate::error::{Error, Result};
use crate::matrix::Matrix;

/// A scorer of images against texts, such as a contrastive encoder.
///
/// Scores are cosine similarities; the thresholds of the builders are on that scale.
pub trait Similarity: Sync {
    /// Name under which its scores stand in the tables.
    fn name(&self) -> &str;

    /// What distinguishes this scorer from another of the same name, such as a hash of its weights; by default its name.
    fn identity(&self) -> String {
        self.name().to_owned()
    }

    /// Scores of every image (an encoded file) with every text.
    ///
    /// # Errors
    /// [`Error::Scorer`] if the scorer fails. Images that cannot be decoded are not passed to it.
    fn score(&self, images: &[&[u8]], texts: &[&str]) -> Result<Matrix>;

    /// Scores of each image with its own text. This default scores one pair at a time; an encoder can do better by
    /// embedding each side once.
    ///
    /// # Errors
    /// Those of [`Similarity::score`], and [`Error::Shape`] if the slices differ in length.
    fn score_pairs(&self, images: &[&[u8]], texts: &[&str]) -> Result<Vec<f64>> {
        if images.len() != texts.len() {
            return Err(Error::Shape { rows: images.len(), columns: 1, len: texts.len() });
        }
        let one = |(image, text): (&&[u8], &&str)| {
            let matrix = self.score(&[image], &[text])?;
            let value = matrix.row(0).first().copied();
            value.ok_or_else(|| Error::scorer(self.name(), "returned an empty matrix"))
        };
        images.iter().zip(texts).map(one).collect()
    }
}

/// A classifier that finds images that are not safe for work.
pub trait NsfwClassifier: Sync {
    /// Name under which its scores stand in the tables.
    fn name(&self) -> &str;

    /// What distinguishes this classifier from another of the same name, such as a hash of its weights; by default its name.
    fn identity(&self) -> String {
        self.name().to_owned()
    }

    /// For each image (an encoded file) the probability, 0 to 1, that it is not safe for work.
    ///
    /// # Errors
    /// [`Error::Scorer`] if the classifier fails. Images that cannot be decoded are not passed to it.
    fn probabilities(&self, images: &[&[u8]]) -> Result<Vec<f64>>;
}

/// Combines the scores of several scorers as the paper does: each is divided by its own median over all rows, and the
/// quotients are added. `scores[scorer][row]`; the scores of a scorer whose median is not positive are not divided.
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

/// The median, which is the mean of the middle two for an even number of values and 0 without values.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

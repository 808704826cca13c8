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

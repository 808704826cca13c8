//! A linear model over characters: Swallow's language detector.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Report, Resources, Text, float};
use crate::error::Error;

/// Drops texts that a linear model over character 1- to 3-grams does not take for the wanted language.
///
/// The model is a file in the format of Swallow's detector, a JSON object of weights by n-gram; none comes with this
/// crate. The score is the sum of the weights divided by the root of the number of n-grams, those that the end of the
/// text cuts short included, as the reference counts them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinearLanguage {
    /// File name of the model.
    pub model: String,
    /// Score that a text must exceed (0: Swallow).
    #[serde(default)]
    pub threshold: f64,
    /// The weights, once loaded.
    #[serde(skip)]
    weights: Option<Arc<HashMap<String, f64>>>,
}

impl LinearLanguage {
    /// With these weights.
    #[must_use]
    pub fn new(weights: HashMap<String, f64>, threshold: f64) -> Self {
        Self { model: "weights".into(), threshold, weights: Some(Arc::new(weights)) }
    }

    /// The score of `text`; 0 of an empty one.
    #[must_use]
    pub fn score(&self, text: &str) -> f64 {
        let Some(weights) = self.weights.as_deref() else { return 0.0 };
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let letters = starts.len() - 1;
        let mut sum = 0.0;
        for n in 1..=3 {
            for at in 0..letters {
                let end = starts[(at + n).min(letters)];
                sum += weights.get(&text[starts[at]..end]).copied().unwrap_or(0.0);
            }
        }
        if letters == 0 { 0.0 } else { sum / float(3 * letters).sqrt() }
    }
}

impl Filter for LinearLanguage {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let Some(path) = resources.file(&self.model) else { return Ok(Some(self.model.clone())) };
        let text = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let weights = serde_json::from_slice(&text).map_err(|source| {
            Error::model_because("not a JSON object of weights by n-gram", source).in_file(&path)
        })?;
        self.weights = Some(Arc::new(weights));
        Ok(None)
    }

    fn files(&self) -> Vec<&str> {
        vec![&self.model]
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let score = self.score(text.as_str());
        report.note("linear_language_score", score);
        if score <= self.threshold {
            report.drop(super::rule::Reason {
                rule: format!("linear_language_score<={}", self.threshold),
                value: Some(score),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_short_ngrams_count() {
        let weights =
            [("あ", 1.0), ("いう", 2.0), ("う", 0.5)].map(|(gram, weight)| (gram.to_owned(), weight));
        let filter = LinearLanguage::new(weights.into(), 0.0);
        // あ; いう of n = 2 and, cut short, of n = 3; う of n = 1, 2 and 3.
        assert!((filter.score("あいう") - (1.0 + 4.0 + 1.5) / 3.0).abs() < 1e-12);
        assert!(filter.score("").abs() < 1e-12);
    }
}

//! A rule about the probability that a fastText classifier of the user's gives.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Report, Resources, Text};
use crate::error::Error;
use crate::tokens::Tokenizer;

/// Drops texts to which a fastText classifier (a `.bin` or `.ftz` file of `fasttext supervised`) gives a label too little
/// probability. Needs the crate's feature `fasttext`.
///
/// fastText learns from words between spaces. How Japanese text was split into words for training is known only to the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Classifier {
    /// File name of the classifier.
    pub model: String,
    /// The label, with or without `__label__`.
    pub label: String,
    /// Least probability, 0 to 1, of the label.
    pub min: f64,
    /// Whether the characters are separated by spaces, as some Japanese classifiers were trained (no: ours).
    #[serde(default)]
    pub characters: bool,
    /// Name of the statistic (`classifier_probability`); to be changed if a profile has several classifiers.
    #[serde(default = "name")]
    pub statistic: String,
    #[serde(skip)]
    loaded: Option<Loaded>,
}

fn name() -> String {
    "classifier_probability".into()
}

#[derive(Clone)]
struct Loaded(Arc<Model>);

impl std::fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Loaded")
    }
}

/// Equal configurations load equal models.
impl PartialEq for Loaded {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Classifier {
    /// The probability of the label, 0 to 1; 0 while no classifier is loaded.
    #[must_use]
    pub fn probability(&self, text: &str) -> f64 {
        let Some(Loaded(model)) = &self.loaded else { return 0.0 };
        // fastText reads a line; the rest of the text belongs to it.
        let line = if self.characters {
            Tokenizer::Characters.split(text).join(" ")
        } else {
            text.replace(['\n', '\r'], " ")
        };
        model.probability(&line, &self.label)
    }
}

impl Filter for Classifier {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let Some(path) = resources.file(&self.model) else { return Ok(Some(self.model.clone())) };
        self.loaded = Some(Loaded(Arc::new(Model::open(&path, &self.label)?)));
        Ok(None)
    }

    fn files(&self) -> Vec<&str> {
        vec![&self.model]
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        report.at_least(&self.statistic, self.probability(text.as_str()), self.min);
    }
}

#[cfg(feature = "fasttext")]
struct Model(fasttext::FastText);

#[cfg(feature = "fasttext")]
impl Model {
    /// First four bytes of a model file.
    const MAGIC: [u8; 4] = 793_712_314_u32.to_le_bytes();

    fn open(path: &Path, label: &str) -> Result<Self, Error> {
        let wrong = |detail: String| Error::model(detail).in_file(path);
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        if !bytes.starts_with(&Self::MAGIC) {
            return Err(wrong(
                "not a fastText model: train one with `fasttext supervised`, and give its .bin or .ftz"
                    .into(),
            ));
        }
        let model = fasttext::FastText::load(&mut &bytes[..]).map_err(|source| {
            Error::model_because("the fastText model cannot be read", source).in_file(path)
        })?;
        let labels = model.get_labels().0;
        if !labels.iter().any(|have| is_label(have, label)) {
            return Err(wrong(format!("the classifier has no label {label}; it has {}", labels.join(", "))));
        }
        Ok(Self(model))
    }

    fn probability(&self, line: &str, label: &str) -> f64 {
        // The reference reads a line with its end, a word that is part of the n-grams of words too; the crate's own
        // `predict` adds it after those.
        let (mut words, mut labels) = (Vec::new(), Vec::new());
        self.0.dict().get_line_from_str(&format!("{line} </s>"), &mut words, &mut labels);
        let all = self.0.predict_on_words(&words, usize::MAX, 0.0);
        let found = all.iter().find(|prediction| is_label(&prediction.label, label));
        found.map_or(0.0, |prediction| f64::from(prediction.prob))
    }
}

#[cfg(feature = "fasttext")]
fn is_label(have: &str, label: &str) -> bool {
    have == label || have.strip_prefix("__label__").is_some_and(|bare| bare == label)
}

#[cfg(not(feature = "fasttext"))]
struct Model;

#[cfg(not(feature = "fasttext"))]
impl Model {
    fn open(path: &Path, _: &str) -> Result<Self, Error> {
        let detail = "tsumugi-text was built without its feature `fasttext`, which reads classifiers";
        Err(Error::model(detail.into()).in_file(path))
    }

    fn probability(&self, _: &str, _: &str) -> f64 {
        0.0
    }
}

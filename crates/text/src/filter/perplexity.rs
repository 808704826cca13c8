//! A rule about the perplexity of a text under a language model of the user's.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Resources, Text};
use crate::error::Error;
use crate::kenlm::{LanguageModel, Score};
use crate::normalize::normalize_ccnet;
use crate::tokens::Tokenizer;

/// The words of a language model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Tokens {
    /// Each character but white space.
    Characters,
    /// What ASCII white space separates.
    #[default]
    Words,
    /// The pieces of a tokenizer file (`tokenizer.json` of Hugging Face's tokenizers, to which a SentencePiece model is
    /// converted once). Needs the crate's feature `tokenizers`.
    Tokenizer(String),
}

/// CCNet's parts of a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Bucket {
    /// Below the first cut: most like what the model was trained on.
    Head,
    /// Between the cuts.
    Middle,
    /// The rest.
    Tail,
}

impl Bucket {
    const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Middle => "middle",
            Self::Tail => "tail",
        }
    }
}

/// Perplexity of a text under a KenLM or ARPA model, cut into head, middle and tail as CCNet does (Wenzek et al. 2019).
///
/// CCNet joins a document to one line, normalises it ([`normalize_ccnet`]), cuts it by SentencePiece and takes
/// perplexities below the 30th percentile of its language as head and below the 60th as middle: that is
/// `normalize = true`, `lines = false`, `tokens = { tokenizer = "ja.json" }`, and the two cuts, which [`cutoffs`]
/// computes from a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Perplexity {
    /// File name of the model.
    pub model: String,
    /// The words of the model (`words`: as KenLM reads texts).
    #[serde(default)]
    pub tokens: Tokens,
    /// Whether the text is normalised as CCNet does (yes: CCNet).
    #[serde(default = "yes")]
    pub normalize: bool,
    /// Whether each line is scored as a sentence, and not the whole text as one (yes: ours; CCNet joins the lines).
    #[serde(default = "yes")]
    pub lines: bool,
    /// Perplexity below which a text belongs to the head ([`cutoffs`] computes it from a sample).
    pub head: f64,
    /// Perplexity from which a text belongs to the tail ([`cutoffs`] computes it from a sample).
    pub tail: f64,
    /// The parts that are kept (head and middle: ours).
    #[serde(default = "head_and_middle")]
    pub keep: Vec<Bucket>,
    #[serde(skip)]
    loaded: Option<Loaded>,
}

const fn yes() -> bool {
    true
}

fn head_and_middle() -> Vec<Bucket> {
    vec![Bucket::Head, Bucket::Middle]
}

#[derive(Clone, Debug)]
struct Loaded {
    model: Arc<LanguageModel>,
    tokenizer: Arc<Tokenizer>,
}

/// Equal configurations load equal models.
impl PartialEq for Loaded {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Perplexity {
    /// The perplexity of `text`; none while no model is loaded, or of a text without tokens.
    #[must_use]
    pub fn perplexity(&self, text: &str) -> Option<f64> {
        let loaded = self.loaded.as_ref()?;
        let mut total = Score::default();
        let mut score = |sentence: &str| {
            let normalized = self.normalize.then(|| normalize_ccnet(sentence));
            let pieces = loaded.tokenizer.split(normalized.as_deref().unwrap_or(sentence));
            if !pieces.is_empty() {
                total += loaded.model.score(pieces.iter().map(AsRef::as_ref));
            }
        };
        if self.lines {
            text.split('\n').for_each(&mut score);
        } else {
            score(text);
        }
        (total.tokens > 0).then(|| total.perplexity())
    }

    /// The part that a text of this perplexity belongs to.
    #[must_use]
    pub fn bucket(&self, perplexity: f64) -> Bucket {
        if perplexity < self.head {
            Bucket::Head
        } else if perplexity < self.tail {
            Bucket::Middle
        } else {
            Bucket::Tail
        }
    }
}

impl Filter for Perplexity {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let Some(path) = resources.file(&self.model) else { return Ok(Some(self.model.clone())) };
        let tokenizer = match &self.tokens {
            Tokens::Characters => Tokenizer::Characters,
            Tokens::Words => Tokenizer::Words,
            Tokens::Tokenizer(name) => match resources.file(name) {
                Some(path) => Tokenizer::open(&path)?,
                None => return Ok(Some(name.clone())),
            },
        };
        let model = Arc::new(LanguageModel::open(&path)?);
        self.loaded = Some(Loaded { model, tokenizer: Arc::new(tokenizer) });
        Ok(None)
    }

    fn files(&self) -> Vec<&str> {
        match &self.tokens {
            Tokens::Tokenizer(name) => vec![&self.model, name],
            Tokens::Characters | Tokens::Words => vec![&self.model],
        }
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let Some(perplexity) = self.perplexity(text.as_str()) else {
            report.drop(Reason::new("no_token"));
            return;
        };
        report.note("perplexity", perplexity);
        let bucket = self.bucket(perplexity);
        if !self.keep.contains(&bucket) {
            let rule = format!("perplexity_bucket={}", bucket.name());
            report.drop(Reason { rule, value: Some(perplexity) });
        }
    }
}

/// The cuts at the 30th and the 60th percentile (CCNet's) of the perplexities of a sample; none of an empty sample.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a sample"
)]
pub fn cutoffs(sample: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    // Between two values of the sample, in proportion, as NumPy does.
    let at = |share: f64| {
        let place = share * last as f64;
        let low = (place as usize).min(last);
        let high = (low + 1).min(last);
        sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
    };
    Some((at(0.3), at(0.6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_at_percentiles() {
        let sample: Vec<f64> = (0..=10).rev().map(f64::from).collect();
        assert_eq!(cutoffs(&sample), Some((3.0, 6.0)));
        assert_eq!(cutoffs(&[1.0, 2.0]), Some((1.3, 1.6)));
        assert_eq!(cutoffs(&[]), None);
    }
}

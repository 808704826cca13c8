//! Repetition inside a text: paragraphs, sentences and character n-grams (the rules of Gopher as Swallow codes them).

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Text, share};
use crate::ngram::NgramTable;
use crate::paragraphs::{Part, repeated};

/// Bounds the shares of paragraphs and sentences, and of their letters, that repeat an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DuplicateParts {
    /// Greatest share, 0 to 1, of paragraphs (0.3: Gopher and Swallow v1).
    pub max_paragraphs: f64,
    /// Greatest share, 0 to 1, of sentences (0.3: Swallow v1).
    pub max_sentences: f64,
    /// Greatest share, 0 to 1, of code points in repeated paragraphs (0.2: Gopher and Swallow v1).
    pub max_paragraph_letters: f64,
    /// Greatest share, 0 to 1, of code points in repeated sentences (0.2: Swallow v1).
    pub max_sentence_letters: f64,
}

impl Default for DuplicateParts {
    fn default() -> Self {
        Self {
            max_paragraphs: 0.3,
            max_sentences: 0.3,
            max_paragraph_letters: 0.2,
            max_sentence_letters: 0.2,
        }
    }
}

impl Filter for DuplicateParts {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let parts = text.paragraphs();
        let letters = |parts: &[Part<'_>]| parts.iter().map(|part| part.letters).sum::<usize>();
        let (paragraphs, paragraph_letters) = repeated(&parts.paragraphs);
        let (sentences, sentence_letters) = repeated(&parts.sentences);
        let paragraph = share(paragraphs, parts.paragraphs.len());
        let sentence = share(sentences, parts.sentences.len());
        report.at_most("duplicate_paragraph_fraction", paragraph, self.max_paragraphs);
        report.at_most("duplicate_sentence_fraction", sentence, self.max_sentences);
        report.at_most(
            "duplicate_paragraph_fraction_in_character",
            share(paragraph_letters, letters(&parts.paragraphs)),
            self.max_paragraph_letters,
        );
        report.at_most(
            "duplicate_sentence_fraction_in_character",
            share(sentence_letters, letters(&parts.sentences)),
            self.max_sentence_letters,
        );
    }
}

/// Share of the most frequent character n-gram in all n-grams, for n of 2, 3 and 4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TopNgrams {
    /// Greatest shares, 0 to 1, for n = 2, 3 and 4 (0.2, 0.18, 0.16: Gopher and Swallow v1).
    pub max: [f64; 3],
}

impl Default for TopNgrams {
    fn default() -> Self {
        Self { max: [0.20, 0.18, 0.16] }
    }
}

impl Filter for TopNgrams {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        if text.letters() < 4 {
            // Swallow's code raises an error here.
            report.drop(Reason::new("too_short_for_ngrams"));
            return;
        }
        top(&NgramTable::new(text.as_str(), 4), self.max, report);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 letters")]
fn top(table: &NgramTable, bounds: [f64; 3], report: &mut Report) {
    for (n, bound) in (2..).zip(bounds) {
        let counts = table.counts(n);
        let value = if counts.total == 0 { 0.0 } else { counts.top as f64 / counts.total as f64 };
        report.at_most(&format!("top_{n}gram_character_fraction"), value, bound);
    }
}

/// Share of different character n-grams that stand more than once in all *different* n-grams, for n of 5 to 10 —
/// Swallow's code; its documentation and Gopher speak of all n-grams. With `top` the shares of [`TopNgrams`] come
/// from the same sort.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DuplicateNgrams {
    /// Greatest shares, 0 to 1, for n = 5 to 10 (0.15, 0.14, 0.13, 0.12, 0.11, 0.1: Gopher and Swallow v1).
    pub max: [f64; 6],
    /// Bounds of [`TopNgrams`] that are checked with the same table (none).
    pub top: Option<[f64; 3]>,
}

impl Default for DuplicateNgrams {
    fn default() -> Self {
        Self { max: [0.15, 0.14, 0.13, 0.12, 0.11, 0.10], top: None }
    }
}

impl Filter for DuplicateNgrams {
    #[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 letters")]
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        if self.top.is_some() && text.letters() < 4 {
            report.drop(Reason::new("too_short_for_ngrams"));
            return;
        }
        let table = NgramTable::new(text.as_str(), 10);
        if let Some(bounds) = self.top {
            top(&table, bounds, report);
        }
        for (n, bound) in (5..).zip(self.max) {
            let counts = table.counts(n);
            let value =
                if counts.distinct == 0 { 0.0 } else { counts.repeated as f64 / counts.distinct as f64 };
            report.at_most(&format!("duplicate_{n}gram_character_fraction"), value, bound);
        }
    }
}

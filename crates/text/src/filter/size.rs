//! Length of the text and of its sentences.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Text, float, share};
use crate::language::MIDDLE_DOT;
use crate::normalize::is_python_space;

/// Drops texts that are empty or only white space (llm-jp-corpus).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotEmpty {}

impl Filter for NotEmpty {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        if text.as_str().trim_matches(is_python_space).is_empty() {
            report.drop(Reason::new("empty"));
        }
    }
}

/// Bounds the number of letters (code points).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Length {
    /// Least number of code points (none; Swallow v1: 400, CCNet: 300, HojiChar's documentation: 200).
    pub min: Option<usize>,
    /// Greatest number of code points (none; HojiChar's documentation: 50,000).
    pub max: Option<usize>,
}

impl Filter for Length {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let letters = float(text.letters());
        report.note("num_letters", letters);
        if let Some(min) = self.min {
            report.at_least("num_letters", letters, float(min));
        }
        if let Some(max) = self.max {
            report.at_most("num_letters", letters, float(max));
        }
    }
}

/// Bounds the length of sentences in code points, and their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentenceLength {
    /// Least mean length of a sentence (none; Swallow v1: 20).
    pub min_mean: Option<f64>,
    /// Greatest mean length of a sentence (none; Swallow v1: 90).
    pub max_mean: Option<f64>,
    /// Greatest length of a sentence (none; Swallow v1: 200).
    pub max: Option<f64>,
    /// Least number of sentences (none; C4: 5).
    pub min_sentences: Option<usize>,
}

impl Filter for SentenceLength {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let sentences = &text.paragraphs().sentences;
        let Some(longest) = sentences.iter().map(|s| s.letters).max() else {
            // Swallow's code raises an error here.
            report.drop(Reason::new("no_sentence"));
            return;
        };
        let mean = share(sentences.iter().map(|s| s.letters).sum(), sentences.len());
        report.note("avg_sentence_length", mean);
        report.note("max_sentence_length", float(longest));
        if let Some(bound) = self.min_mean {
            report.at_least("avg_sentence_length", mean, bound);
        }
        if let Some(bound) = self.max_mean {
            report.at_most("avg_sentence_length", mean, bound);
        }
        if let Some(bound) = self.max {
            report.at_most("max_sentence_length", float(longest), bound);
        }
        if let Some(bound) = self.min_sentences {
            report.at_least("num_sentences", float(sentences.len()), float(bound));
        }
    }
}

/// Bounds the share of sentences that end with an ellipsis. Swallow's code finds an ellipsis only at the end of a line or right
/// before a full stop, since its sentences end nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentencesWithEllipsis {
    /// Greatest share, 0 to 1 (0.2: Swallow v1).
    pub max: f64,
}

impl Default for SentencesWithEllipsis {
    fn default() -> Self {
        Self { max: 0.2 }
    }
}

impl Filter for SentencesWithEllipsis {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let sentences = &text.paragraphs().sentences;
        let count = sentences
            .iter()
            .filter(|s| s.text.trim_matches(is_python_space).ends_with([MIDDLE_DOT, '…']))
            .count();
        report.note("num_sentences_ending_with_ellipsis", float(count));
        report.at_most("ellipsis_fraction", share(count, sentences.len()), self.max);
    }
}

/// Drops texts with fewer than one ideographic full stop in `max_mean` code points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RareKuten {
    /// Code points to each full stop (100: HojiChar; llm-jp-corpus: 250, strict 80).
    pub max_mean: f64,
}

impl Default for RareKuten {
    fn default() -> Self {
        Self { max_mean: 100.0 }
    }
}

impl Filter for RareKuten {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let kuten = float(text.as_str().matches('。').count());
        report.note("num_kuten_in_text", kuten);
        if kuten < float(text.letters()) / self.max_mean {
            report.drop(Reason { rule: format!("kuten<letters/{}", self.max_mean), value: Some(kuten) });
        }
    }
}

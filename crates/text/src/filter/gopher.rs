//! The quality rules of Gopher (Rae et al. 2021, A.1), for languages with and without spaces.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Report, Text, float, share};
use crate::language::MIDDLE_DOT;

/// What counts as a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Unit {
    /// What white space separates.
    #[default]
    Words,
    /// Each letter, for languages that write without spaces; rules about words as such are left out.
    Letters,
}

/// Bounds the number and shape of words, and the shares of symbols, bullet points and unfinished lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GopherQuality {
    /// What counts as a word (`words`: Gopher).
    pub unit: Unit,
    /// Least number of words (50: Gopher).
    pub min_words: usize,
    /// Greatest number of words (100,000: Gopher).
    pub max_words: usize,
    /// Least mean length of a word in code points; for `words` only (3: Gopher).
    pub min_mean_word: f64,
    /// Greatest mean length of a word in code points; for `words` only (10: Gopher).
    pub max_mean_word: f64,
    /// Greatest number of `#` and ellipses for each word (0.1: Gopher).
    pub max_symbols: f64,
    /// Greatest share, 0 to 1, of lines that begin with a bullet (0.9: Gopher).
    pub max_bullets: f64,
    /// Greatest share, 0 to 1, of lines that end with an ellipsis (0.3: Gopher).
    pub max_ellipses: f64,
    /// Least share, 0 to 1, of words with a letter in them (0.8: Gopher).
    pub min_alphabetic: f64,
    /// Words of which `min_stop_words` must occur (none: they depend on the language).
    pub stop_words: Vec<String>,
    /// Number of different stop words that must occur (2: Gopher).
    pub min_stop_words: usize,
}

impl Default for GopherQuality {
    fn default() -> Self {
        Self {
            unit: Unit::Words,
            min_words: 50,
            max_words: 100_000,
            min_mean_word: 3.0,
            max_mean_word: 10.0,
            max_symbols: 0.1,
            max_bullets: 0.9,
            max_ellipses: 0.3,
            min_alphabetic: 0.8,
            stop_words: Vec::new(),
            min_stop_words: 2,
        }
    }
}

impl GopherQuality {
    fn words(&self, text: &str, report: &mut Report) -> usize {
        let (mut words, mut letters, mut alphabetic) = (0, 0, 0);
        match self.unit {
            Unit::Words => {
                for word in text.split_whitespace() {
                    words += 1;
                    letters += word.chars().count();
                    alphabetic += usize::from(word.chars().any(char::is_alphabetic));
                }
                let mean = share(letters, words);
                report.at_least("mean_word_length", mean, self.min_mean_word);
                report.at_most("mean_word_length", mean, self.max_mean_word);
            }
            Unit::Letters => {
                for c in text.chars().filter(|c| !c.is_whitespace()) {
                    words += 1;
                    alphabetic += usize::from(c.is_alphabetic());
                }
            }
        }
        report.at_least("alphabetic_word_fraction", share(alphabetic, words), self.min_alphabetic);
        words
    }
}

impl Filter for GopherQuality {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let text = text.as_str();
        let words = self.words(text, report);
        report.at_least("num_words", float(words), float(self.min_words));
        report.at_most("num_words", float(words), float(self.max_words));
        let symbols = text.matches('#').count() + text.matches("...").count() + text.matches('…').count();
        report.at_most("symbol_word_ratio", share(symbols, words), self.max_symbols);
        let (mut lines, mut bullets, mut ellipses) = (0, 0, 0);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            lines += 1;
            bullets += usize::from(line.starts_with(['•', '‣', '●', MIDDLE_DOT, '-', '*', '◆', '■']));
            ellipses += usize::from(line.ends_with("...") || line.ends_with('…'));
        }
        report.at_most("bullet_line_fraction", share(bullets, lines), self.max_bullets);
        report.at_most("ellipsis_ended_line_fraction", share(ellipses, lines), self.max_ellipses);
        if !self.stop_words.is_empty() {
            let found = self.stop_words.iter().filter(|word| self.has_word(text, word)).count();
            report.at_least("num_stop_words", float(found), float(self.min_stop_words));
        }
    }
}

impl GopherQuality {
    fn has_word(&self, text: &str, word: &str) -> bool {
        match self.unit {
            Unit::Words => text.split_whitespace().any(|have| have.eq_ignore_ascii_case(word)),
            Unit::Letters => text.contains(word),
        }
    }
}

//! ROUGE-L of Japanese texts, as PyPI `rouge_score` 0.1.2 computes it over MeCab's words.
//!
//! ```no_run
//! use tsumugi_text::mecab::Dictionary;
//! use tsumugi_text::normalize::Normalizer;
//! use tsumugi_eval::rouge::RougeL;
//!
//! let dictionary = Dictionary::find(None)?;
//! let mut scorer = RougeL::new(&dictionary, Normalizer::Nfkc);
//! assert_eq!(scorer.score("猫がいます。", "猫がいます。"), 100.0);
//! # Ok::<(), tsumugi_eval::Error>(())
//! ```

mod gate;
mod lcs;

use rayon::prelude::*;

pub use gate::{LanguageDetector, gated};
pub use lcs::lcs_length;

use tsumugi_text::mecab::{Dictionary, Tokenizer};
use tsumugi_text::normalize::Normalizer;

/// Scores pairs of texts. One for each thread; [`score_all`] does that.
#[derive(Debug)]
pub struct RougeL<'d> {
    tokenizer: Tokenizer<'d>,
    normalizer: Normalizer,
}

impl<'d> RougeL<'d> {
    /// A scorer over this dictionary.
    #[must_use]
    pub fn new(dictionary: &'d Dictionary, normalizer: Normalizer) -> Self {
        Self { tokenizer: Tokenizer::new(dictionary), normalizer }
    }

    /// The words of a text as this scorer compares them.
    #[must_use]
    pub fn tokens(&mut self, text: &str) -> Vec<String> {
        let text = self.normalizer.apply(text);
        words(&mut self.tokenizer, &text).into_iter().map(str::to_owned).collect()
    }

    /// F1 of the longest common subsequence, 0 to 100.
    #[must_use]
    pub fn score(&mut self, prediction: &str, reference: &str) -> f64 {
        let prediction = self.normalizer.apply(prediction);
        let prediction = words(&mut self.tokenizer, &prediction);
        let reference = self.normalizer.apply(reference);
        let reference = words(&mut self.tokenizer, &reference);
        100.0 * f1(&prediction, &reference)
    }
}

/// The words of a normalised text. The references join MeCab's words by spaces and split them again, so white space
/// inside a word cuts it.
fn words<'t>(tokenizer: &mut Tokenizer<'_>, text: &'t str) -> Vec<&'t str> {
    let tokens = tokenizer.tokens(text);
    if !text.contains(|c| c != ' ' && tsumugi_text::normalize::is_python_space(c)) && !text.contains(' ') {
        return tokens;
    }
    tokens
        .into_iter()
        .flat_map(|token| token.split(tsumugi_text::normalize::is_python_space))
        .filter(|token| !token.is_empty())
        .collect()
}

/// F1 of the longest common subsequence of two token lists, 0 to 1: 0 where either is empty.
#[must_use]
pub fn f1<T: AsRef<str>>(prediction: &[T], reference: &[T]) -> f64 {
    if prediction.is_empty() || reference.is_empty() {
        return 0.0;
    }
    let common = lcs_length(prediction, reference) as f64;
    let precision = common / prediction.len() as f64;
    let recall = common / reference.len() as f64;
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// Scores of (prediction, reference) pairs in their order, on all threads.
#[must_use]
pub fn score_all<P: AsRef<str> + Sync, R: AsRef<str> + Sync>(
    dictionary: &Dictionary,
    normalizer: Normalizer,
    pairs: &[(P, R)],
) -> Vec<f64> {
    pairs
        .par_iter()
        .map_init(
            || RougeL::new(dictionary, normalizer),
            |scorer, (p, r)| scorer.score(p.as_ref(), r.as_ref()),
        )
        .collect()
}

#[cfg(test)]
mod tests {

    #[test]
    fn f1_of_tokens() {
        let f1 = |a: &str, b: &str| {
            let (a, b): (Vec<_>, Vec<_>) = (a.split_whitespace().collect(), b.split_whitespace().collect());
            super::f1(&a, &b)
        };
        assert_eq!(f1("", "a"), 0.0);
        assert_eq!(f1("", ""), 0.0);
        assert_eq!(f1("a b c", "a b c"), 1.0);
        assert_eq!(f1("x y", "a b c"), 0.0);
        assert_eq!(f1("a x b", "a b"), 2.0 * (2.0 / 3.0) / (2.0 / 3.0 + 1.0));
    }
}

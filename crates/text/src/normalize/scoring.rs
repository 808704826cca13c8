//! The normalisations that evaluation tools apply to a text before they split it into words.

use serde::{Deserialize, Serialize};

use super::{is_removed, neologdn, nfkc, squeeze};

/// Selects how widths and variants of characters are folded before a text is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalizer {
    /// Unicode NFKC (`paper`, `eval-mm`).
    #[default]
    Nfkc,
    /// neologdn 0.5.6 with its default arguments (`sakana`).
    Neologdn,
}

impl Normalizer {
    /// Normalises `text` for the tokenizer: drops emoji, folds widths and variants, and squeezes each run of Python's
    /// white space into one space.
    ///
    /// ```
    /// use tsumugi_text::normalize::Normalizer;
    ///
    /// assert_eq!(Normalizer::Nfkc.apply("ｱﾙﾌｧ　１２３ 😀です"), "アルファ 123 です");
    /// assert_eq!(Normalizer::Neologdn.apply("スーパーーーー　日本〜"), "スーパー日本");
    /// ```
    #[must_use]
    pub fn apply(self, text: &str) -> String {
        let text: String = text.chars().filter(|c| !is_removed(*c)).collect();
        let text = match self {
            Self::Nfkc => nfkc(&text),
            Self::Neologdn => neologdn(&text),
        };
        squeeze(&text)
    }
}

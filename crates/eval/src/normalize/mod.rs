//! What the references do to a text before they split it into words.
//!
//! In order: drop pictographs, fold widths and variants ([`Normalizer`]), make each run of Python's white space one
//! space.

mod emoji;
mod emoji_table;
mod neologdn;
mod nfkc;
mod space;

use serde::{Deserialize, Serialize};

pub use emoji::{is_emoji, is_removed};
pub use neologdn::neologdn;
pub use nfkc::nfkc;

pub use space::{is_python_space, squeeze};

/// How widths and variants of characters are folded.
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
    /// The text as the tokenizer gets it.
    ///
    /// ```
    /// use tsumugi_eval::normalize::Normalizer;
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

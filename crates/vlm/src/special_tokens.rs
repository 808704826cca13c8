//! The special tokens of a tokenizer, as chat templates see them.

use std::collections::BTreeMap;

/// The special tokens of a tokenizer: those with a name, which are variables in chat templates, and all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// By name: `bos_token`, `eos_token`, `image_token`, ... A name that is not set is undefined in templates.
    pub named: BTreeMap<String, String>,
    /// The list `additional_special_tokens` of templates.
    pub additional: Vec<String>,
    /// The text of the token that stands for an image.
    pub image: String,
    /// Every special token of the vocabulary.
    pub all: Vec<String>,
}

impl SpecialTokens {
    /// The token that starts a text, if the tokenizer has one.
    #[must_use]
    pub fn bos(&self) -> Option<&str> {
        self.named.get("bos_token").map(String::as_str)
    }

    /// The first special token of a text that occurs in it, if any.
    #[must_use]
    pub fn found_in(&self, text: &str) -> Option<&str> {
        self.all.iter().map(String::as_str).find(|token| text.contains(token))
    }

    /// The longest special token that a text begins with.
    pub(crate) fn at_start_of(&self, text: &str) -> Option<&str> {
        let starts = self.all.iter().map(String::as_str).filter(|token| text.starts_with(token));
        starts.max_by_key(|token| token.len())
    }
}

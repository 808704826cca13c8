//! Words as language models and classifiers count them.

use std::borrow::Cow;
use std::path::Path;

use crate::error::Error;

/// Cuts a text into tokens.
pub(crate) enum Tokenizer {
    /// Each character but white space.
    Characters,
    /// What stands between ASCII white space.
    Words,
    /// Pieces of a tokenizer file.
    #[cfg(feature = "tokenizers")]
    File(Box<tokenizers::Tokenizer>),
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Characters => "Characters",
            Self::Words => "Words",
            #[cfg(feature = "tokenizers")]
            Self::File(_) => "File",
        })
    }
}

impl Tokenizer {
    /// The tokenizer of a `tokenizer.json`.
    #[cfg(feature = "tokenizers")]
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let tokenizer = tokenizers::Tokenizer::from_file(path)
            .map_err(|source| Error::model_because("not a tokenizer file", source).in_file(path))?;
        Ok(Self::File(Box::new(tokenizer)))
    }

    /// The tokenizer of a `tokenizer.json`.
    #[cfg(not(feature = "tokenizers"))]
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let detail = "tsumugi-text was built without its feature `tokenizers`, which reads tokenizer files";
        Err(Error::model(detail.into()).in_file(path))
    }

    /// The tokens of `text`; none of a text that the tokenizer cannot cut.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Vec<Cow<'a, str>> {
        match self {
            Self::Characters => text
                .char_indices()
                .filter(|(_, c)| !c.is_whitespace())
                .map(|(at, c)| Cow::Borrowed(&text[at..at + c.len_utf8()]))
                .collect(),
            Self::Words => text.split_ascii_whitespace().map(Cow::Borrowed).collect(),
            #[cfg(feature = "tokenizers")]
            Self::File(tokenizer) => {
                let encoded = tokenizer.encode_fast(text, false);
                encoded.map_or_else(
                    |_| Vec::new(),
                    |encoding| encoding.get_tokens().iter().map(|token| Cow::Owned(token.clone())).collect(),
                )
            }
        }
    }
}

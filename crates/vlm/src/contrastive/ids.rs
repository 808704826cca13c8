//! Texts to rows of ids, padded to equal length.

use std::path::Path;

use serde_json::Value;
use tch::Tensor;
use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use crate::error::{Error, Result};
use crate::storage::read_json;

/// What is done to a text before it is tokenised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleaning {
    /// Runs of white space become single spaces, and the ends are trimmed (OpenCLIP; it also repairs broken encodings,
    /// which this project does earlier).
    Whitespace,
    /// Lower case, as in SigLIP's training.
    Lowercase,
}

/// A tokenizer that gives rows of equal length.
pub(super) struct Ids {
    tokenizer: tokenizers::Tokenizer,
    cleaning: Cleaning,
    length: usize,
    pad: i64,
    full: bool,
}

impl Ids {
    /// Opens the `tokenizer.json` of a folder. Texts are truncated to `length` ids, special tokens included. Rows are padded
    /// with the token that `tokenizer_config.json` names, else with `usual_pad`.
    pub(super) fn open(folder: &Path, length: usize, usual_pad: &str, cleaning: Cleaning) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(&bytes).map_err(Error::Tokenize)?;
        tokenizer
            .with_truncation(Some(TruncationParams {
                max_length: length,
                direction: TruncationDirection::Right,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
            }))
            .map_err(Error::Tokenize)?;
        tokenizer.with_padding(None);
        let path = folder.join("tokenizer_config.json");
        let config = if path.is_file() { read_json(&path)? } else { Value::Null };
        let named = config.get("pad_token");
        let named = named.and_then(|token| token.as_str().or_else(|| token.get("content")?.as_str()));
        let pad = [named, Some(usual_pad), Some("<pad>")]
            .into_iter()
            .flatten()
            .find_map(|token| tokenizer.token_to_id(token))
            .ok_or_else(|| Error::Tokenizer {
                reason: format!("has no padding token, such as {usual_pad}"),
            })?;
        Ok(Self { tokenizer, cleaning, length, pad: pad.into(), full: false })
    }

    /// The same, with every row padded to the full length.
    pub(super) fn full(self) -> Self {
        Self { full: true, ..self }
    }

    /// Id of the padding token.
    pub(super) fn pad(&self) -> i64 {
        self.pad
    }

    /// Ids `[n,t]` of texts, on the CPU.
    pub(super) fn rows<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let mut rows = Vec::with_capacity(texts.len());
        for text in texts {
            let text = self.clean(text.as_ref());
            let encoding = self.tokenizer.encode_fast(text, true).map_err(Error::Tokenize)?;
            rows.push(encoding.get_ids().iter().map(|&id| i64::from(id)).collect::<Vec<_>>());
        }
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let length = if self.full { self.length } else { longest };
        rows.iter_mut().for_each(|row| row.resize(length, self.pad));
        Ok(Tensor::f_from_slice(&rows.concat())?.f_view([texts.len() as i64, length as i64])?)
    }

    fn clean(&self, text: &str) -> String {
        match self.cleaning {
            Cleaning::Whitespace => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Cleaning::Lowercase => text.to_lowercase(),
        }
    }
}

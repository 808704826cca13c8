//! Texts to rows of ids.

use std::path::Path;

use serde_json::Value;
use tch::Tensor;
use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use crate::checkpoint::read_json;
use crate::error::{Error, Result};

/// What is done to a text before it is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleaning {
    /// White space becomes single spaces, none at the ends (OpenCLIP; it also repairs broken encodings, which this
    /// project's texts have behind them).
    Whitespace,
    /// Lower case (what SigLIP was trained on).
    Lowercase,
}

/// A tokenizer that gives rows of one length.
pub(super) struct Ids {
    tokenizer: tokenizers::Tokenizer,
    cleaning: Cleaning,
    length: usize,
    pad: i64,
    fill_up: bool,
}

fn refuse(error: impl std::fmt::Display) -> Error {
    Error::Tokenizer { reason: error.to_string() }
}

impl Ids {
    /// Opens the `tokenizer.json` of a folder. Texts are cut to `length` ids, those around them included. Rows are filled
    /// with the token that `tokenizer_config.json` names for it, else with `usual_pad`.
    pub(super) fn open(folder: &Path, length: usize, usual_pad: &str, cleaning: Cleaning) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(&bytes).map_err(refuse)?;
        tokenizer
            .with_truncation(Some(TruncationParams {
                max_length: length,
                direction: TruncationDirection::Right,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
            }))
            .map_err(refuse)?;
        tokenizer.with_padding(None);
        let path = folder.join("tokenizer_config.json");
        let config = if path.is_file() { read_json(&path)? } else { Value::Null };
        let named = config.get("pad_token");
        let named = named.and_then(|token| token.as_str().or_else(|| token.get("content")?.as_str()));
        let pad = [named, Some(usual_pad), Some("<pad>")]
            .into_iter()
            .flatten()
            .find_map(|token| tokenizer.token_to_id(token))
            .ok_or_else(|| refuse(format!("no token to fill rows with, such as {usual_pad}")))?;
        Ok(Self { tokenizer, cleaning, length, pad: pad.into(), fill_up: false })
    }

    /// The same, with every row filled up to the full length.
    pub(super) fn filled_up(self) -> Self {
        Self { fill_up: true, ..self }
    }

    /// The id that rows are filled with.
    pub(super) fn pad(&self) -> i64 {
        self.pad
    }

    /// Texts to ids `[n,t]`, on the CPU.
    pub(super) fn rows<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let mut rows = Vec::with_capacity(texts.len());
        for text in texts {
            let text = self.clean(text.as_ref());
            let encoding = self.tokenizer.encode_fast(text, true).map_err(refuse)?;
            rows.push(encoding.get_ids().iter().map(|&id| i64::from(id)).collect::<Vec<_>>());
        }
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let length = if self.fill_up { self.length } else { longest };
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

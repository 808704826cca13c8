//! `generation_config.json`: how the makers of a checkpoint want it to generate.

use std::path::Path;

use serde_json::{Map, Value};

use super::options::GenerateOptions;
use crate::error::Result;
use crate::storage::read_json;

/// Keys that say something other than how to generate, or that are read elsewhere.
const OTHER: [&str; 14] = [
    "_from_model_config",
    "transformers_version",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "do_sample",
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "max_new_tokens",
    "num_beams",
    "length_penalty",
    "use_cache",
];

/// Candidates that transformers samples from where no file says otherwise.
const TOP_K: usize = 50;

/// The contents of a `generation_config.json`. Keys that are not read are kept, so that an exported model has them too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GenerationConfig(Map<String, Value>);

impl GenerationConfig {
    /// The file of a checkpoint's folder, or of its subfolder `llm`; empty if there is none.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::Json`](crate::Error::Json) naming the file.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let places = [folder.to_owned(), folder.join("llm")].map(|home| home.join("generation_config.json"));
        match places.iter().find(|path| path.is_file()) {
            Some(path) => Ok(Self(read_json(path)?.as_object().cloned().unwrap_or_default())),
            None => Ok(Self::default()),
        }
    }

    /// All keys of the file.
    #[must_use]
    pub fn keys(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Ids that end an answer; none if the file names none.
    #[must_use]
    pub fn eos_token_ids(&self) -> Option<Vec<i64>> {
        let ids = match self.0.get("eos_token_id")? {
            Value::Array(ids) => ids.iter().filter_map(Value::as_i64).collect(),
            id => vec![id.as_i64()?],
        };
        Some(ids)
    }

    /// The options that transformers takes from the file: sampling only with `do_sample`, and then from the 50 most likely
    /// tokens unless `top_k` says otherwise. What the file does not set is greedy decoding of up to
    /// [`GenerateOptions::max_new_tokens`] tokens. `max_length`, which counts the prompt too, is not read.
    #[must_use]
    pub fn options(&self) -> GenerateOptions {
        let default = GenerateOptions::default();
        let float = |key: &str| self.0.get(key).and_then(Value::as_f64);
        let whole = |key: &str| self.0.get(key).and_then(Value::as_u64).map(|n| n as usize);
        let samples = self.0.get("do_sample").and_then(Value::as_bool).unwrap_or(false);
        let sampling = |value: Option<f64>, usual: f64| value.filter(|_| samples).unwrap_or(usual);
        GenerateOptions {
            max_new_tokens: whole("max_new_tokens").unwrap_or(default.max_new_tokens),
            temperature: if samples { float("temperature").unwrap_or(1.0) } else { 0.0 },
            top_p: sampling(float("top_p"), default.top_p),
            top_k: if samples { whole("top_k").unwrap_or(TOP_K) } else { default.top_k },
            num_beams: whole("num_beams").unwrap_or(default.num_beams),
            repetition_penalty: float("repetition_penalty").unwrap_or(default.repetition_penalty),
            length_penalty: float("length_penalty").unwrap_or(default.length_penalty),
            ..default
        }
    }

    /// Keys with a value that would change answers in transformers but has no effect here.
    #[must_use]
    pub fn without_effect(&self) -> Vec<&str> {
        let idle = |value: &Value| {
            matches!(value, Value::Null | Value::Bool(false)) || value.as_f64().is_some_and(|n| n == 0.0)
        };
        let unread = self.0.iter().filter(|(key, value)| !OTHER.contains(&key.as_str()) && !idle(value));
        unread.map(|(key, _)| key.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: Value) -> GenerationConfig {
        GenerationConfig(value.as_object().unwrap().clone())
    }

    #[test]
    fn sampling_needs_do_sample() {
        let greedy = config(json!({"temperature": 0.6, "top_p": 0.9, "repetition_penalty": 1.1})).options();
        let expected = GenerateOptions { repetition_penalty: 1.1, ..GenerateOptions::default() };
        assert_eq!(greedy, expected);
        let sampled = config(json!({"do_sample": true, "top_p": 0.9, "max_new_tokens": 9})).options();
        let expected = GenerateOptions {
            temperature: 1.0,
            top_p: 0.9,
            top_k: 50,
            max_new_tokens: 9,
            ..GenerateOptions::default()
        };
        assert_eq!(sampled, expected);
    }

    #[test]
    fn ends_may_be_several() {
        assert_eq!(config(json!({"eos_token_id": [2, 254]})).eos_token_ids(), Some(vec![2, 254]));
        assert_eq!(config(json!({"eos_token_id": 7})).eos_token_ids(), Some(vec![7]));
        assert_eq!(config(json!({})).eos_token_ids(), None);
    }

    #[test]
    fn keys_without_effect_are_named() {
        let found = config(
            json!({"min_p": 0.1, "no_repeat_ngram_size": 0, "do_sample": true, "bad_words_ids": null}),
        );
        assert_eq!(found.without_effect(), ["min_p"]);
    }
}

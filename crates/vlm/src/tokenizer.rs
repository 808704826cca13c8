//! Text to ids and back: a `tokenizer.json` with its special tokens and chat template.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tokenizers::AddedToken;
use tsumugi_record::write_atomic;

use crate::error::{Error, Result};
use crate::storage::read_tokenizer;

/// Text of the token that stands for an image.
pub const IMAGE: &str = "<image>";

/// A tokenizer. Ids are those of its `tokenizer.json`.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    special: SpecialIds,
    chat_template: Option<String>,
}

/// Ids of special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// Starts a text.
    pub bos: i64,
    /// Ends a text.
    pub eos: i64,
    /// Pads rows.
    pub pad: i64,
    /// Stands for an image.
    pub image: i64,
}

impl Tokenizer {
    /// Opens `tokenizer.json` of a folder (or of its subfolder `llm`), with the settings of `tokenizer_config.json` and
    /// `chat_template.jinja` if they exist. If the vocabulary lacks `<image>`, the token is appended to it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Tokenizer`], [`Error::Tokenize`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let below = folder.join("llm");
        let home = if folder.join("tokenizer.json").exists() { folder } else { below.as_path() };
        let path = home.join("tokenizer.json");
        let bytes = read_tokenizer(folder, &path)?;
        let path = home.join("tokenizer_config.json");
        let config: Value = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(Error::json(&path))?,
            Err(_) => Value::Null,
        };
        let template = [home, folder]
            .iter()
            .find_map(|f| fs::read_to_string(f.join("chat_template.jinja")).ok())
            .or_else(|| config.get("chat_template").and_then(Value::as_str).map(str::to_owned));
        Self::from_parts(&bytes, &config, template)
    }

    /// A tokenizer from the bytes of a `tokenizer.json`. Special tokens are found by their usual names.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if it cannot be read; [`Error::Tokenizer`] if it has no token that starts or ends a text.
    pub fn from_bytes(json: &[u8]) -> Result<Self> {
        Self::from_parts(json, &Value::Null, None)
    }

    fn from_parts(json: &[u8], config: &Value, chat_template: Option<String>) -> Result<Self> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(Error::Tokenize)?;
        if inner.token_to_id(IMAGE).is_none() {
            inner.add_special_tokens(&[AddedToken::from(IMAGE, true)]);
        }
        let named = |key: &str| -> Option<String> {
            let value = config.get(key)?;
            value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
        };
        let find = |key: &str, usual: &[&str]| -> Option<i64> {
            let own = named(key);
            let mut names = own.iter().map(String::as_str).chain(usual.iter().copied());
            names.find_map(|name| inner.token_to_id(name)).map(i64::from)
        };
        let need = |key: &str, usual: &[&str]| {
            find(key, usual).ok_or_else(|| Error::Tokenizer {
                reason: format!("no {key}: none of {usual:?} is in the vocabulary"),
            })
        };
        let eos = need("eos_token", &["</s>", "<|end_of_text|>", "<|endoftext|>"])?;
        let special = SpecialIds {
            bos: need("bos_token", &["<s>", "<|begin_of_text|>", "<|endoftext|>"])?,
            eos,
            pad: find("pad_token", &["<PAD|LLM-jp>", "<pad>", "<|finetune_right_pad_id|>"]).unwrap_or(eos),
            image: need("image_token", &[IMAGE])?,
        };
        Ok(Self { inner, special, chat_template })
    }

    /// Ids of the special tokens.
    #[must_use]
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// Rows that an embedding needs for all its ids.
    #[must_use]
    pub fn vocab_size(&self) -> i64 {
        self.inner.get_vocab_size(true) as i64
    }

    /// The Jinja chat template, if there is one.
    #[must_use]
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }

    /// The same tokenizer with this chat template.
    #[must_use]
    pub fn with_chat_template(mut self, template: impl Into<String>) -> Self {
        self.chat_template = Some(template.into());
        self
    }

    /// Ids of a text. `special` adds the special tokens that the tokenizer puts around a text.
    ///
    /// # Errors
    /// [`Error::Tokenize`].
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<i64>> {
        let encoding = self.inner.encode_fast(text, special).map_err(Error::Tokenize)?;
        Ok(encoding.get_ids().iter().map(|&id| i64::from(id)).collect())
    }

    /// Ids of a text, each with its byte range in the text.
    ///
    /// # Errors
    /// [`Error::Tokenize`].
    pub fn encode_with_offsets(
        &self,
        text: &str,
        special: bool,
    ) -> Result<Vec<(i64, std::ops::Range<usize>)>> {
        let encoding = self.inner.encode(text, special).map_err(Error::Tokenize)?;
        let ids = encoding.get_ids().iter().map(|&id| i64::from(id));
        Ok(ids.zip(encoding.get_offsets().iter().map(|&(start, end)| start..end)).collect())
    }

    /// The text of ids, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenize`].
    pub fn decode(&self, ids: &[i64]) -> Result<String> {
        let ids: Vec<u32> = ids.iter().filter_map(|&id| u32::try_from(id).ok()).collect();
        self.inner.decode(&ids, true).map_err(Error::Tokenize)
    }

    /// The token of an id, as the vocabulary spells it.
    #[must_use]
    pub fn token(&self, id: i64) -> Option<String> {
        self.inner.id_to_token(u32::try_from(id).ok()?)
    }

    /// Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and, if there is a chat template,
    /// `chat_template.jinja`, for transformers.
    ///
    /// # Errors
    /// [`Error::Record`], [`Error::Tokenize`].
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let name = |id: i64| self.token(id).unwrap_or_default();
        let names = json!({
            "bos_token": name(self.special.bos),
            "eos_token": name(self.special.eos),
            "pad_token": name(self.special.pad),
            "unk_token": self.inner.token_to_id("<unk>").map(|_| "<unk>"),
        });
        let mut config = names.clone();
        for (key, value) in [
            ("tokenizer_class", json!("PreTrainedTokenizerFast")),
            ("processor_class", json!("LlavaProcessor")),
            ("image_token", json!(name(self.special.image))),
            ("extra_special_tokens", json!({"image_token": name(self.special.image)})),
            ("padding_side", json!("left")),
            // Without this, transformers 4 passes token_type_ids, which Llama does not accept.
            ("model_input_names", json!(["input_ids", "attention_mask"])),
            ("clean_up_tokenization_spaces", json!(false)),
            ("model_max_length", json!(4096)),
        ] {
            config[key] = value;
        }
        if let Some(template) = &self.chat_template {
            config["chat_template"] = json!(template);
            let path = folder.join("chat_template.jinja");
            write_atomic(&path, |file| file.write_all(template.as_bytes()))?;
        }
        let files = [
            ("tokenizer.json", self.inner.to_string(false).map_err(Error::Tokenize)?),
            ("tokenizer_config.json", format!("{config:#}\n")),
            ("special_tokens_map.json", format!("{names:#}\n")),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            write_atomic(&path, |file| file.write_all(text.as_bytes()))?;
        }
        Ok(())
    }
}

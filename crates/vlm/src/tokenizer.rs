//! Text to ids and back: a `tokenizer.json` with its special tokens and chat templates.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;
use tokenizers::processors::template::TemplateProcessing;
use tsumugi_record::write_atomic;

use crate::chat_template::{ChatTemplate, Templates};
use crate::conversation::IMAGE;
use crate::error::{Error, Result};
use crate::special_tokens::SpecialTokens;
use crate::tokenizer_files::TokenizerFiles;

/// A tokenizer. Ids are those of its `tokenizer.json`.
///
/// Truncation and padding that are stored in `tokenizer.json` are not applied, as transformers does not apply them either
/// unless it is told to.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    ids: SpecialIds,
    tokens: SpecialTokens,
    before: Vec<i64>,
    templates: Templates,
    compiled: OnceLock<ChatTemplate>,
}

/// Ids of special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialIds {
    /// Starts a text. None for a tokenizer without such a token (Qwen's).
    pub bos: Option<i64>,
    /// Ends a text.
    pub eos: i64,
    /// Pads rows.
    pub pad: i64,
    /// Stands for an image.
    pub image: i64,
}

/// Usual names of the special tokens, for a `tokenizer.json` without other files.
const USUAL: [(&str, &[&str]); 3] = [
    ("bos_token", &["<s>", "<|begin_of_text|>"]),
    ("eos_token", &["</s>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<eos>"]),
    ("pad_token", &["<PAD|LLM-jp>", "<pad>", "<|finetune_right_pad_id|>"]),
];

impl Tokenizer {
    /// Opens `tokenizer.json` of a folder (or of its subfolder `llm`) with the files beside it: `tokenizer_config.json` and
    /// `special_tokens_map.json` for the special tokens, and the chat templates of `chat_template.jinja`,
    /// `chat_template.json`, `additional_chat_templates`, `processor_config.json` or `tokenizer_config.json`.
    ///
    /// The image token is the one that `tokenizer_config.json`, `processor_config.json` or the model's `config.json` names,
    /// else `<image>`. It is appended to the vocabulary if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Tokenizer`], [`Error::Tokenize`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::of_files(TokenizerFiles::read(folder.as_ref())?)
    }

    /// A tokenizer from the bytes of a `tokenizer.json`. Special tokens are found by their usual names.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if it cannot be read; [`Error::Tokenizer`] if it has no token that ends a text.
    pub fn from_bytes(json: &[u8]) -> Result<Self> {
        Self::of_files(TokenizerFiles { json: json.to_vec(), ..TokenizerFiles::default() })
    }

    fn of_files(files: TokenizerFiles) -> Result<Self> {
        let mut inner = tokenizers::Tokenizer::from_bytes(&files.json).map_err(Error::Tokenize)?;
        if let Some(limit) = inner.get_truncation() {
            let length = limit.max_length;
            tracing::info!("tokenizer.json asks for truncation to {length} tokens, which is not applied");
        }
        inner.with_truncation(None).map_err(Error::Tokenize)?;
        inner.with_padding(None);
        let mut named = files.named.clone().unwrap_or_default();
        for (key, usual) in USUAL {
            // A file that names tokens says that the others do not exist. Only the end of a text is needed anyway.
            if (files.named.is_none() || key == "eos_token") && !named.contains_key(key) {
                let found = usual.iter().find(|name| inner.token_to_id(name).is_some());
                named.extend(found.map(|name| (key.to_owned(), (*name).to_owned())));
            }
        }
        let image = image_token(&inner, &files);
        named.insert("image_token".to_owned(), image.clone());
        let special = named.values().chain(&files.additional);
        let tokens: Vec<AddedToken> = special.map(|text| AddedToken::from(text.as_str(), true)).collect();
        let known = added(&inner);
        let missing: Vec<AddedToken> = tokens.into_iter().filter(|t| !known.contains(&t.content)).collect();
        inner.add_special_tokens(&missing);
        if let Some(around) = files.around {
            put_around(&mut inner, around, &named)?;
        }
        let tokens = SpecialTokens { named, additional: files.additional, image, all: Vec::new() };
        Self::assemble(inner, tokens, files.templates)
    }

    fn assemble(
        inner: tokenizers::Tokenizer,
        mut tokens: SpecialTokens,
        templates: Templates,
    ) -> Result<Self> {
        let added = inner.get_added_tokens_decoder();
        tokens.all = added.into_values().filter(|token| token.special).map(|token| token.content).collect();
        tokens.all.sort_unstable();
        let id = |key: &str| {
            let name = tokens.named.get(key)?;
            inner.token_to_id(name).map(i64::from)
        };
        let need = |key: &str| {
            id(key).ok_or_else(|| Error::Tokenizer {
                reason: format!("no {key}: name it in tokenizer_config.json, beside tokenizer.json"),
            })
        };
        let eos = need("eos_token")?;
        let ids = SpecialIds {
            bos: id("bos_token"),
            eos,
            pad: id("pad_token").unwrap_or(eos),
            image: need("image_token")?,
        };
        let before = before(&inner)?;
        Ok(Self { inner, ids, tokens, before, templates, compiled: OnceLock::new() })
    }

    /// The same tokenizer with another image token: one of its reserved tokens, or a new one, which is appended to the
    /// vocabulary.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a special token is missing.
    pub fn with_image_token(mut self, token: &str) -> Result<Self> {
        if !added(&self.inner).contains(&token.to_owned()) {
            self.inner.add_special_tokens(&[AddedToken::from(token, true)]);
        }
        self.tokens.named.insert("image_token".to_owned(), token.to_owned());
        token.clone_into(&mut self.tokens.image);
        Self::assemble(self.inner, self.tokens, self.templates)
    }

    /// Ids of the special tokens.
    #[must_use]
    pub fn special(&self) -> SpecialIds {
        self.ids
    }

    /// The special tokens as chat templates see them.
    #[must_use]
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.tokens
    }

    /// Ids that the tokenizer puts before a text: the start token, or nothing.
    #[must_use]
    pub fn before(&self) -> &[i64] {
        &self.before
    }

    /// Rows that an embedding needs for all its ids.
    #[must_use]
    pub fn vocab_size(&self) -> i64 {
        let vocabulary = self.inner.get_vocab(true);
        vocabulary.into_values().max().map_or(0, |id| i64::from(id) + 1)
    }

    /// Rows that an embedding needs without the tokens that were added to the vocabulary.
    #[must_use]
    pub fn base_vocab_size(&self) -> i64 {
        let vocabulary = self.inner.get_vocab(false);
        vocabulary.into_values().max().map_or(0, |id| i64::from(id) + 1)
    }

    /// The text of the Jinja chat template that is used: the one named `default`, or the only one.
    #[must_use]
    pub fn chat_template(&self) -> Option<&str> {
        self.templates.chosen()
    }

    /// The compiled chat template; none if the tokenizer has no template.
    ///
    /// # Errors
    /// [`Error::Template`] if it does not compile; [`Error::Tokenizer`] if there are several and none is the default.
    pub fn chat(&self) -> Result<Option<ChatTemplate>> {
        if let Some(template) = self.compiled.get() {
            return Ok(Some(template.clone()));
        }
        let Some(source) = self.templates.chosen() else {
            let names = self.templates.names();
            if names.is_empty() {
                return Ok(None);
            }
            let reason = format!(
                "there are chat templates named {}, but none named default: put the one to use into \
                 chat_template.jinja",
                names.join(", ")
            );
            return Err(Error::Tokenizer { reason });
        };
        let template = ChatTemplate::new(source)?;
        Ok(Some(self.compiled.get_or_init(|| template).clone()))
    }

    /// The same tokenizer with this chat template in place of its own default.
    #[must_use]
    pub fn with_chat_template(mut self, template: impl Into<String>) -> Self {
        self.templates.set_default(template.into());
        self.compiled = OnceLock::new();
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
    pub fn encode_with_offsets(&self, text: &str, special: bool) -> Result<Vec<(i64, Range<usize>)>> {
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

    /// Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and the chat templates, for
    /// transformers.
    ///
    /// # Errors
    /// [`Error::Record`], [`Error::Tokenize`].
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        // Sorted, so that a tokenizer that is opened and saved again gives the same bytes.
        let mut names: BTreeMap<String, Value> =
            self.tokens.named.iter().map(|(key, token)| (key.clone(), json!(token))).collect();
        names.remove("image_token");
        names.entry("pad_token".to_owned()).or_insert_with(|| json!(self.token(self.ids.pad)));
        if self.inner.token_to_id("<unk>").is_some() {
            names.entry("unk_token".to_owned()).or_insert(json!("<unk>"));
        }
        if !self.tokens.additional.is_empty() {
            names.insert("additional_special_tokens".to_owned(), json!(self.tokens.additional));
        }
        let names: Map<String, Value> = names.into_iter().collect();
        let mut config = Value::Object(names.clone());
        for (key, value) in [
            ("tokenizer_class", json!("PreTrainedTokenizerFast")),
            ("processor_class", json!("LlavaProcessor")),
            ("image_token", json!(self.tokens.image)),
            ("extra_special_tokens", json!({"image_token": self.tokens.image})),
            ("padding_side", json!("left")),
            // Without this, transformers 4 passes token_type_ids, which Llama does not accept.
            ("model_input_names", json!(["input_ids", "attention_mask"])),
            ("clean_up_tokenization_spaces", json!(false)),
            ("model_max_length", json!(4096)),
        ] {
            config[key] = value;
        }
        if let Some(template) = self.chat_template() {
            config["chat_template"] = json!(template);
        }
        self.save_chat_templates(folder)?;
        let names = Value::Object(names);
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

    /// Writes the chat templates alone: `chat_template.jinja`, and the others to `additional_chat_templates`.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save_chat_templates(&self, folder: &Path) -> Result<()> {
        self.templates.save(folder)
    }
}

/// The texts of all added tokens.
fn added(inner: &tokenizers::Tokenizer) -> Vec<String> {
    inner.get_added_tokens_decoder().into_values().map(|token| token.content).collect()
}

/// The image token: the first that is named and in the vocabulary, else the special token of the model's id, else the
/// first that is named, else `<image>`.
fn image_token(inner: &tokenizers::Tokenizer, files: &TokenizerFiles) -> String {
    let usual = IMAGE.to_owned();
    let named = files.image.iter().chain(std::iter::once(&usual));
    let by_id = || {
        let decoder = inner.get_added_tokens_decoder();
        decoder.get(&files.image_id?).filter(|token| token.special).map(|token| token.content.clone())
    };
    let known = named.clone().find(|name| inner.token_to_id(name).is_some()).cloned();
    known.or_else(by_id).unwrap_or_else(|| files.image.first().unwrap_or(&usual).clone())
}

/// Has the tokenizer put the start and the end token around a text, or not.
fn put_around(
    inner: &mut tokenizers::Tokenizer,
    (bos, eos): (bool, bool),
    named: &std::collections::BTreeMap<String, String>,
) -> Result<()> {
    let token = |wanted: bool, key: &str| {
        let name = named.get(key).filter(|_| wanted)?;
        Some((name.clone(), inner.token_to_id(name)?))
    };
    let (bos, eos) = (token(bos, "bos_token"), token(eos, "eos_token"));
    let name = |token: &Option<(String, u32)>| token.as_ref().map(|(name, _)| name.clone());
    let single: Vec<String> = [name(&bos), Some("$A".to_owned()), name(&eos)].into_iter().flatten().collect();
    let failed = |error: String| Error::Tokenize(error.into());
    let template = TemplateProcessing::builder()
        .try_single(single)
        .map_err(failed)?
        .special_tokens(bos.into_iter().chain(eos).collect::<Vec<_>>())
        .build()
        .map_err(|error| failed(error.to_string()))?;
    inner.with_post_processor(Some(template));
    Ok(())
}

/// Ids that the post-processor puts before a text.
fn before(inner: &tokenizers::Tokenizer) -> Result<Vec<i64>> {
    let encoding = inner.encode("a", true).map_err(Error::Tokenize)?;
    let mask = encoding.get_special_tokens_mask();
    let first = encoding.get_ids().iter().zip(mask).take_while(|(_, special)| **special == 1);
    Ok(first.map(|(id, _)| i64::from(*id)).collect())
}

#[cfg(test)]
mod tests;

//! The files beside a `tokenizer.json`: which special tokens it has, and by which names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::chat_template::Templates;
use crate::error::Result;
use crate::storage::{read_json, read_tokenizer};

/// Classes of transformers 4 that put the start and end tokens around a text by the keys `add_bos_token` and
/// `add_eos_token`, whatever the post-processor of `tokenizer.json` is.
const BUILDS_POST_PROCESSOR: [&str; 3] = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer"];

/// What the files of a checkpoint say about its tokenizer.
#[derive(Debug, Default)]
pub(crate) struct TokenizerFiles {
    /// The bytes of `tokenizer.json`.
    pub(crate) json: Vec<u8>,
    /// Named special tokens; none if no file names any.
    pub(crate) named: Option<BTreeMap<String, String>>,
    /// `additional_special_tokens`.
    pub(crate) additional: Vec<String>,
    /// Texts that may be the image token, most likely first.
    pub(crate) image: Vec<String>,
    /// The model's id of the image token, if its `config.json` says so.
    pub(crate) image_id: Option<u32>,
    /// Whether the start and end tokens are put around a text, where that differs from `tokenizer.json`.
    pub(crate) around: Option<(bool, bool)>,
    /// The chat templates.
    pub(crate) templates: Templates,
}

impl TokenizerFiles {
    /// Reads the files of a folder, or of its subfolder `llm` if `tokenizer.json` is there.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let below = folder.join("llm");
        let home = if folder.join("tokenizer.json").exists() { folder } else { below.as_path() };
        let path = home.join("tokenizer.json");
        let json = read_tokenizer(folder, &path)?;
        let config = optional(home.join("tokenizer_config.json"))?;
        let map = optional(home.join("special_tokens_map.json"))?;
        let processor = optional(folder.join("processor_config.json"))?;
        let model = optional(folder.join("config.json"))?;
        let templates = Templates::find(&[folder, home], &config)?;
        let mut named = None;
        if config.is_object() || map.is_object() {
            named = Some(names(&config, &map));
        }
        let mut image: Vec<String> = named.iter().filter_map(|n| n.get("image_token").cloned()).collect();
        image.extend(processor.get("image_token").and_then(text_of));
        let image_id =
            ["image_token_index", "image_token_id"].iter().find_map(|key| model.get(*key)?.as_u64());
        let list = |value: &Value| {
            let list = value.get("additional_special_tokens").and_then(Value::as_array).cloned();
            list.map(|list| list.iter().filter_map(text_of).collect::<Vec<_>>())
        };
        Ok(Self {
            json,
            named,
            additional: list(&config).or_else(|| list(&map)).unwrap_or_default(),
            image,
            image_id: image_id.and_then(|id| u32::try_from(id).ok()),
            around: around(&config),
            templates,
        })
    }
}

/// A JSON file, or null if there is none.
fn optional(path: PathBuf) -> Result<Value> {
    if path.is_file() { read_json(&path) } else { Ok(Value::Null) }
}

/// A token is a text, or an object with its text.
fn text_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// Keys that end in `_token`, from both files. What `tokenizer_config.json` sets to null stays unset.
fn names(config: &Value, map: &Value) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let mut add = |value: &Value, unless: &Value| {
        for (key, value) in value.as_object().into_iter().flatten() {
            if let (true, Some(text)) = (key.ends_with("_token") && unless.get(key).is_none(), text_of(value))
            {
                named.insert(key.clone(), text);
            }
        }
    };
    add(map, config);
    add(config, &Value::Null);
    if let Some(extra) = config.get("extra_special_tokens").filter(|extra| extra.is_object()) {
        add(extra, &Value::Null);
    }
    if class(config) == Some("LlamaTokenizer") {
        for (key, text) in [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")] {
            if config.get(key).is_none() {
                named.entry(key.to_owned()).or_insert_with(|| text.to_owned());
            }
        }
    }
    named
}

/// The tokenizer's class, without the ending of its fast form.
fn class(config: &Value) -> Option<&str> {
    let class = config.get("tokenizer_class")?.as_str()?;
    Some(class.strip_suffix("Fast").unwrap_or(class))
}

fn around(config: &Value) -> Option<(bool, bool)> {
    let flag = |key: &str| config.get(key).and_then(Value::as_bool);
    let (bos, eos) = (flag("add_bos_token"), flag("add_eos_token"));
    let builds = class(config).is_some_and(|class| BUILDS_POST_PROCESSOR.contains(&class));
    (builds && (bos.is_some() || eos.is_some())).then(|| (bos.unwrap_or(true), eos.unwrap_or(false)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_come_from_both_files() {
        let config = json!({
            "bos_token": null, "eos_token": {"content": "</s>"}, "clean_up_tokenization_spaces": false,
            "extra_special_tokens": {"image_token": "<im>"}, "add_bos_token": true,
        });
        let map = json!({"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "other"});
        let found = names(&config, &map);
        let expected = [("eos_token", "</s>"), ("image_token", "<im>"), ("pad_token", "<pad>")];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        let llama = names(&json!({"tokenizer_class": "LlamaTokenizerFast"}), &Value::Null);
        assert_eq!(llama.get("bos_token").map(String::as_str), Some("<s>"));
    }

    #[test]
    fn only_some_classes_build_the_post_processor() {
        let of = |class: &str, key: &str, value: bool| around(&json!({"tokenizer_class": class, key: value}));
        assert_eq!(of("LlamaTokenizerFast", "add_bos_token", false), Some((false, false)));
        assert_eq!(of("GemmaTokenizer", "add_eos_token", true), Some((true, true)));
        assert_eq!(of("PreTrainedTokenizerFast", "add_bos_token", false), None);
        assert_eq!(around(&json!({"tokenizer_class": "LlamaTokenizer"})), None);
    }
}

//! What a model family writes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::json::{write_json, write_text};
use super::mapped::write_safetensors;
use crate::config::VlmConfig;
use crate::error::Result;
use crate::generate::GenerationConfig;
use crate::processor::ImageProcessor;
use crate::tokenizer::Tokenizer;

/// A model on its way to files, with all that a family may write of it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The model's sizes.
    pub config: &'a VlmConfig,
    /// The tensors, in the kind to be written, by parameter name.
    pub tensors: BTreeMap<String, Tensor>,
    /// The tokenizer, if it is to be written.
    pub tokenizer: Option<&'a Tokenizer>,
    /// The image processor.
    pub processor: ImageProcessor,
    /// How the model is meant to generate. Ids that it does not set are those of `config`.
    pub generation: &'a GenerationConfig,
    /// Largest shard in bytes.
    pub max_shard_bytes: u64,
}

impl Outgoing<'_> {
    /// Name of the tensors' kind in `config.json`: `float32`, `bfloat16`, ...
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind() {
            Kind::BFloat16 => "bfloat16",
            Kind::Half => "float16",
            Kind::Double => "float64",
            _ => "float32",
        }
    }

    /// Kind of the tensors.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.tensors.values().next().map_or(Kind::Float, Tensor::kind)
    }

    /// Writes tensors, in order of their names, to `model.safetensors`, or to shards with an index if they exceed
    /// [`Outgoing::max_shard_bytes`].
    ///
    /// # Errors
    /// Those of [`write_safetensors`]; [`Error::Io`](crate::Error::Io) for the index.
    pub fn write_shards(&self, folder: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        let bytes = |t: &Tensor| (t.numel() * t.kind().elt_size_in_bytes()) as u64;
        let mut shards: Vec<Vec<&String>> = vec![Vec::new()];
        let mut used = 0;
        for (name, tensor) in tensors {
            let size = bytes(tensor);
            if used > 0 && used + size > self.max_shard_bytes {
                shards.push(Vec::new());
                used = 0;
            }
            used += size;
            if let Some(last) = shards.last_mut() {
                last.push(name);
            }
        }
        let total = shards.len();
        let mut map = serde_json::Map::new();
        for (index, shard) in shards.iter().enumerate() {
            let file = match total {
                1 => "model.safetensors".to_owned(),
                _ => format!("model-{:05}-of-{total:05}.safetensors", index + 1),
            };
            let named = shard.iter().map(|name| (name.as_str(), &tensors[*name]));
            write_safetensors(&folder.join(&file), named)?;
            map.extend(shard.iter().map(|name| ((*name).clone(), Value::from(file.clone()))));
        }
        if total > 1 {
            let size: u64 = tensors.values().map(bytes).sum();
            let index = json!({"metadata": {"total_size": size}, "weight_map": map});
            write_json(&folder.join("model.safetensors.index.json"), &index)?;
        }
        Ok(())
    }

    /// Writes `generation_config.json`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) naming the file.
    pub fn write_generation_config(&self, folder: &Path) -> Result<()> {
        let language = &self.config.language;
        let mut keys = self.generation.keys().clone();
        let eos = match language.eos_token_ids[..] {
            [] => Value::Null,
            [one] => json!(one),
            _ => json!(language.eos_token_ids),
        };
        for (key, value) in [
            ("bos_token_id", json!(language.bos_token_id)),
            ("eos_token_id", eos),
            ("pad_token_id", json!(language.pad_token_id)),
        ] {
            keys.entry(key).or_insert(value);
        }
        write_json(&folder.join("generation_config.json"), &Value::Object(keys))
    }

    /// Writes the tokenizer to `tokenizer` and, to `folder`, the files by which transformers' `LlavaProcessor` processes
    /// images and chats. Without a tokenizer, writes nothing.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) naming the file; [`Error::Tokenizer`](crate::Error::Tokenizer).
    pub fn write_processors(&self, folder: &Path, tokenizer: &Path) -> Result<()> {
        let Some(own) = self.tokenizer else { return Ok(()) };
        own.save(tokenizer)?;
        let processor = json!({
            "processor_class": "LlavaProcessor",
            "image_token": own.special_tokens().image,
            "patch_size": self.config.vision.patch_size,
            "vision_feature_select_strategy": "full",
            "num_additional_image_tokens": 0,
        });
        let images = self.processor.hugging_face();
        for (name, value) in [("preprocessor_config.json", &images), ("processor_config.json", &processor)] {
            write_text(&folder.join(name), &format!("{value:#}\n"))?;
        }
        own.save_chat_templates(folder)
    }
}

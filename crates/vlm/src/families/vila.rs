//! VILA's folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tch::Tensor;

use super::hf_config::{HfLlama, HfSiglip, HfVila, VilaProjectorConfig};
use super::hf_write::{llama_config, siglip_config};
use super::names::{Source, canonical, is_unused, to_vila_projector, vila_projector_names};
use crate::config::{ProjectorKind, VlmConfig};
use crate::error::{Error, Result};
use crate::family::ModelFamily;
use crate::storage::{Contents, Opened, Outgoing, StoredTensors, from_value, read_json, write_json};

/// The units of [`Llava`](super::Llava) in VILA's layout: folders `llm`, `vision_tower` and `mm_projector`, and
/// `model_type: llava_llama`. Expresses every projector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vila;

impl ModelFamily for Vila {
    fn name(&self) -> &str {
        "vila"
    }

    fn architectures(&self) -> Vec<String> {
        vec!["llava_llama".to_owned()]
    }

    fn open(&self, folder: &Path, config: Value) -> Result<Opened> {
        let mut tensors = StoredTensors::default();
        tensors.add(&folder.join("llm"), "model", |name| canonical(Source::Llama, name))?;
        tensors.add(&folder.join("vision_tower"), "model", |name| canonical(Source::Siglip, name))?;
        tensors.add_all(&folder.join("mm_projector"), "model", vila_projector_names)?;
        let stored = config.get("image_token_index").is_some_and(Value::is_number);
        let config = read_config(folder, config)?;
        let (layers, tied) = (config.vision.num_hidden_layers, config.language.tie_word_embeddings);
        let opened = Opened::new(Contents::Vlm(config), tensors);
        let opened = if stored { opened } else { opened.without_image_token() };
        Ok(opened.ignoring(move |name| is_unused(name, layers, tied)))
    }

    fn write(&self, folder: &Path, model: &Outgoing<'_>) -> Result<()> {
        let (config, name) = (model.config, model.kind_name());
        let parts = split_parts(model)?;
        let language = llama_config(&config.language, name);
        let vision = siglip_config(&config.vision, config.vision.num_hidden_layers, name);
        let projector = json!({
            "architectures": ["MultimodalProjector"],
            "model_type": "v2l_projector",
            "mm_projector_type": config.projector.kind,
            "torch_dtype": name,
        });
        for (part, value) in [("llm", &language), ("vision_tower", &vision), ("mm_projector", &projector)] {
            let home = folder.join(part);
            fs::create_dir_all(&home).map_err(Error::io(&home))?;
            model.write_shards(&home, parts.get(part).unwrap_or(&BTreeMap::new()))?;
            write_json(&home.join("config.json"), value)?;
        }
        let root = json!({
            "architectures": ["LlavaLlamaModel"],
            "model_type": "llava_llama",
            "llm_cfg": language,
            "vision_tower_cfg": vision,
            "mm_projector_cfg": projector,
            "hidden_size": config.language.hidden_size,
            "mm_hidden_size": config.vision.hidden_size,
            "mm_vision_select_layer": -1,
            "mm_vision_select_feature": "cls_patch",
            "image_aspect_ratio": "resize",
            "mm_use_im_start_end": false,
            "mm_use_im_patch_token": false,
            "model_dtype": format!("torch.{name}"),
            "tune_language_model": true,
            "tune_mm_projector": true,
            "tune_vision_tower": false,
            "resume_path": null,
            "image_token_index": config.image_token_id.0,
        });
        write_json(&folder.join("config.json"), &root)?;
        model.write_generation_config(&folder.join("llm"))?;
        model.write_processors(folder, &folder.join("llm"))
    }

    /// LLaVA's layout where it can express the projector, since more programs read it.
    fn export_as(&self, config: &VlmConfig) -> &str {
        if config.projector.kind == ProjectorKind::Mlp2xGelu { "llava" } else { "vila" }
    }
}

/// The tensors of each folder, under VILA's names.
fn split_parts(model: &Outgoing<'_>) -> Result<BTreeMap<&'static str, BTreeMap<String, Tensor>>> {
    let config = model.config;
    let downsample = config.projector.kind == ProjectorKind::MlpDownsample;
    let single = config.projector.kind == ProjectorKind::Linear;
    let mut parts: BTreeMap<&str, BTreeMap<String, Tensor>> = BTreeMap::new();
    for (full, tensor) in &model.tensors {
        let (part, rest) = if let Some(rest) = full.strip_prefix("language_model.") {
            ("llm", rest.to_owned())
        } else if let Some(rest) = full.strip_prefix("vision_tower.") {
            ("vision_tower", rest.to_owned())
        } else if let Some(rest) = full.strip_prefix("multi_modal_projector.") {
            ("mm_projector", to_vila_projector(rest, downsample, single))
        } else {
            return Err(Error::config(format!("VILA's layout has no place for the parameter {full}")));
        };
        parts.entry(part).or_default().insert(rest, tensor.shallow_clone());
    }
    Ok(parts)
}

/// The configs of VILA's parts are in the root config, or in the part's folder.
fn read_config(folder: &Path, config: Value) -> Result<VlmConfig> {
    let root = folder.join("config.json");
    let vila: HfVila = from_value(&root, config)?;
    let part = |inline: &Option<Value>, name: &str| -> Result<Value> {
        match inline {
            Some(value) if value.is_object() => Ok(value.clone()),
            _ => read_json(&folder.join(name).join("config.json")),
        }
    };
    let language: HfLlama = from_value(&root, part(&vila.llm_cfg, "llm")?)?;
    let vision: HfSiglip = from_value(&root, part(&vila.vision_tower_cfg, "vision_tower")?)?;
    let projector: VilaProjectorConfig = from_value(&root, part(&vila.mm_projector_cfg, "mm_projector")?)?;
    vila.config(&language, &vision, &projector)
}

//! Hugging Face's LLaVA, and checkpoints of its parts.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::hf_config::{HfLlama, HfLlava, HfSiglip};
use super::hf_write::{llama_config, siglip_config};
use super::names::{Source, canonical, is_unused};
use crate::config::{ProjectorKind, VisionConfig, VlmConfig};
use crate::error::{Error, Result};
use crate::family::ModelFamily;
use crate::storage::{Contents, Opened, Outgoing, StoredTensors, from_value, write_json};

/// `LlavaForConditionalGeneration` of SigLIP, `mlp2x_gelu` and Llama, written so that transformers 4 and 5 load it. Also
/// reads checkpoints of a Llama or a SigLIP alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Llava;

impl ModelFamily for Llava {
    fn name(&self) -> &str {
        "llava"
    }

    fn architectures(&self) -> Vec<String> {
        ["llava", "llama", "siglip", "siglip_vision_model"].map(str::to_owned).into()
    }

    fn open(&self, folder: &Path, config: Value) -> Result<Opened> {
        let path = folder.join("config.json");
        let kind = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
        let source = match kind {
            "llama" => Source::Llama,
            "siglip" | "siglip_vision_model" => Source::Siglip,
            _ => Source::Llava,
        };
        let mut tensors = StoredTensors::default();
        tensors.add(folder, "model", |name| canonical(source, name))?;
        let contents = match source {
            Source::Llama => Contents::Language(from_value::<HfLlama>(&path, config)?.config()?),
            Source::Siglip => {
                let vision = config.get("vision_config").cloned().unwrap_or(config);
                Contents::Vision(from_value::<HfSiglip>(&path, vision)?.config(-1)?)
            }
            Source::Llava | Source::VilaProjector => {
                Contents::Vlm(from_value::<HfLlava>(&path, config)?.config()?)
            }
        };
        let (layers, tied) = match &contents {
            Contents::Vlm(c) => (c.vision.num_hidden_layers, c.language.tie_word_embeddings),
            Contents::Language(c) => (0, c.tie_word_embeddings),
            Contents::Vision(c) => (c.num_hidden_layers, false),
        };
        Ok(Opened::new(contents, tensors).ignoring(move |name| is_unused(name, layers, tied)))
    }

    fn write(&self, folder: &Path, model: &Outgoing<'_>) -> Result<()> {
        let config = model.config;
        if config.projector.kind != ProjectorKind::Mlp2xGelu {
            return Err(Error::config(
                "transformers' LLaVA layout supports only the projector mlp2x_gelu; use the family vila",
            ));
        }
        let mut tensors: BTreeMap<String, Tensor> =
            model.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        add_idle_layer(&mut tensors, &config.vision, model.kind())?;
        if config.language.tie_word_embeddings {
            // Some versions of transformers look for the head even if it is tied to the embedding.
            if let Some(embedding) = tensors.get("language_model.model.embed_tokens.weight") {
                let copy = embedding.shallow_clone();
                tensors.insert("language_model.lm_head.weight".to_owned(), copy);
            }
        }
        model.write_shards(folder, &tensors)?;
        write_json(&folder.join("config.json"), &llava_config(config, model.kind_name()))?;
        model.write_generation_config(folder)?;
        model.write_processors(folder, folder)
    }

    /// VILA's layout for projectors that LLaVA's cannot express.
    fn export_as(&self, config: &VlmConfig) -> &str {
        if config.projector.kind == ProjectorKind::Mlp2xGelu { "llava" } else { "vila" }
    }
}

/// Appends a vision layer that passes its input through (the outputs of its attention and its MLP are zero).
///
/// Hidden state -1 is taken before `post_layernorm` here, in VILA and in transformers 5, but after it in transformers 4.
/// With one more layer, and `vision_feature_layer: -2` in the configuration, all use the same features.
fn add_idle_layer(tensors: &mut BTreeMap<String, Tensor>, vision: &VisionConfig, kind: Kind) -> Result<()> {
    const TOWER: &str = "vision_tower.vision_model";
    let (d, m) = (vision.hidden_size, vision.intermediate_size);
    let options = (kind, Device::Cpu);
    let layer = format!("{TOWER}.encoder.layers.{}", vision.num_hidden_layers);
    let shapes: [(&str, &[i64]); 6] = [
        ("self_attn.q_proj", &[d, d]),
        ("self_attn.k_proj", &[d, d]),
        ("self_attn.v_proj", &[d, d]),
        ("self_attn.out_proj", &[d, d]),
        ("mlp.fc1", &[m, d]),
        ("mlp.fc2", &[d, m]),
    ];
    for (name, shape) in shapes {
        tensors.insert(format!("{layer}.{name}.weight"), Tensor::f_zeros(shape, options)?);
        tensors.insert(format!("{layer}.{name}.bias"), Tensor::f_zeros([shape[0]], options)?);
    }
    for norm in
        [format!("{layer}.layer_norm1"), format!("{layer}.layer_norm2"), format!("{TOWER}.post_layernorm")]
    {
        tensors.insert(format!("{norm}.weight"), Tensor::f_ones([d], options)?);
        tensors.insert(format!("{norm}.bias"), Tensor::f_zeros([d], options)?);
    }
    Ok(())
}

fn llava_config(config: &VlmConfig, name: &str) -> Value {
    json!({
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "image_token_index": config.image_token_id.0,
        "image_seq_length": config.image_tokens(),
        "projector_hidden_act": "gelu",
        "multimodal_projector_bias": true,
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "full",
        "tie_word_embeddings": config.language.tie_word_embeddings,
        "torch_dtype": name,
        "text_config": llama_config(&config.language, name),
        "vision_config": siglip_config(&config.vision, config.vision.num_hidden_layers + 1, name),
    })
}

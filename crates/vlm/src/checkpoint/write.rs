//! Writing checkpoints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::mapped::write_safetensors;
use super::names;
use crate::config::{LlamaConfig, ProjectorKind, RopeScaling, SiglipConfig, VlmConfig};
use crate::error::{Error, Result};
use crate::processor::{ImageProcessor, processor_files};
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

/// How a checkpoint's files are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Hugging Face's `LlavaForConditionalGeneration`, loadable by transformers 4 and 5. Only for the projector
    /// `mlp2x_gelu`.
    #[default]
    Llava,
    /// VILA's folders `llm`, `vision_tower` and `mm_projector`.
    Vila,
}

impl Layout {
    /// The layout that most programs read among those that can say this model.
    #[must_use]
    pub fn of(config: &VlmConfig) -> Self {
        match config.projector.kind {
            ProjectorKind::Mlp2xGelu => Self::Llava,
            ProjectorKind::Linear | ProjectorKind::MlpDownsample => Self::Vila,
        }
    }
}

/// How [`save`] writes.
#[derive(Debug, Clone)]
pub struct SaveOptions {
    /// Which files.
    pub layout: Layout,
    /// Kind of the tensors in the files; by default the kind they have.
    pub kind: Option<Kind>,
    /// Largest shard in bytes (by default 5 GB, as transformers 4 writes).
    pub max_shard_bytes: u64,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self { layout: Layout::Llava, kind: None, max_shard_bytes: 5_000_000_000 }
    }
}

/// Writes a model with all it needs to be used: configuration, weights, and, where a tokenizer is given, the tokenizer,
/// the picture processor and the chat template. The folder is made under a temporary name and renamed, so that it is
/// whole or not there; an old one of this name is replaced.
///
/// # Errors
/// [`Error::Io`] naming the file; [`Error::MissingParameter`]; [`Error::Config`] if the layout cannot express the model.
pub fn save(
    folder: impl AsRef<Path>,
    config: &VlmConfig,
    weights: &Weights,
    tokenizer: Option<&Tokenizer>,
    options: &SaveOptions,
) -> Result<()> {
    let folder = folder.as_ref();
    let temporary = sibling(folder, "partial");
    remove(&temporary)?;
    fs::create_dir_all(&temporary).map_err(Error::io(&temporary))?;
    match options.layout {
        Layout::Llava => write_llava(&temporary, config, weights, options)?,
        Layout::Vila => write_vila(&temporary, config, weights, options)?,
    }
    if let Some(tokenizer) = tokenizer {
        let home = if options.layout == Layout::Vila { temporary.join("llm") } else { temporary.clone() };
        tokenizer.save(&home)?;
        let processor = ImageProcessor::new(config);
        for (name, value) in processor_files(&processor, config, tokenizer.chat_template()) {
            write_text(&temporary.join(name), &value)?;
        }
    }
    let old = sibling(folder, "replaced");
    remove(&old)?;
    if folder.exists() {
        fs::rename(folder, &old).map_err(Error::io(folder))?;
    }
    fs::rename(&temporary, folder).map_err(Error::io(folder))?;
    remove(&old)
}

/// The folder of another name beside this one.
fn sibling(folder: &Path, ending: &str) -> PathBuf {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    folder.with_file_name(format!(".{name}.{ending}"))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io(path))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(Error::json(path))?;
    write_text(path, &(text + "\n"))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::BFloat16 => "bfloat16",
        Kind::Half => "float16",
        Kind::Double => "float64",
        _ => "float32",
    }
}

/// The tensors to write, in the kind to write them.
fn outgoing(weights: &Weights, options: &SaveOptions) -> Result<BTreeMap<String, Tensor>> {
    weights
        .iter()
        .map(|(name, tensor)| {
            let tensor = tensor.f_detach()?.f_to_kind(options.kind.unwrap_or(tensor.kind()))?;
            Ok((name.clone(), tensor))
        })
        .collect()
}

fn kind_of(tensors: &BTreeMap<String, Tensor>) -> Kind {
    tensors.values().next().map_or(Kind::Float, Tensor::kind)
}

fn write_llava(folder: &Path, config: &VlmConfig, weights: &Weights, options: &SaveOptions) -> Result<()> {
    if config.projector.kind != ProjectorKind::Mlp2xGelu {
        return Err(Error::config(
            "the LLaVA layout of transformers knows only the projector mlp2x_gelu; write the layout of VILA",
        ));
    }
    let mut tensors = outgoing(weights, options)?;
    let kind = kind_of(&tensors);
    add_idle_layer(&mut tensors, &config.vision, kind)?;
    if config.language.tie_word_embeddings {
        // Some versions of transformers look for the head even where it is the embedding.
        if let Some(embedding) = tensors.get("language_model.model.embed_tokens.weight") {
            let copy = embedding.shallow_clone();
            tensors.insert("language_model.lm_head.weight".to_owned(), copy);
        }
    }
    write_shards(folder, &tensors, options.max_shard_bytes)?;
    write_json(&folder.join("config.json"), &llava_config(config, kind))?;
    write_json(&folder.join("generation_config.json"), &generation_config(&config.language))
}

/// Appends a vision layer that passes its input through (the outputs of its attention and its MLP are zero).
///
/// Hidden state -1 is taken before `post_layernorm` here, in VILA and in transformers 5, but after it in transformers 4.
/// With one more layer, and state -2 named in the configuration, both see the same features.
fn add_idle_layer(tensors: &mut BTreeMap<String, Tensor>, vision: &SiglipConfig, kind: Kind) -> Result<()> {
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

/// Cuts tensors, in order, into files below the limit; one file where they fit.
fn write_shards(folder: &Path, tensors: &BTreeMap<String, Tensor>, limit: u64) -> Result<()> {
    let bytes = |t: &Tensor| (t.numel() * t.kind().elt_size_in_bytes()) as u64;
    let mut shards: Vec<Vec<&String>> = vec![Vec::new()];
    let mut filled = 0;
    for (name, tensor) in tensors {
        let size = bytes(tensor);
        if filled > 0 && filled + size > limit {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += size;
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
        write_safetensors(&folder.join(&file), shard.iter().map(|name| (name.as_str(), &tensors[*name])))?;
        map.extend(shard.iter().map(|name| ((*name).clone(), Value::from(file.clone()))));
    }
    if total > 1 {
        let size: u64 = tensors.values().map(bytes).sum();
        let index = json!({"metadata": {"total_size": size}, "weight_map": map});
        write_json(&folder.join("model.safetensors.index.json"), &index)?;
    }
    Ok(())
}

fn llava_config(config: &VlmConfig, kind: Kind) -> Value {
    let name = kind_name(kind);
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

fn llama_config(config: &LlamaConfig, kind: &str) -> Value {
    let mut rope = json!({"rope_type": "default"});
    match &config.rope_scaling {
        None => {}
        Some(RopeScaling::Linear { factor }) => rope = json!({"rope_type": "linear", "factor": factor}),
        Some(RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        }) => {
            rope = json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": *original_max_position_embeddings as i64,
            });
        }
    }
    // transformers 4 reads rope_theta and rope_scaling, 5 reads rope_parameters; each ignores the other's.
    let scaling = if config.rope_scaling.is_some() { rope.clone() } else { Value::Null };
    let mut parameters = rope;
    parameters["rope_theta"] = json!(config.rope_theta);
    json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim(),
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.max_position_embeddings,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,
        "rope_scaling": scaling,
        "rope_parameters": parameters,
        "tie_word_embeddings": config.tie_word_embeddings,
        "attention_bias": false,
        "mlp_bias": false,
        "hidden_act": "silu",
        "bos_token_id": config.bos_token_id,
        "eos_token_id": ids(&config.eos_token_ids),
        "pad_token_id": config.pad_token_id,
        "initializer_range": config.initializer_range,
        "torch_dtype": kind,
    })
}

fn ids(ids: &[i64]) -> Value {
    match ids {
        [] => Value::Null,
        [one] => json!(one),
        many => json!(many),
    }
}

fn siglip_config(config: &SiglipConfig, layers: usize, kind: &str) -> Value {
    json!({
        "architectures": ["SiglipVisionModel"],
        "model_type": "siglip_vision_model",
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": layers,
        "num_attention_heads": config.num_attention_heads,
        "num_channels": 3,
        "image_size": config.image_size,
        "patch_size": config.patch_size,
        "layer_norm_eps": config.layer_norm_eps,
        "hidden_act": "gelu_pytorch_tanh",
        "vision_use_head": false,
        "torch_dtype": kind,
    })
}

fn generation_config(config: &LlamaConfig) -> Value {
    json!({
        "bos_token_id": config.bos_token_id,
        "eos_token_id": ids(&config.eos_token_ids),
        "pad_token_id": config.pad_token_id,
    })
}

fn write_vila(folder: &Path, config: &VlmConfig, weights: &Weights, options: &SaveOptions) -> Result<()> {
    let tensors = outgoing(weights, options)?;
    let name = kind_name(kind_of(&tensors));
    let downsample = config.projector.kind == ProjectorKind::MlpDownsample;
    let single = config.projector.kind == ProjectorKind::Linear;
    let mut parts: BTreeMap<&str, BTreeMap<String, Tensor>> = BTreeMap::new();
    for (full, tensor) in tensors {
        let (part, rest) = if let Some(rest) = full.strip_prefix("language_model.") {
            ("llm", rest.to_owned())
        } else if let Some(rest) = full.strip_prefix("vision_tower.") {
            ("vision_tower", rest.to_owned())
        } else if let Some(rest) = full.strip_prefix("multi_modal_projector.") {
            ("mm_projector", names::to_vila_projector(rest, downsample, single))
        } else {
            return Err(Error::config(format!("VILA's layout has no place for {full}")));
        };
        parts.entry(part).or_default().insert(rest, tensor);
    }
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
        write_shards(&home, parts.get(part).unwrap_or(&BTreeMap::new()), options.max_shard_bytes)?;
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
    write_json(&folder.join("config.json"), &root)
}

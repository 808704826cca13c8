//! SigLIP and SigLIP 2 (of fixed resolution) in Hugging Face's layout.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::ids::{Cleaning, Ids};
use super::parts::{linear, multi_head, norm};
use super::pixels;
use super::tower::{Parts, Tower, unsupported};
use crate::checkpoint::{Checkpoint, Contents, StoredTensors};
use crate::config::VisionConfig;
use crate::error::{Error, Result};
use crate::siglip::{EncoderLayer, PatchEmbedding, encoder};
use crate::storage::read_json;
use crate::unit::{ParamDef, Unit};
use crate::weights::Weights;

const IMAGE: &str = "vision_model";
const TEXT: &str = "text_model";

/// `text_config`, with transformers' defaults for missing keys.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct HfText {
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    vocab_size: i64,
    max_position_embeddings: usize,
    projection_size: Option<i64>,
    layer_norm_eps: f64,
    hidden_act: String,
}

impl Default for HfText {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            vocab_size: 32_000,
            max_position_embeddings: 64,
            projection_size: None,
            layer_norm_eps: 1e-6,
            hidden_act: "gelu_pytorch_tanh".into(),
        }
    }
}

/// Opens a folder with `config.json` and `model.safetensors` of a SigLIP.
pub(super) fn open(folder: &Path, device: Device, kind: Kind) -> Result<Parts> {
    let path = folder.join("config.json");
    let config = read_json(&path)?;
    let model_type = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    if model_type != "siglip" {
        let possible = "siglip, and OpenCLIP's folders with open_clip_config.json";
        return Err(unsupported("a contrastive encoder of model_type", model_type, possible));
    }
    let text = config.get("text_config").cloned().unwrap_or_else(|| Value::Object(Default::default()));
    let text: HfText = serde_json::from_value(text).map_err(Error::json(&path))?;
    if text.hidden_act != "gelu_pytorch_tanh" {
        return Err(unsupported("text_config.hidden_act", &text.hidden_act, "gelu_pytorch_tanh"));
    }
    let Contents::Vision(vision) = Checkpoint::open(folder)?.contents().clone() else {
        return Err(unsupported("the vision tower", "", "siglip"));
    };
    let processor = pixels::hugging_face(folder, vision.image_size)?;
    let ids = Ids::open(folder, text.max_position_embeddings, "</s>", Cleaning::Lowercase)?.full();
    let mut tensors = StoredTensors::default();
    tensors.add(folder, "model", str::to_owned)?;
    let (image, text) = (Image::new(vision), Text::new(&text));
    let defs: Vec<ParamDef> = image.defs().into_iter().chain(text.defs()).collect();
    let unused = |name: &str| name.starts_with("logit_") || name.ends_with(".position_ids");
    let weights = tensors.load(folder, &defs, device, kind, &unused)?;
    Ok(Parts { image: Box::new(image), text: Box::new(text), weights, processor, ids })
}

fn with_bias(defs: &mut Vec<ParamDef>, name: &str, from: i64, to: i64) {
    defs.push(ParamDef::matrix(format!("{name}.weight"), &[to, from], 0.02));
    defs.push(ParamDef::bias(format!("{name}.bias"), to));
}

fn norm_defs(defs: &mut Vec<ParamDef>, name: &str, size: i64) {
    defs.push(ParamDef::norm(format!("{name}.weight"), size));
    defs.push(ParamDef::bias(format!("{name}.bias"), size));
}

/// The vision tower with its pooling head: a learned query attends to all features.
struct Image {
    config: VisionConfig,
    patches: PatchEmbedding,
    layers: Vec<EncoderLayer>,
}

impl Image {
    fn new(config: VisionConfig) -> Self {
        Self { patches: PatchEmbedding::new(IMAGE, &config), layers: encoder(IMAGE, &config), config }
    }
}

impl Tower for Image {
    fn defs(&self) -> Vec<ParamDef> {
        let (d, m) = (self.config.hidden_size, self.config.intermediate_size);
        let mut defs = self.patches.spec().0;
        defs.extend(self.layers.iter().flat_map(|layer| layer.spec().0));
        let name = |end: &str| format!("{IMAGE}.{end}");
        defs.push(ParamDef::matrix(name("head.probe"), &[1, 1, d], 0.02));
        defs.push(ParamDef::matrix(name("head.attention.in_proj_weight"), &[3 * d, d], 0.02));
        defs.push(ParamDef::bias(name("head.attention.in_proj_bias"), 3 * d));
        with_bias(&mut defs, &name("head.attention.out_proj"), d, d);
        with_bias(&mut defs, &name("head.mlp.fc1"), d, m);
        with_bias(&mut defs, &name("head.mlp.fc2"), m, d);
        norm_defs(&mut defs, &name("head.layernorm"), d);
        norm_defs(&mut defs, &name("post_layernorm"), d);
        defs
    }

    fn embed(&self, weights: &Weights, pixels: &Tensor) -> Result<Tensor> {
        let mut x = self.patches.run(&weights.params_of(&self.patches)?, pixels)?;
        for layer in &self.layers {
            x = layer.run(&weights.params_of(layer)?, &x)?;
        }
        let name = |end: &str| format!("{IMAGE}.{end}");
        let x = norm(weights, &x, &name("post_layernorm"), self.config.layer_norm_eps)?;
        let (n, _, d) = x.size3()?;
        let probe = weights.get(&name("head.probe"))?.f_expand([n, 1, d], false)?;
        let heads = self.config.num_attention_heads;
        let seen = multi_head(weights, &probe, &x, &name("head.attention"), heads)?;
        let wide = norm(weights, &seen, &name("head.layernorm"), self.config.layer_norm_eps)?;
        let wide = linear(weights, &wide, &name("head.mlp.fc1"))?.f_gelu("tanh")?;
        let out = seen.f_add(&linear(weights, &wide, &name("head.mlp.fc2"))?)?;
        Ok(out.f_select(1, 0)?)
    }
}

/// The text tower: all positions attend to all others, padding included, and the last one is the text's vector.
struct Text {
    layers: Vec<EncoderLayer>,
    width: i64,
    words: i64,
    positions: i64,
    out: i64,
    eps: f64,
}

impl Text {
    fn new(config: &HfText) -> Self {
        let sizes = VisionConfig {
            hidden_size: config.hidden_size,
            intermediate_size: config.intermediate_size,
            num_hidden_layers: config.num_hidden_layers,
            num_attention_heads: config.num_attention_heads,
            layer_norm_eps: config.layer_norm_eps,
            ..VisionConfig::default()
        };
        Self {
            layers: encoder(TEXT, &sizes),
            width: config.hidden_size,
            words: config.vocab_size,
            positions: config.max_position_embeddings as i64,
            out: config.projection_size.unwrap_or(config.hidden_size),
            eps: config.layer_norm_eps,
        }
    }
}

impl Tower for Text {
    fn defs(&self) -> Vec<ParamDef> {
        let name = |end: &str| format!("{TEXT}.{end}");
        let mut defs = vec![
            ParamDef::matrix(name("embeddings.token_embedding.weight"), &[self.words, self.width], 0.02),
            ParamDef::matrix(
                name("embeddings.position_embedding.weight"),
                &[self.positions, self.width],
                0.02,
            ),
        ];
        defs.extend(self.layers.iter().flat_map(|layer| layer.spec().0));
        norm_defs(&mut defs, &name("final_layer_norm"), self.width);
        with_bias(&mut defs, &name("head"), self.width, self.out);
        defs
    }

    fn embed(&self, weights: &Weights, ids: &Tensor) -> Result<Tensor> {
        let name = |end: &str| format!("{TEXT}.{end}");
        let (_, length) = ids.size2()?;
        if length > self.positions {
            let reason = format!("texts have {length} ids, but the text tower takes {}", self.positions);
            return Err(Error::Batch { reason });
        }
        let words = weights.get(&name("embeddings.token_embedding.weight"))?;
        let places = weights.get(&name("embeddings.position_embedding.weight"))?.f_narrow(0, 0, length)?;
        let mut x = Tensor::f_embedding(words, ids, -1, false, false)?.f_add(&places)?;
        for layer in &self.layers {
            x = layer.run(&weights.params_of(layer)?, &x)?;
        }
        let last = norm(weights, &x, &name("final_layer_norm"), self.eps)?.f_select(1, -1)?;
        linear(weights, &last, &name("head"))
    }
}

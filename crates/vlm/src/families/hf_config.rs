//! Hugging Face's `config.json`: reading, with transformers' own defaults for missing keys.

use serde::Deserialize;
use serde_json::Value;

use crate::config::{
    ImageTokenId, LlamaConfig, ProjectorConfig, ProjectorKind, RopeScaling, VisionConfig, VlmConfig,
};
use crate::error::{Error, Result};

/// `text_config`, or the config of a Llama alone. The defaults are those of transformers' `LlamaConfig`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct HfLlama {
    model_type: String,
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    num_key_value_heads: Option<i64>,
    head_dim: Option<i64>,
    vocab_size: i64,
    max_position_embeddings: i64,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    tie_word_embeddings: bool,
    attention_bias: bool,
    mlp_bias: bool,
    hidden_act: String,
    bos_token_id: Option<i64>,
    eos_token_id: Option<OneOrMany>,
    pad_token_id: Option<i64>,
    initializer_range: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(i64),
    Many(Vec<i64>),
}

impl Default for HfLlama {
    fn default() -> Self {
        Self {
            model_type: "llama".to_owned(),
            hidden_size: 4096,
            intermediate_size: 11008,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: None,
            head_dim: None,
            vocab_size: 32000,
            max_position_embeddings: 2048,
            rms_norm_eps: 1e-6,
            rope_theta: None,
            rope_scaling: None,
            rope_parameters: None,
            tie_word_embeddings: false,
            attention_bias: false,
            mlp_bias: false,
            hidden_act: "silu".to_owned(),
            bos_token_id: Some(1),
            eos_token_id: Some(OneOrMany::One(2)),
            pad_token_id: None,
            initializer_range: 0.02,
        }
    }
}

impl HfLlama {
    pub(crate) fn config(&self) -> Result<LlamaConfig> {
        if self.model_type != "llama" {
            return Err(unsupported("language model", &self.model_type, "llama"));
        }
        if self.attention_bias || self.mlp_bias {
            return Err(Error::config("Llama with biases (attention_bias, mlp_bias) is not supported"));
        }
        if self.hidden_act != "silu" {
            return Err(unsupported("activation of the language model", &self.hidden_act, "silu"));
        }
        let (rope_theta, rope_scaling) = self.rope()?;
        let eos = match &self.eos_token_id {
            None => Vec::new(),
            Some(OneOrMany::One(id)) => vec![*id],
            Some(OneOrMany::Many(ids)) => ids.clone(),
        };
        Ok(LlamaConfig {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            num_key_value_heads: self.num_key_value_heads.unwrap_or(self.num_attention_heads),
            head_dim: self.head_dim,
            vocab_size: self.vocab_size,
            max_position_embeddings: self.max_position_embeddings,
            rms_norm_eps: self.rms_norm_eps,
            rope_theta,
            rope_scaling,
            tie_word_embeddings: self.tie_word_embeddings,
            bos_token_id: self.bos_token_id.unwrap_or(1),
            pad_token_id: self.pad_token_id.or(eos.first().copied()).unwrap_or(0),
            eos_token_ids: eos,
            initializer_range: self.initializer_range,
        })
    }

    /// transformers 4 writes `rope_theta` and `rope_scaling`, 5 only `rope_parameters`.
    fn rope(&self) -> Result<(f64, Option<RopeScaling>)> {
        let object = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref()).filter(|v| v.is_object());
        let number = |key: &str| object.and_then(|o| o.get(key)).and_then(Value::as_f64);
        let theta = number("rope_theta").or(self.rope_theta).unwrap_or(1e4);
        let kind = object
            .and_then(|o| o.get("rope_type").or_else(|| o.get("type")))
            .and_then(Value::as_str)
            .unwrap_or("default");
        let need = |key: &str| {
            number(key).ok_or_else(|| Error::config(format!("rope type {kind} without its key {key}")))
        };
        let scaling = match kind {
            "default" => None,
            "linear" => Some(RopeScaling::Linear { factor: need("factor")? }),
            "llama3" => Some(RopeScaling::Llama3 {
                factor: need("factor")?,
                low_freq_factor: need("low_freq_factor")?,
                high_freq_factor: need("high_freq_factor")?,
                original_max_position_embeddings: need("original_max_position_embeddings")?,
            }),
            other => return Err(unsupported("rope type", other, "default, linear, llama3")),
        };
        Ok((theta, scaling))
    }
}

/// `vision_config`, or the config of a SigLIP vision tower alone. The defaults are those of transformers'
/// `SiglipVisionConfig`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct HfSiglip {
    model_type: String,
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    image_size: i64,
    patch_size: i64,
    num_channels: i64,
    layer_norm_eps: f64,
    hidden_act: String,
}

impl Default for HfSiglip {
    fn default() -> Self {
        Self {
            model_type: "siglip_vision_model".to_owned(),
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            image_size: 224,
            patch_size: 16,
            num_channels: 3,
            layer_norm_eps: 1e-6,
            hidden_act: "gelu_pytorch_tanh".to_owned(),
        }
    }
}

impl HfSiglip {
    /// `feature_layer` is an index into the hidden states, of which there is one more than layers; negative ones count
    /// from the end.
    pub(crate) fn config(&self, feature_layer: i64) -> Result<VisionConfig> {
        if !matches!(self.model_type.as_str(), "siglip_vision_model" | "siglip") {
            return Err(unsupported("vision tower", &self.model_type, "siglip_vision_model"));
        }
        if self.num_channels != 3 {
            return Err(Error::config(format!(
                "{} colour channels are not supported (supported: 3)",
                self.num_channels
            )));
        }
        if self.hidden_act != "gelu_pytorch_tanh" {
            return Err(unsupported("activation of the vision tower", &self.hidden_act, "gelu_pytorch_tanh"));
        }
        let states = self.num_hidden_layers as i64 + 1;
        let state = if feature_layer < 0 { states + feature_layer } else { feature_layer };
        if !(0..states).contains(&state) {
            return Err(Error::config(format!(
                "vision_feature_layer is {feature_layer}, but there are only {states} hidden states"
            )));
        }
        Ok(VisionConfig {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_hidden_layers: state as usize,
            num_attention_heads: self.num_attention_heads,
            image_size: self.image_size,
            patch_size: self.patch_size,
            layer_norm_eps: self.layer_norm_eps,
            position_std: None,
            options: serde_json::Map::new(),
        })
    }
}

/// `config.json` of `LlavaForConditionalGeneration`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct HfLlava {
    text_config: HfLlama,
    vision_config: HfSiglip,
    image_token_index: Option<i64>,
    image_token_id: Option<i64>,
    #[serde(default = "layer_minus_two")]
    vision_feature_layer: Value,
    #[serde(default = "select_default")]
    vision_feature_select_strategy: String,
    #[serde(default = "gelu")]
    projector_hidden_act: String,
    /// At the top level in some versions.
    tie_word_embeddings: Option<bool>,
}

fn layer_minus_two() -> Value {
    Value::from(-2)
}

fn select_default() -> String {
    "default".to_owned()
}

fn gelu() -> String {
    "gelu".to_owned()
}

impl HfLlava {
    pub(crate) fn config(&self) -> Result<VlmConfig> {
        if self.vision_feature_select_strategy != "full" {
            return Err(unsupported(
                "vision_feature_select_strategy",
                &self.vision_feature_select_strategy,
                "full",
            ));
        }
        if self.projector_hidden_act != "gelu" {
            return Err(unsupported("activation of the projector", &self.projector_hidden_act, "gelu"));
        }
        let layer = self.vision_feature_layer.as_i64().ok_or_else(|| {
            Error::config(
                "vision_feature_layer is not a number; features of several layers are not supported",
            )
        })?;
        let mut language = self.text_config.config()?;
        language.tie_word_embeddings |= self.tie_word_embeddings.unwrap_or(false);
        Ok(VlmConfig {
            vision: self.vision_config.config(layer)?,
            projector: ProjectorConfig { kind: ProjectorKind::Mlp2xGelu },
            language,
            image_token_id: ImageTokenId(self.image_token_index.or(self.image_token_id).unwrap_or(32000)),
            options: serde_json::Map::new(),
        })
    }
}

/// `config.json` of VILA's layout. The parts' own configs are in it, or in their folders.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct HfVila {
    pub(crate) llm_cfg: Option<Value>,
    pub(crate) vision_tower_cfg: Option<Value>,
    pub(crate) mm_projector_cfg: Option<Value>,
    #[serde(default = "layer_minus_two")]
    pub(crate) mm_vision_select_layer: Value,
    #[serde(default = "cls_patch")]
    mm_vision_select_feature: String,
    /// This project's own key: VILA stores no id of `<image>`, since it splices images in by position.
    image_token_index: Option<i64>,
}

fn cls_patch() -> String {
    "cls_patch".to_owned()
}

/// `mm_projector/config.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VilaProjectorConfig {
    mm_projector_type: ProjectorKind,
}

impl HfVila {
    pub(crate) fn config(
        &self,
        language: &HfLlama,
        vision: &HfSiglip,
        projector: &VilaProjectorConfig,
    ) -> Result<VlmConfig> {
        if self.mm_vision_select_feature != "cls_patch" {
            return Err(unsupported("mm_vision_select_feature", &self.mm_vision_select_feature, "cls_patch"));
        }
        let layer = self.mm_vision_select_layer.as_i64().unwrap_or(-2);
        let language = language.config()?;
        // The first spare row of the vocabulary would serve; without the tokenizer, the last row is the safe choice.
        let image = self.image_token_index.unwrap_or(language.vocab_size - 1);
        Ok(VlmConfig {
            vision: vision.config(layer)?,
            projector: ProjectorConfig { kind: projector.mm_projector_type },
            language,
            image_token_id: ImageTokenId(image),
            options: serde_json::Map::new(),
        })
    }
}

fn unsupported(what: &str, found: &str, supported: &str) -> Error {
    Error::config(format!("{what} {found} is not supported (supported: {supported})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn llama(config: Value) -> Result<LlamaConfig> {
        serde_json::from_value::<HfLlama>(config).unwrap().config()
    }

    #[test]
    fn rope_of_both_generations() {
        let old = llama(json!({"rope_theta": 5e4, "rope_scaling": null})).unwrap();
        let new = llama(json!({"rope_parameters": {"rope_theta": 5e4, "rope_type": "default"}})).unwrap();
        assert_eq!(old, new);
        let linear = llama(json!({"rope_scaling": {"type": "linear", "factor": 2.0}})).unwrap();
        assert_eq!(linear.rope_scaling, Some(RopeScaling::Linear { factor: 2.0 }));
        assert!(llama(json!({"rope_scaling": {"rope_type": "yarn", "factor": 2.0}})).is_err());
        assert!(llama(json!({"rope_scaling": {"rope_type": "llama3", "factor": 2.0}})).is_err());
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        assert!(llama(json!({"model_type": "mistral"})).is_err());
        assert!(llama(json!({"attention_bias": true})).is_err());
        let vision = |v: Value| serde_json::from_value::<HfSiglip>(v).unwrap();
        assert!(vision(json!({"model_type": "clip_vision_model"})).config(-1).is_err());
        assert!(vision(json!({"hidden_act": "quick_gelu"})).config(-1).is_err());
        assert!(vision(json!({})).config(-14).is_err());
    }

    #[test]
    fn feature_layers_count_from_both_ends() {
        let vision = serde_json::from_value::<HfSiglip>(json!({"num_hidden_layers": 3})).unwrap();
        for (layer, run) in [(-1, 3), (-2, 2), (2, 2), (0, 0)] {
            assert_eq!(vision.config(layer).unwrap().num_hidden_layers, run);
        }
    }
}

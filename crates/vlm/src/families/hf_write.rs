//! Hugging Face's `config.json` of the parts: writing.

use serde_json::{Value, json};

use crate::config::{LlamaConfig, RopeScaling, VisionConfig};

/// `config.json` of `LlamaForCausalLM`, for transformers 4 and 5.
pub(super) fn llama_config(config: &LlamaConfig, kind: &str) -> Value {
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

/// `config.json` of `SiglipVisionModel` with this many layers.
pub(super) fn siglip_config(config: &VisionConfig, layers: usize, kind: &str) -> Value {
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

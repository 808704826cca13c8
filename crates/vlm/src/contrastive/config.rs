//! `open_clip_config.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::storage::read_json;

/// The file. Missing keys have OpenCLIP's own defaults.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OpenClip {
    pub(super) model_cfg: ClipModel,
    #[serde(default)]
    pub(super) preprocess_cfg: Preprocess,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ClipModel {
    pub(super) embed_dim: i64,
    pub(super) vision_cfg: ClipVision,
    pub(super) text_cfg: ClipText,
    #[serde(default)]
    pub(super) quick_gelu: bool,
}

/// The vision tower.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct ClipVision {
    pub(super) layers: usize,
    pub(super) width: i64,
    pub(super) head_width: i64,
    pub(super) mlp_ratio: f64,
    pub(super) patch_size: i64,
    pub(super) image_size: i64,
    pub(super) no_ln_pre: bool,
    pub(super) final_ln_after_pool: bool,
    pub(super) pool_type: String,
    /// All other settings.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Default for ClipVision {
    fn default() -> Self {
        Self {
            layers: 12,
            width: 768,
            head_width: 64,
            mlp_ratio: 4.0,
            patch_size: 16,
            image_size: 224,
            no_ln_pre: false,
            final_ln_after_pool: false,
            pool_type: "tok".into(),
            others: BTreeMap::new(),
        }
    }
}

impl ClipVision {
    /// A setting that changes the result and is not supported. Dropout of patches matters only in training, position
    /// embeddings of any origin are in the checkpoint, and `output_tokens` adds an output.
    pub(super) fn unsupported(&self) -> Option<&str> {
        let harmless =
            ["patch_dropout", "pos_embed_type", "output_tokens", "attn_pooler_queries", "attn_pooler_heads"];
        let set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let mut others = self.others.iter().filter(|(name, value)| {
            let of_timm = name.starts_with("timm_") && *name != "timm_model_name";
            set(value) && !of_timm && !harmless.contains(&name.as_str())
        });
        others.next().map(|(name, _)| name.as_str())
    }
}

/// The text tower.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct ClipText {
    pub(super) context_length: usize,
    pub(super) hf_model_name: Option<String>,
    /// `proj` in older files.
    #[serde(alias = "proj")]
    pub(super) hf_proj_type: Option<String>,
    #[serde(alias = "pooler_type")]
    pub(super) hf_pooler_type: String,
}

impl Default for ClipText {
    fn default() -> Self {
        Self {
            context_length: 77,
            hf_model_name: None,
            hf_proj_type: Some("mlp".into()),
            hf_pooler_type: "mean_pooler".into(),
        }
    }
}

/// How images are preprocessed.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Preprocess {
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) interpolation: String,
    pub(super) resize_mode: String,
}

impl Default for Preprocess {
    /// OpenAI's numbers, OpenCLIP's defaults.
    fn default() -> Self {
        Self {
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
            interpolation: "bicubic".into(),
            resize_mode: "shortest".into(),
        }
    }
}

impl OpenClip {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("open_clip_config.json");
        serde_json::from_value(read_json(&path)?).map_err(Error::json(&path))
    }
}

//! Sizes of models, as plain data.
//!
//! These types are this project's own, for recipes in TOML: unknown keys are refused. Hugging Face's `config.json`,
//! which has many keys that do not matter here, is read and written by the model families.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Sizes of a vision-language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct VlmConfig {
    /// The vision tower.
    pub vision: VisionConfig,
    /// The projector from its features to the language model.
    pub projector: ProjectorConfig,
    /// The language model.
    pub language: LlamaConfig,
    /// Id of `<image>`: each feature of an image takes one place of this id in `input_ids`. By default 99574, the
    /// first spare row of the llm-jp vocabulary (99,574 pieces in 99,584 rows).
    pub image_token_id: ImageTokenId,
    /// Settings that only the model's family reads. The families of this crate read none.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// Id of `<image>`, with its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageTokenId(pub i64);

impl Default for ImageTokenId {
    fn default() -> Self {
        Self(99_574)
    }
}

/// Sizes of a vision transformer. The defaults are those of `siglip-so400m-patch14-384`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VisionConfig {
    /// Width.
    pub hidden_size: i64,
    /// Width inside the MLP.
    pub intermediate_size: i64,
    /// Layers that are run. Features are the output of the last of them, before `post_layernorm`.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Height and width of an image in pixels.
    pub image_size: i64,
    /// Height and width of a patch in pixels. Pixels beyond the last whole patch are ignored.
    pub patch_size: i64,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
    /// Standard deviation of the initial position embeddings. By default `1 / sqrt(hidden_size)`, as in transformers. That
    /// is small compared with the patch embeddings: a tower trained from scratch on little data learns positions much
    /// sooner with about 0.7.
    pub position_std: Option<f64>,
    /// Settings that only the model's family reads, such as those of its pretrained encoder.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub options: serde_json::Map<String, serde_json::Value>,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 1152,
            intermediate_size: 4304,
            num_hidden_layers: 27,
            num_attention_heads: 16,
            image_size: 384,
            patch_size: 14,
            layer_norm_eps: 1e-6,
            position_std: None,
            options: serde_json::Map::new(),
        }
    }
}

impl VisionConfig {
    /// Patches along one side.
    #[must_use]
    pub fn grid(&self) -> i64 {
        self.image_size / self.patch_size
    }

    /// Patches of one image.
    #[must_use]
    pub fn tokens(&self) -> i64 {
        self.grid() * self.grid()
    }
}

/// Kind of projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ProjectorKind {
    /// One linear layer.
    Linear,
    /// Two linear layers with GELU between them (the paper's).
    #[default]
    #[serde(rename = "mlp2x_gelu")]
    Mlp2xGelu,
    /// Concatenates neighbouring 2 x 2 features, then a norm and two linear layers with GELU between them: a quarter of
    /// the tokens.
    MlpDownsample,
}

/// The projector from the vision tower's width to the language model's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectorConfig {
    /// Its architecture.
    pub kind: ProjectorKind,
}

/// Sizes of a Llama. The defaults are those of `llm-jp-3-13b-instruct`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlamaConfig {
    /// Width.
    pub hidden_size: i64,
    /// Width inside the MLP.
    pub intermediate_size: i64,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: i64,
    /// Key and value heads (grouped-query attention where there are fewer).
    pub num_key_value_heads: i64,
    /// Width of a head; `hidden_size / num_attention_heads` if not given.
    pub head_dim: Option<i64>,
    /// Rows of the embedding.
    pub vocab_size: i64,
    /// Longest sequence, in tokens.
    pub max_position_embeddings: i64,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Scaling of the rotary frequencies for longer contexts.
    pub rope_scaling: Option<RopeScaling>,
    /// Whether the head shares the embedding's matrix.
    pub tie_word_embeddings: bool,
    /// Id of the token that starts a text.
    pub bos_token_id: i64,
    /// Ids of the tokens that end a text.
    pub eos_token_ids: Vec<i64>,
    /// Id of the padding token.
    pub pad_token_id: i64,
    /// Standard deviation of initial matrices.
    pub initializer_range: f64,
}

impl Default for LlamaConfig {
    fn default() -> Self {
        Self {
            hidden_size: 5120,
            intermediate_size: 13824,
            num_hidden_layers: 40,
            num_attention_heads: 40,
            num_key_value_heads: 40,
            head_dim: None,
            vocab_size: 99_584,
            max_position_embeddings: 4096,
            rms_norm_eps: 1e-5,
            rope_theta: 1e4,
            rope_scaling: None,
            tie_word_embeddings: false,
            bos_token_id: 1,
            eos_token_ids: vec![2],
            pad_token_id: 4,
            initializer_range: 0.02,
        }
    }
}

impl LlamaConfig {
    /// Width of a head.
    #[must_use]
    pub fn head_dim(&self) -> i64 {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }
}

/// How rotary frequencies are scaled for contexts longer than those of the original training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase", deny_unknown_fields)]
pub enum RopeScaling {
    /// Divides all frequencies by `factor`.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1's: divides low frequencies by `factor`, keeps high ones, and interpolates between them.
    Llama3 {
        /// The divisor of low frequencies.
        factor: f64,
        /// Wavelengths above `original / low_freq_factor` are low frequencies.
        low_freq_factor: f64,
        /// Wavelengths below `original / high_freq_factor` are high frequencies.
        high_freq_factor: f64,
        /// Context length of the original training.
        original_max_position_embeddings: f64,
    },
}

impl VlmConfig {
    /// Features that this projector gives for one image, without a class token: the number of `<image>` tokens of an
    /// image in the families of this crate.
    #[must_use]
    pub fn image_tokens(&self) -> i64 {
        match self.projector.kind {
            ProjectorKind::Linear | ProjectorKind::Mlp2xGelu => self.vision.tokens(),
            ProjectorKind::MlpDownsample => ((self.vision.grid() + 1) / 2).pow(2),
        }
    }

    /// Checks what the types alone do not: sizes that divide each other, ids within the vocabulary.
    ///
    /// # Errors
    /// [`Error::Config`] naming the invalid value.
    pub fn validate(&self) -> Result<()> {
        let (v, l) = (&self.vision, &self.language);
        positive(&[
            ("vision.hidden_size", v.hidden_size),
            ("vision.intermediate_size", v.intermediate_size),
            ("vision.num_attention_heads", v.num_attention_heads),
            ("vision.patch_size", v.patch_size),
            ("language.hidden_size", l.hidden_size),
            ("language.intermediate_size", l.intermediate_size),
            ("language.num_attention_heads", l.num_attention_heads),
            ("language.num_key_value_heads", l.num_key_value_heads),
            ("language.head_dim", l.head_dim()),
            ("language.vocab_size", l.vocab_size),
        ])?;
        let rules = [
            (v.image_size >= v.patch_size, "vision.image_size is smaller than vision.patch_size"),
            (
                v.hidden_size % v.num_attention_heads == 0,
                "vision.hidden_size is not a multiple of vision.num_attention_heads",
            ),
            (
                l.num_attention_heads % l.num_key_value_heads == 0,
                "language.num_attention_heads is not a multiple of language.num_key_value_heads",
            ),
            (l.head_dim() % 2 == 0, "language.head_dim is odd, but rotary embeddings need pairs"),
            (
                (0..l.vocab_size).contains(&self.image_token_id.0),
                "image_token_id is outside the vocabulary (language.vocab_size)",
            ),
            (l.rope_theta > 0.0, "language.rope_theta is not positive"),
            (
                !matches!(&l.rope_scaling, Some(RopeScaling::Linear { factor } | RopeScaling::Llama3 { factor, .. }) if *factor <= 0.0),
                "language.rope_scaling.factor is not positive",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(Error::config(*reason)),
            None => Ok(()),
        }
    }
}

fn positive(values: &[(&str, i64)]) -> Result<()> {
    match values.iter().find(|(_, value)| *value <= 0) {
        Some((name, value)) => Err(Error::config(format!("{name} is {value} but must be positive"))),
        None => Ok(()),
    }
}

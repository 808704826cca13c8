//! What a model is built from: sizes, as plain data.
//!
//! These types are this project's own, for recipes in TOML: unknown keys are refused. Hugging Face's `config.json`,
//! which has many keys that do not matter here, is read and written by the checkpoint reader.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A whole vision-language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct VlmConfig {
    /// The picture encoder.
    pub vision: SiglipConfig,
    /// What leads from its features to the language model.
    pub projector: ProjectorConfig,
    /// The language model.
    pub language: LlamaConfig,
    /// Id of `<image>`: each feature of a picture takes one place of this id in `input_ids`. By default 99574, the
    /// first spare row of the llm-jp vocabulary (99,574 pieces in 99,584 rows).
    pub image_token_id: ImageTokenId,
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

/// SigLIP's vision transformer. The defaults are those of `siglip-so400m-patch14-384`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiglipConfig {
    /// Width.
    pub hidden_size: i64,
    /// Width inside the MLP.
    pub intermediate_size: i64,
    /// Layers that are run: features are the output of the last of them, before `post_layernorm`.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Height and width of a picture in pixels.
    pub image_size: i64,
    /// Height and width of a patch in pixels. Pixels beyond the last whole patch are not seen.
    pub patch_size: i64,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
    /// Standard deviation of the first position vectors, where nothing is loaded. By default `1 / sqrt(hidden_size)`, as
    /// transformers begins; that is small beside what a patch gives, and a tower that learns from little data finds places
    /// much sooner with some 0.7.
    pub position_std: Option<f64>,
}

impl Default for SiglipConfig {
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
        }
    }
}

impl SiglipConfig {
    /// Patches along one side.
    #[must_use]
    pub fn grid(&self) -> i64 {
        self.image_size / self.patch_size
    }

    /// Features of one picture.
    #[must_use]
    pub fn tokens(&self) -> i64 {
        self.grid() * self.grid()
    }
}

/// Kind of projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ProjectorKind {
    /// One matrix.
    Linear,
    /// Two matrices with GELU between (the paper's).
    #[default]
    #[serde(rename = "mlp2x_gelu")]
    Mlp2xGelu,
    /// Neighbouring 2 x 2 features joined to one, a norm, then two matrices with GELU between: a quarter of the tokens.
    MlpDownsample,
}

/// What leads from the vision tower's width to the language model's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectorConfig {
    /// Which one.
    pub kind: ProjectorKind,
}

/// Llama. The defaults are those of `llm-jp-3-13b-instruct`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlamaConfig {
    /// Width.
    pub hidden_size: i64,
    /// Width inside the MLP.
    pub intermediate_size: i64,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Heads of queries.
    pub num_attention_heads: i64,
    /// Heads of keys and values (grouped-query attention where fewer).
    pub num_key_value_heads: i64,
    /// Width of a head; `hidden_size / num_attention_heads` where not given.
    pub head_dim: Option<i64>,
    /// Rows of the embedding.
    pub vocab_size: i64,
    /// Longest sequence in tokens.
    pub max_position_embeddings: i64,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Change of the rotary frequencies for longer contexts.
    pub rope_scaling: Option<RopeScaling>,
    /// Whether the head is the embedding.
    pub tie_word_embeddings: bool,
    /// Id that starts a text.
    pub bos_token_id: i64,
    /// Ids that end a text.
    pub eos_token_ids: Vec<i64>,
    /// Id that fills rows.
    pub pad_token_id: i64,
    /// Standard deviation of the first values of matrices.
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

/// How rotary frequencies are changed for contexts longer than the model was first trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase", deny_unknown_fields)]
pub enum RopeScaling {
    /// All frequencies divided by `factor`.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1's: low frequencies divided by `factor`, high ones kept, those between mixed.
    Llama3 {
        /// The divisor of low frequencies.
        factor: f64,
        /// Wavelengths above `original / low_freq_factor` are low frequencies.
        low_freq_factor: f64,
        /// Wavelengths below `original / high_freq_factor` are high frequencies.
        high_freq_factor: f64,
        /// Context length before the change.
        original_max_position_embeddings: f64,
    },
}

impl VlmConfig {
    /// Features the projector gives for one picture, which is the number of `<image>` tokens it takes in a row.
    #[must_use]
    pub fn image_tokens(&self) -> i64 {
        match self.projector.kind {
            ProjectorKind::Linear | ProjectorKind::Mlp2xGelu => self.vision.tokens(),
            ProjectorKind::MlpDownsample => ((self.vision.grid() + 1) / 2).pow(2),
        }
    }

    /// Checks what the types alone do not: sizes that divide each other, ids inside the vocabulary.
    ///
    /// # Errors
    /// [`Error::Config`] saying which value is impossible.
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
            (v.hidden_size % v.num_attention_heads == 0, "vision.hidden_size is no multiple of its heads"),
            (
                l.num_attention_heads % l.num_key_value_heads == 0,
                "language.num_attention_heads is no multiple of num_key_value_heads",
            ),
            (l.head_dim() % 2 == 0, "language.head_dim is odd, rotary positions need pairs"),
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
        Some((name, value)) => Err(Error::config(format!("{name} is {value}, it has to be positive"))),
        None => Ok(()),
    }
}

//! SigLIP's vision transformer as units.

use std::sync::Arc;

use tch::Tensor;

use crate::attention;
use crate::config::VisionConfig;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::unit::{Acts, ParamDef, ParamSpec, Params, Unit, Work};

/// Prefix of the tower's parameters in a checkpoint.
const PREFIX: &str = "vision_tower.vision_model";

/// SigLIP up to the output of its last layer. Neither `post_layernorm` nor the pooling head is run, since the language
/// model reads the features before them.
#[derive(Debug, Clone)]
pub struct Siglip(VisionConfig);

impl Siglip {
    /// A tower of these sizes.
    #[must_use]
    pub fn new(config: VisionConfig) -> Self {
        Self(config)
    }

    /// The units, first to last.
    #[must_use]
    pub fn units(&self) -> Vec<Arc<dyn Unit>> {
        let mut units: Vec<Arc<dyn Unit>> = vec![Arc::new(PatchEmbedding::new(PREFIX, &self.0))];
        for layer in encoder(PREFIX, &self.0) {
            units.push(Arc::new(layer));
        }
        units
    }
}

/// The layers of an encoder with this prefix. SigLIP's encoders of images and of texts are alike.
pub(crate) fn encoder(prefix: &str, config: &VisionConfig) -> Vec<EncoderLayer> {
    let name = |layer| format!("{prefix}.encoder.layers.{layer}");
    (0..config.num_hidden_layers)
        .map(|layer| EncoderLayer { name: name(layer), config: config.clone() })
        .collect()
}

/// Standard deviation that preserves variance in a layer with this many inputs.
fn fan_in(inputs: i64) -> f64 {
    (1.0 / inputs as f64).sqrt()
}

/// Embeds patches and adds a learned vector for each position: pixels `[n,3,h,w]` to `[n,patches,d]`.
#[derive(Debug)]
pub(crate) struct PatchEmbedding {
    name: String,
    config: VisionConfig,
}

impl PatchEmbedding {
    pub(crate) fn new(prefix: &str, config: &VisionConfig) -> Self {
        Self { name: format!("{prefix}.embeddings"), config: config.clone() }
    }

    pub(crate) fn run(&self, params: &Params, pixels: &Tensor) -> Result<Tensor> {
        let weight = params.at(&self.name, "patch_embedding.weight")?;
        let bias = params.at(&self.name, "patch_embedding.bias")?;
        let side = self.config.image_size;
        let (_, channels, h, w) = pixels.size4()?;
        if (channels, h, w) != (3, side, side) {
            return Err(Error::Batch {
                reason: format!(
                    "images are {channels} x {h} x {w}, but the vision tower takes 3 x {side} x {side}"
                ),
            });
        }
        let pixels = pixels.f_to_kind(weight.kind())?;
        let p = self.config.patch_size;
        let patches = pixels.f_conv2d(weight, Some(bias), [p, p], [0, 0], [1, 1], 1)?;
        let x = patches.f_flatten(2, -1)?.f_transpose(1, 2)?;
        Ok(x.f_add(params.at(&self.name, "position_embedding.weight")?)?)
    }
}

impl Unit for PatchEmbedding {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let (d, p) = (self.config.hidden_size, self.config.patch_size);
        let name = |end: &str| format!("{}.{end}", self.name);
        ParamSpec(vec![
            ParamDef::matrix(name("patch_embedding.weight"), &[d, 3, p, p], fan_in(3 * p * p)),
            ParamDef::bias(name("patch_embedding.bias"), d),
            ParamDef::matrix(
                name("position_embedding.weight"),
                &[self.config.tokens(), d],
                self.config.position_std.unwrap_or(fan_in(d)),
            ),
        ])
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        Ok(Acts::new(self.run(params, &acts.x)?))
    }

    fn flops(&self, work: &Work) -> f64 {
        let (d, p) = (self.config.hidden_size, self.config.patch_size);
        2.0 * work.positions * (3 * p * p * d) as f64
    }
}

/// One encoder layer: norm, attention, norm, MLP, with residuals; `[n,patches,d]` to the same.
#[derive(Debug)]
pub(crate) struct EncoderLayer {
    name: String,
    config: VisionConfig,
}

impl EncoderLayer {
    pub(crate) fn run(&self, params: &Params, x: &Tensor) -> Result<Tensor> {
        let x = x.f_add(&self.attend(params, &self.norm(params, x, "layer_norm1")?)?)?;
        let wide = self.linear(params, &self.norm(params, &x, "layer_norm2")?, "mlp.fc1")?;
        let mlp = self.linear(params, &wide.f_gelu("tanh")?, "mlp.fc2")?;
        Ok(x.f_add(&mlp)?)
    }

    fn linear(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        let weight = params.at(&self.name, &format!("{name}.weight"))?;
        let bias = params.at(&self.name, &format!("{name}.bias"))?;
        Ok(x.f_linear(weight, Some(bias))?)
    }

    fn norm(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        let weight = params.at(&self.name, &format!("{name}.weight"))?;
        let bias = params.at(&self.name, &format!("{name}.bias"))?;
        Ok(x.f_layer_norm(
            [self.config.hidden_size],
            Some(weight),
            Some(bias),
            self.config.layer_norm_eps,
            true,
        )?)
    }

    fn attend(&self, params: &Params, x: &Tensor) -> Result<Tensor> {
        let heads = self.config.num_attention_heads;
        let part = |name| attention::split_heads(&self.linear(params, x, name)?, heads);
        let (q, k, v) = (part("self_attn.q_proj")?, part("self_attn.k_proj")?, part("self_attn.v_proj")?);
        let seen = attention::join_heads(&attention::sdpa(&q, &k, &v, None, false)?)?;
        self.linear(params, &seen, "self_attn.out_proj")
    }
}

impl Unit for EncoderLayer {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let (d, m) = (self.config.hidden_size, self.config.intermediate_size);
        let mut defs = Vec::new();
        let mut linear = |name: &str, from: i64, to: i64| {
            defs.push(ParamDef::matrix(format!("{}.{name}.weight", self.name), &[to, from], fan_in(from)));
            defs.push(ParamDef::bias(format!("{}.{name}.bias", self.name), to));
        };
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            linear(&format!("self_attn.{name}"), d, d);
        }
        linear("mlp.fc1", d, m);
        linear("mlp.fc2", m, d);
        for name in ["layer_norm1", "layer_norm2"] {
            defs.push(ParamDef::norm(format!("{}.{name}.weight", self.name), d));
            defs.push(ParamDef::bias(format!("{}.{name}.bias", self.name), d));
        }
        ParamSpec(defs)
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        Ok(Acts::new(self.run(params, &acts.x)?))
    }

    fn flops(&self, work: &Work) -> f64 {
        let (d, m) = (self.config.hidden_size, self.config.intermediate_size);
        2.0 * work.positions * (4 * d * d + 2 * d * m) as f64 + attention::flops(work, d)
    }
}

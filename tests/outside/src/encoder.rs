//! A vision transformer with a class token, as units.

use std::sync::Arc;

use tch::Tensor;
use tsumugi::vlm::{Acts, Context, ParamDef, ParamSpec, Params, Result, Unit, Units, VisionConfig};

/// Prefix of the encoder's parameters.
const TRUNK: &str = "vision_tower.trunk";

/// The encoder: patches and a class token, pre-norm blocks, a final norm.
pub struct LabVit;

impl LabVit {
    /// The units of an encoder of these sizes.
    pub fn units(config: &VisionConfig) -> Units {
        let mut units: Units = vec![Arc::new(Embed(config.clone()))];
        for layer in 0..config.num_hidden_layers {
            units.push(Arc::new(Block { name: format!("{TRUNK}.blocks.{layer}"), config: config.clone() }));
        }
        units
    }

    /// Features of an image: the class token and the patches.
    pub fn tokens(config: &VisionConfig) -> i64 {
        1 + config.tokens()
    }
}

#[derive(Debug)]
struct Embed(VisionConfig);

impl Unit for Embed {
    fn name(&self) -> &str {
        TRUNK
    }

    fn spec(&self) -> ParamSpec {
        let (d, p) = (self.0.hidden_size, self.0.patch_size);
        let name = |end: &str| format!("{TRUNK}.{end}");
        ParamSpec(vec![
            ParamDef::matrix(name("patch.weight"), &[d, 3, p, p], 0.02),
            ParamDef::matrix(name("class"), &[1, 1, d], 0.02),
            ParamDef::matrix(name("positions"), &[1, LabVit::tokens(&self.0), d], 0.02),
        ])
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        let weight = params.at(TRUNK, "patch.weight")?;
        let (p, none) = (self.0.patch_size, None::<&Tensor>);
        let pixels = acts.x.f_to_kind(weight.kind())?;
        let patches = pixels.f_conv2d(weight, none, [p, p], [0, 0], [1, 1], 1)?;
        let patches = patches.f_flatten(2, -1)?.f_transpose(1, 2)?;
        let (n, _, d) = patches.size3()?;
        let class = params.at(TRUNK, "class")?.f_expand([n, 1, d], false)?;
        let x = Tensor::f_cat(&[class, patches], 1)?;
        Ok(Acts::new(x.f_add(params.at(TRUNK, "positions")?)?))
    }
}

/// One matrix for queries, keys and values, and a ReLU between the linear layers of the MLP.
#[derive(Debug)]
struct Block {
    name: String,
    config: VisionConfig,
}

impl Block {
    fn norm(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        let weight = params.at(&self.name, &format!("{name}.weight"))?;
        let bias = params.at(&self.name, &format!("{name}.bias"))?;
        let eps = self.config.layer_norm_eps;
        Ok(x.f_layer_norm([self.config.hidden_size], Some(weight), Some(bias), eps, true)?)
    }

    fn linear(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        Ok(x.f_linear(params.at(&self.name, &format!("{name}.weight"))?, None::<&Tensor>)?)
    }
}

impl Unit for Block {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let (d, m) = (self.config.hidden_size, self.config.intermediate_size);
        let name = |end: &str| format!("{}.{end}", self.name);
        ParamSpec(vec![
            ParamDef::matrix(name("qkv.weight"), &[3 * d, d], 0.02),
            ParamDef::matrix(name("out.weight"), &[d, d], 0.02),
            ParamDef::matrix(name("up.weight"), &[m, d], 0.02),
            ParamDef::matrix(name("down.weight"), &[d, m], 0.02),
            ParamDef::norm(name("norm1.weight"), d),
            ParamDef::bias(name("norm1.bias"), d),
            ParamDef::norm(name("norm2.weight"), d),
            ParamDef::bias(name("norm2.bias"), d),
        ])
    }

    fn forward(&self, params: &Params, acts: Acts, _: &Context) -> Result<Acts> {
        let (n, t, d) = acts.x.size3()?;
        let heads = self.config.num_attention_heads;
        let qkv = self.linear(params, &self.norm(params, &acts.x, "norm1")?, "qkv")?;
        let qkv = qkv.f_view([n, t, 3, heads, d / heads])?.f_permute([2, 0, 3, 1, 4])?;
        let (q, k, v) = (qkv.f_get(0)?, qkv.f_get(1)?, qkv.f_get(2)?);
        let seen =
            Tensor::f_scaled_dot_product_attention(&q, &k, &v, None::<&Tensor>, 0.0, false, None, false)?;
        let seen = seen.f_transpose(1, 2)?.f_reshape([n, t, d])?;
        let x = acts.x.f_add(&self.linear(params, &seen, "out")?)?;
        let up = self.linear(params, &self.norm(params, &x, "norm2")?, "up")?.f_relu()?;
        Ok(Acts::new(x.f_add(&self.linear(params, &up, "down")?)?))
    }
}

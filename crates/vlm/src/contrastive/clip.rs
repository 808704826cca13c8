//! OpenCLIP's vision transformer, and its layout of checkpoints.

use std::path::Path;

use tch::{Device, Kind, Tensor};

use super::config::{ClipVision, OpenClip};
use super::ids::{Cleaning, Ids};
use super::parts::{linear, multi_head, norm};
use super::pixels;
use super::tower::{Parts, Tower, unsupported};
use super::xlm_roberta::XlmRoberta;
use crate::error::{Error, Result};
use crate::storage::StoredTensors;
use crate::unit::ParamDef;
use crate::weights::Weights;

/// Epsilon of all norms (PyTorch's own).
const EPS: f64 = 1e-5;

/// Prefixes of tensors that similarity does not need.
const UNUSED: [&str; 4] =
    ["logit_scale", "logit_bias", "text.transformer.embeddings.position_ids", "text.transformer.pooler."];

/// Opens a folder with `open_clip_config.json` and `open_clip_model.safetensors` (or `model.safetensors`).
pub(super) fn open(folder: &Path, device: Device, kind: Kind) -> Result<Parts> {
    let config = OpenClip::read(folder)?;
    let model = &config.model_cfg;
    let vision = Vision::new(&model.vision_cfg, model.embed_dim, model.quick_gelu)?;
    let processor = pixels::open_clip(&config.preprocess_cfg, model.vision_cfg.image_size)?;
    let text = &model.text_cfg;
    if text.hf_model_name.is_none() {
        return Err(unsupported(
            "the text tower",
            "of OpenCLIP itself",
            "a Hugging Face model, text_cfg.hf_model_name",
        ));
    }
    if text.hf_pooler_type != "mean_pooler" {
        return Err(unsupported("text_cfg.hf_pooler_type", &text.hf_pooler_type, "mean_pooler"));
    }
    let ids = Ids::open(folder, text.context_length, "<pad>", Cleaning::Whitespace)?;
    let stem = if folder.join("model.safetensors").exists() { "model" } else { "open_clip_model" };
    let mut tensors = StoredTensors::default();
    tensors.add(folder, stem, str::to_owned)?;
    let roberta = XlmRoberta::of(folder, &tensors, text, model.embed_dim, ids.pad())?;
    let defs: Vec<ParamDef> = vision.defs().into_iter().chain(roberta.defs()).collect();
    let unused = |name: &str| UNUSED.iter().any(|start| name.starts_with(start));
    let weights = tensors.load(folder, &defs, device, kind, &unused)?;
    Ok(Parts { image: Box::new(vision), text: Box::new(roberta), weights, processor, ids })
}

/// The vision transformer: class token, a norm before the layers, pre-norm layers, and one vector as output.
struct Vision {
    config: ClipVision,
    embed_dim: i64,
    quick_gelu: bool,
}

impl Vision {
    fn new(config: &ClipVision, embed_dim: i64, quick_gelu: bool) -> Result<Self> {
        if let Some(name) = config.unsupported() {
            return Err(unsupported("vision_cfg", name, "a plain vision transformer"));
        }
        if !matches!(config.pool_type.as_str(), "tok" | "avg") {
            return Err(unsupported("vision_cfg.pool_type", &config.pool_type, "tok, avg"));
        }
        if config.head_width < 1 || config.width % config.head_width != 0 {
            let reason = format!(
                "vision_cfg: width {} is not a multiple of head_width {}",
                config.width, config.head_width
            );
            return Err(Error::Config { reason });
        }
        Ok(Self { config: config.clone(), embed_dim, quick_gelu })
    }

    fn block(&self, weights: &Weights, x: &Tensor, layer: usize) -> Result<Tensor> {
        let name = |end: &str| format!("visual.transformer.resblocks.{layer}.{end}");
        let normed = norm(weights, x, &name("ln_1"), EPS)?;
        let heads = self.config.width / self.config.head_width;
        let x = x.f_add(&multi_head(weights, &normed, &normed, &name("attn"), heads)?)?;
        let wide = linear(weights, &norm(weights, &x, &name("ln_2"), EPS)?, &name("mlp.c_fc"))?;
        // OpenAI's first models use the cheaper approximation.
        let wide = if self.quick_gelu {
            wide.f_mul(&wide.f_mul_scalar(1.702)?.f_sigmoid()?)?
        } else {
            wide.f_gelu("none")?
        };
        Ok(x.f_add(&linear(weights, &wide, &name("mlp.c_proj"))?)?)
    }
}

impl Tower for Vision {
    fn defs(&self) -> Vec<ParamDef> {
        let c = &self.config;
        let (d, p) = (c.width, c.patch_size);
        let tokens = (c.image_size / p).pow(2) + 1;
        let inner = (d as f64 * c.mlp_ratio) as i64;
        let matrix = |name: &str, shape: &[i64]| ParamDef::matrix(format!("visual.{name}"), shape, 0.02);
        let bias = |name: String, size| ParamDef::bias(format!("visual.{name}"), size);
        let mut defs = vec![
            matrix("class_embedding", &[d]),
            matrix("positional_embedding", &[tokens, d]),
            matrix("conv1.weight", &[d, 3, p, p]),
            matrix("proj", &[d, self.embed_dim]),
        ];
        let mut norms = vec!["ln_post".to_owned()];
        if !c.no_ln_pre {
            norms.push("ln_pre".to_owned());
        }
        for layer in 0..c.layers {
            let name = |end: &str| format!("transformer.resblocks.{layer}.{end}");
            norms.extend([name("ln_1"), name("ln_2")]);
            for (end, from, to, suffix) in [
                ("attn.in_proj", d, 3 * d, "_"),
                ("attn.out_proj", d, d, "."),
                ("mlp.c_fc", d, inner, "."),
                ("mlp.c_proj", inner, d, "."),
            ] {
                defs.push(matrix(&name(&format!("{end}{suffix}weight")), &[to, from]));
                defs.push(bias(name(&format!("{end}{suffix}bias")), to));
            }
        }
        for name in norms {
            defs.push(ParamDef::norm(format!("visual.{name}.weight"), d));
            defs.push(bias(format!("{name}.bias"), d));
        }
        defs
    }

    fn embed(&self, weights: &Weights, pixels: &Tensor) -> Result<Tensor> {
        let p = self.config.patch_size;
        let none: Option<Tensor> = None;
        let patches =
            pixels.f_conv2d(weights.get("visual.conv1.weight")?, none, [p, p], [0, 0], [1, 1], 1)?;
        let patches = patches.f_flatten(2, -1)?.f_transpose(1, 2)?;
        let (n, _, d) = patches.size3()?;
        let class = weights.get("visual.class_embedding")?.f_view([1, 1, d])?.f_expand([n, 1, d], false)?;
        let mut x =
            Tensor::f_cat(&[&class, &patches], 1)?.f_add(weights.get("visual.positional_embedding")?)?;
        if !self.config.no_ln_pre {
            x = norm(weights, &x, "visual.ln_pre", EPS)?;
        }
        for layer in 0..self.config.layers {
            x = self.block(weights, &x, layer)?;
        }
        let pool = |x: &Tensor| match self.config.pool_type.as_str() {
            "avg" => x.f_narrow(1, 1, x.size()[1] - 1)?.f_mean_dim(1_i64, false, x.kind()),
            _ => x.f_select(1, 0),
        };
        let pooled = if self.config.final_ln_after_pool {
            norm(weights, &pool(&x)?, "visual.ln_post", EPS)?
        } else {
            pool(&norm(weights, &x, "visual.ln_post", EPS)?)?
        };
        Ok(pooled.f_matmul(weights.get("visual.proj")?)?)
    }
}

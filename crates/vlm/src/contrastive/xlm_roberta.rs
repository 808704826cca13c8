//! XLM-RoBERTa as OpenCLIP's text tower: the mean of its last states, projected.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tch::{Kind, Tensor};

use super::config::ClipText;
use super::parts::{attend, linear, norm};
use super::tower::{Tower, unsupported};
use crate::error::{Error, Result};
use crate::storage::{StoredTensors, read_json};
use crate::unit::ParamDef;
use crate::weights::Weights;

/// Prefix of the tower's parameters in a checkpoint.
const PREFIX: &str = "text.transformer";
/// Width of a head in both published sizes; a checkpoint's tensors do not determine it.
const HEAD_WIDTH: i64 = 64;

/// The keys of `config.json` that the tensors do not determine.
#[derive(Debug, Deserialize)]
struct HfConfig {
    model_type: String,
    num_attention_heads: i64,
    #[serde(default = "usual_eps")]
    layer_norm_eps: f64,
    #[serde(default = "usual_act")]
    hidden_act: String,
}

fn usual_eps() -> f64 {
    1e-5
}

fn usual_act() -> String {
    "gelu".into()
}

/// The text tower.
pub(super) struct XlmRoberta {
    width: i64,
    inner: i64,
    layers: usize,
    heads: i64,
    words: i64,
    positions: i64,
    types: i64,
    eps: f64,
    embed_dim: i64,
    /// `mlp` or `linear`, if there is a projection.
    projection: Option<String>,
    pad: i64,
}

impl XlmRoberta {
    /// Sizes from the tensors, the rest from the text model's own `config.json` if it is available.
    pub(super) fn of(
        folder: &Path,
        tensors: &StoredTensors,
        text: &ClipText,
        embed_dim: i64,
        pad: i64,
    ) -> Result<Self> {
        let shape = |name: &str| -> Result<Vec<i64>> {
            let name = format!("{PREFIX}.{name}");
            tensors.shape(&name).filter(|shape| shape.len() == 2).ok_or(Error::MissingParameter { name })
        };
        let words = shape("embeddings.word_embeddings.weight")?;
        let positions = shape("embeddings.position_embeddings.weight")?[0];
        let types = shape("embeddings.token_type_embeddings.weight")?[0];
        let inner = shape("encoder.layer.0.intermediate.dense.weight")?[0];
        let layer = |n: usize| format!("{PREFIX}.encoder.layer.{n}.output.dense.weight");
        let layers = (0..).take_while(|&n| tensors.shape(&layer(n)).is_some()).count();
        let width = words[1];
        let config = config(folder, text.hf_model_name.as_deref())?;
        let (heads, eps) = match &config {
            Some(config) => (config.num_attention_heads, config.layer_norm_eps),
            None => ((width / HEAD_WIDTH).max(1), usual_eps()),
        };
        if let Some(config) = config.filter(|config| config.hidden_act != "gelu") {
            return Err(unsupported("the text tower's hidden_act", config.hidden_act, "gelu"));
        }
        if heads < 1 || width % heads != 0 {
            return Err(Error::Config {
                reason: format!("the text tower's width {width} is not a multiple of its {heads} heads"),
            });
        }
        let projection = text.hf_proj_type.clone().filter(|kind| !kind.is_empty() && kind != "none");
        if let Some(other) = projection.as_deref().filter(|kind| !matches!(*kind, "mlp" | "linear")) {
            return Err(unsupported("text_cfg.hf_proj_type", other, "mlp, linear, none"));
        }
        Ok(Self {
            width,
            inner,
            layers,
            heads,
            words: words[0],
            positions,
            types,
            eps,
            embed_dim,
            projection,
            pad,
        })
    }

    fn layer(&self, weights: &Weights, x: &Tensor, layer: usize, seen: &Tensor) -> Result<Tensor> {
        let name = |end: &str| format!("{PREFIX}.encoder.layer.{layer}.{end}");
        let part = |end| linear(weights, x, &name(end));
        let (q, k, v) =
            (part("attention.self.query")?, part("attention.self.key")?, part("attention.self.value")?);
        let found = attend(&q, &k, &v, self.heads, Some(seen))?;
        let found = linear(weights, &found, &name("attention.output.dense"))?;
        let x = norm(weights, &x.f_add(&found)?, &name("attention.output.LayerNorm"), self.eps)?;
        let wide = linear(weights, &x, &name("intermediate.dense"))?.f_gelu("none")?;
        let out = linear(weights, &wide, &name("output.dense"))?;
        norm(weights, &x.f_add(&out)?, &name("output.LayerNorm"), self.eps)
    }
}

/// The `config.json` of the text model: `text_config.json` beside the checkpoint, or in the folder that names it.
fn config(folder: &Path, model: Option<&str>) -> Result<Option<HfConfig>> {
    let named = model.map(PathBuf::from).map(|path| if path.is_dir() { path } else { folder.join(path) });
    let places = [Some(folder.join("text_config.json")), named.map(|path| path.join("config.json"))];
    if let Some(path) = places.into_iter().flatten().find(|path| path.is_file()) {
        let config: HfConfig = serde_json::from_value(read_json(&path)?).map_err(Error::json(&path))?;
        if !matches!(config.model_type.as_str(), "xlm-roberta" | "roberta") {
            return Err(unsupported(
                "the text tower's model_type",
                config.model_type,
                "xlm-roberta, roberta",
            ));
        }
        return Ok(Some(config));
    }
    match model {
        Some(name) if !name.contains("roberta") => {
            Err(unsupported("text_cfg.hf_model_name", name, "xlm-roberta-*, roberta-*"))
        }
        _ => Ok(None),
    }
}

impl Tower for XlmRoberta {
    fn defs(&self) -> Vec<ParamDef> {
        let (d, m) = (self.width, self.inner);
        let mut defs = Vec::new();
        let mut matrix = |name: String, shape: &[i64]| defs.push(ParamDef::matrix(name, shape, 0.02));
        for (name, rows) in [("word", self.words), ("position", self.positions), ("token_type", self.types)] {
            matrix(format!("{PREFIX}.embeddings.{name}_embeddings.weight"), &[rows, d]);
        }
        let hidden = (d + self.embed_dim) / 2;
        match self.projection.as_deref() {
            Some("mlp") => {
                matrix("text.proj.0.weight".into(), &[hidden, d]);
                matrix("text.proj.2.weight".into(), &[self.embed_dim, hidden]);
            }
            Some(_) => matrix("text.proj.weight".into(), &[self.embed_dim, d]),
            None => {}
        }
        let mut norms = vec![format!("{PREFIX}.embeddings.LayerNorm")];
        for layer in 0..self.layers {
            let name = |end: &str| format!("{PREFIX}.encoder.layer.{layer}.{end}");
            norms.extend([name("attention.output.LayerNorm"), name("output.LayerNorm")]);
            for (end, from, to) in [
                ("attention.self.query", d, d),
                ("attention.self.key", d, d),
                ("attention.self.value", d, d),
                ("attention.output.dense", d, d),
                ("intermediate.dense", d, m),
                ("output.dense", m, d),
            ] {
                defs.push(ParamDef::matrix(name(&format!("{end}.weight")), &[to, from], 0.02));
                defs.push(ParamDef::bias(name(&format!("{end}.bias")), to));
            }
        }
        for name in norms {
            defs.push(ParamDef::norm(format!("{name}.weight"), d));
            defs.push(ParamDef::bias(format!("{name}.bias"), d));
        }
        defs
    }

    fn embed(&self, weights: &Weights, ids: &Tensor) -> Result<Tensor> {
        let real = ids.f_ne(self.pad)?;
        let count = real.f_to_kind(Kind::Int64)?;
        // Positions count tokens from the one after the padding token's own.
        let positions = count.f_cumsum(1, Kind::Int64)?.f_mul(&count)?.f_add_scalar(self.pad)?;
        let table = |name: &str| weights.get(&format!("{PREFIX}.embeddings.{name}_embeddings.weight"));
        let look_up = |name, ids: &Tensor| -> Result<Tensor> {
            Ok(Tensor::f_embedding(table(name)?, ids, -1, false, false)?)
        };
        let x = look_up("word", ids)?.f_add(&look_up("position", &positions)?)?;
        let x = x.f_add(&table("token_type")?.f_select(0, 0)?)?;
        let mut x = norm(weights, &x, &format!("{PREFIX}.embeddings.LayerNorm"), self.eps)?;
        let seen = real.f_unsqueeze(1)?.f_unsqueeze(1)?;
        for layer in 0..self.layers {
            x = self.layer(weights, &x, layer, &seen)?;
        }
        let share = real.f_to_kind(x.kind())?.f_unsqueeze(-1)?;
        let sum = x.f_mul(&share)?.f_sum_dim_intlist(1_i64, false, x.kind())?;
        let mean = sum.f_div(&share.f_sum_dim_intlist(1_i64, false, x.kind())?)?;
        match self.projection.as_deref() {
            Some("mlp") => {
                linear(weights, &linear(weights, &mean, "text.proj.0")?.f_gelu("none")?, "text.proj.2")
            }
            Some(_) => linear(weights, &mean, "text.proj"),
            None => Ok(mean),
        }
    }
}

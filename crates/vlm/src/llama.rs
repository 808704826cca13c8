//! Llama as units: embedding with splice, decoder layers, head.

use std::sync::Arc;

use tch::Tensor;

use crate::attention;
use crate::config::LlamaConfig;
use crate::context::{Attention, Context};
use crate::error::Result;
use crate::head::Head;
use crate::norm::rms_norm;
use crate::rope::{self, RopeTables};
use crate::splice::{PREFIX, Splice};
use crate::unit::{Acts, Cache, ParamDef, ParamSpec, Params, Unit, Work};

/// LlamaForCausalLM.
#[derive(Debug, Clone)]
pub struct Llama(LlamaConfig);

impl Llama {
    /// A language model of these sizes.
    #[must_use]
    pub fn new(config: LlamaConfig) -> Self {
        Self(config)
    }

    /// The units, first to last.
    #[must_use]
    pub fn units(&self) -> Vec<Arc<dyn Unit>> {
        let mut units: Vec<Arc<dyn Unit>> = vec![Arc::new(Splice::new(&self.0))];
        for layer in 0..self.0.num_hidden_layers {
            units.push(Arc::new(DecoderLayer::new(&self.0, layer)));
        }
        units.push(Arc::new(Head::new(&self.0)));
        units
    }
}

/// One decoder layer: norm, attention, norm, gated MLP, with residuals; `[b,t,d]` to the same.
#[derive(Debug)]
pub(crate) struct DecoderLayer {
    name: String,
    config: LlamaConfig,
}

impl DecoderLayer {
    pub(crate) fn new(config: &LlamaConfig, layer: usize) -> Self {
        Self { name: format!("{PREFIX}.layers.{layer}"), config: config.clone() }
    }

    fn linear(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        let none: Option<Tensor> = None;
        Ok(x.f_linear(params.at(&self.name, name)?, none)?)
    }

    fn norm(&self, params: &Params, x: &Tensor, name: &str) -> Result<Tensor> {
        rms_norm(x, params.at(&self.name, name)?, self.config.rms_norm_eps)
    }

    /// Queries, keys and values by head, rotated to their positions.
    fn project(&self, params: &Params, x: &Tensor, rope: &RopeTables) -> Result<(Tensor, Tensor, Tensor)> {
        let (heads, shared) = (self.config.num_attention_heads, self.config.num_key_value_heads);
        let q = attention::split_heads(&self.linear(params, x, "self_attn.q_proj.weight")?, heads)?;
        let k = attention::split_heads(&self.linear(params, x, "self_attn.k_proj.weight")?, shared)?;
        let v = attention::split_heads(&self.linear(params, x, "self_attn.v_proj.weight")?, shared)?;
        Ok((rope::rotate(&q, rope)?, rope::rotate(&k, rope)?, v))
    }

    /// The rest of the layer after attention: output matrix, residual, and MLP.
    fn finish(&self, params: &Params, x: &Tensor, seen: &Tensor) -> Result<Tensor> {
        let seen = self.linear(params, &attention::join_heads(seen)?, "self_attn.o_proj.weight")?;
        let x = x.f_add(&seen)?;
        let normed = self.norm(params, &x, "post_attention_layernorm.weight")?;
        let gate = self.linear(params, &normed, "mlp.gate_proj.weight")?.f_silu()?;
        let up = self.linear(params, &normed, "mlp.up_proj.weight")?;
        Ok(x.f_add(&self.linear(params, &gate.f_mul(&up)?, "mlp.down_proj.weight")?)?)
    }

    fn repeated(&self) -> i64 {
        self.config.num_attention_heads / self.config.num_key_value_heads
    }
}

impl Unit for DecoderLayer {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> ParamSpec {
        let c = &self.config;
        let (d, m, head) = (c.hidden_size, c.intermediate_size, c.head_dim());
        let (q, kv) = (c.num_attention_heads * head, c.num_key_value_heads * head);
        let matrix = |name: &str, from: i64, to: i64| {
            ParamDef::matrix(format!("{}.{name}.weight", self.name), &[to, from], c.initializer_range)
        };
        let norm = |name: &str| ParamDef::norm(format!("{}.{name}.weight", self.name), d);
        ParamSpec(vec![
            matrix("self_attn.q_proj", d, q),
            matrix("self_attn.k_proj", d, kv),
            matrix("self_attn.v_proj", d, kv),
            matrix("self_attn.o_proj", q, d),
            matrix("mlp.gate_proj", d, m),
            matrix("mlp.up_proj", d, m),
            matrix("mlp.down_proj", m, d),
            norm("input_layernorm"),
            norm("post_attention_layernorm"),
        ])
    }

    fn forward(&self, params: &Params, acts: Acts, context: &Context) -> Result<Acts> {
        let normed = self.norm(params, &acts.x, "input_layernorm.weight")?;
        let (q, k, v) = self.project(params, &normed, &context.rope)?;
        let (k, v) =
            (attention::repeat_heads(&k, self.repeated())?, attention::repeat_heads(&v, self.repeated())?);
        let seen = attention::attend(&q, &k, &v, &context.attention)?;
        Ok(Acts::new(self.finish(params, &acts.x, &seen)?))
    }

    fn step(&self, params: &Params, acts: Acts, context: &Context, cache: &mut Cache) -> Result<Acts> {
        let normed = self.norm(params, &acts.x, "input_layernorm.weight")?;
        let (q, k, v) = self.project(params, &normed, &context.rope)?;
        let (keys, values) = match &cache.tensors[..] {
            [keys, values] => (Tensor::f_cat(&[keys, &k], 2)?, Tensor::f_cat(&[values, &v], 2)?),
            _ => (k, v),
        };
        let (wide_k, wide_v) = (
            attention::repeat_heads(&keys, self.repeated())?,
            attention::repeat_heads(&values, self.repeated())?,
        );
        let mask = match &context.attention {
            Attention::Masked(mask) => Some(mask),
            Attention::Causal | Attention::Packed(_) => None,
        };
        let causal = mask.is_none() && acts.x.size()[1] > 1;
        let seen = attention::sdpa(&q, &wide_k, &wide_v, mask, causal)?;
        cache.tensors = vec![keys, values];
        Ok(Acts::new(self.finish(params, &acts.x, &seen)?))
    }

    fn flops(&self, work: &Work) -> f64 {
        let c = &self.config;
        let matrices: i64 = self.spec().iter().filter(|def| def.shape.len() > 1).map(ParamDef::numel).sum();
        2.0 * work.positions * matrices as f64 + attention::flops(work, c.num_attention_heads * c.head_dim())
    }
}

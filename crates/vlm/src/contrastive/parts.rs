//! Layers of the towers.

use tch::Tensor;

use crate::attention;
use crate::error::Result;
use crate::weights::Weights;

/// `x W^T + b`, or without `b` if there is none.
pub(super) fn linear(weights: &Weights, x: &Tensor, name: &str) -> Result<Tensor> {
    let bias = weights.get(&format!("{name}.bias")).ok();
    Ok(x.f_linear(weights.get(&format!("{name}.weight"))?, bias)?)
}

/// Norm over the last dimension.
pub(super) fn norm(weights: &Weights, x: &Tensor, name: &str, eps: f64) -> Result<Tensor> {
    let (weight, bias) = (weights.get(&format!("{name}.weight"))?, weights.get(&format!("{name}.bias"))?);
    Ok(x.f_layer_norm(weight.size(), Some(weight), Some(bias), eps, true)?)
}

/// Attention of `[n,t,d]` queries over `[n,s,d]` keys and values, by heads. `seen` `[n,1,1,s]` is true where a key may be
/// attended to.
pub(super) fn attend(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    heads: i64,
    seen: Option<&Tensor>,
) -> Result<Tensor> {
    let split = |x: &Tensor| attention::split_heads(x, heads);
    attention::join_heads(&attention::sdpa(&split(q)?, &split(k)?, &split(v)?, seen, false)?)
}

/// PyTorch's `MultiheadAttention`, whose three matrices are stored as one: `query` `[n,t,d]` over `x` `[n,s,d]`.
pub(super) fn multi_head(
    weights: &Weights,
    query: &Tensor,
    x: &Tensor,
    name: &str,
    heads: i64,
) -> Result<Tensor> {
    let matrices = weights.get(&format!("{name}.in_proj_weight"))?.f_chunk(3, 0)?;
    let biases = weights.get(&format!("{name}.in_proj_bias"))?.f_chunk(3, 0)?;
    let part = |x: &Tensor, i: usize| x.f_linear(&matrices[i], Some(&biases[i]));
    let found = attend(&part(query, 0)?, &part(x, 1)?, &part(x, 2)?, heads, None)?;
    linear(weights, &found, &format!("{name}.out_proj"))
}

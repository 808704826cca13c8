//! Root mean square norm.

use tch::{Kind, Tensor};

use crate::error::Result;

/// Divides `x` by the root of its mean square over the last dimension and multiplies by `weight`. The norm is computed
/// in float32.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let kind = x.kind();
    let wide = x.f_to_kind(Kind::Float)?;
    let none: Option<Tensor> = None;
    let normed = wide.f_rms_norm([*x.size().last().unwrap_or(&0)], none, eps)?;
    Ok(normed.f_to_kind(kind)?.f_mul(weight)?)
}

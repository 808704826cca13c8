//! Scaled dot-product attention: causal, masked, or packed.

use tch::Tensor;

use crate::context::Attention;
use crate::error::Result;
use crate::unit::Work;

/// Splits `[b,t,heads*d]` into heads: `[b,heads,t,d]`.
pub(crate) fn split_heads(x: &Tensor, heads: i64) -> Result<Tensor> {
    let (b, t, width) = x.size3()?;
    Ok(x.f_view([b, t, heads, width / heads])?.f_transpose(1, 2)?)
}

/// Joins `[b,heads,t,d]` to `[b,t,heads*d]`.
pub(crate) fn join_heads(x: &Tensor) -> Result<Tensor> {
    let (b, heads, t, d) = x.size4()?;
    Ok(x.f_transpose(1, 2)?.f_reshape([b, t, heads * d])?)
}

/// Repeats each key or value head for the query heads that share it.
pub(crate) fn repeat_heads(x: &Tensor, times: i64) -> Result<Tensor> {
    if times == 1 {
        return Ok(x.shallow_clone());
    }
    let (b, heads, t, d) = x.size4()?;
    let wide = x.f_unsqueeze(2)?.f_expand([b, heads, times, t, d], false)?;
    Ok(wide.f_reshape([b, heads * times, t, d])?)
}

/// Attention of `[b,h,t,d]` queries, keys and values.
pub(crate) fn attend(q: &Tensor, k: &Tensor, v: &Tensor, attention: &Attention) -> Result<Tensor> {
    match attention {
        Attention::Causal => sdpa(q, k, v, None, true),
        Attention::Masked(mask) => sdpa(q, k, v, Some(mask), false),
        Attention::Packed(rows) => packed(q, k, v, rows),
    }
}

pub(crate) fn sdpa(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    mask: Option<&Tensor>,
    causal: bool,
) -> Result<Tensor> {
    Ok(Tensor::f_scaled_dot_product_attention(q, k, v, mask, 0.0, causal, None, false)?)
}

/// Each segment by itself: no work is spent on pairs across segments, and nothing can leak between them.
fn packed(q: &Tensor, k: &Tensor, v: &Tensor, rows: &[Vec<i64>]) -> Result<Tensor> {
    let mut done = Vec::with_capacity(rows.len());
    for (row, segments) in rows.iter().enumerate() {
        let cut = |x: &Tensor| -> Result<Vec<Tensor>> {
            Ok(x.f_narrow(0, row as i64, 1)?.f_split_with_sizes(&segments[..], 2)?)
        };
        let (q, k, v) = (cut(q)?, cut(k)?, cut(v)?);
        let parts =
            (0..segments.len()).map(|i| sdpa(&q[i], &k[i], &v[i], None, true)).collect::<Result<Vec<_>>>()?;
        done.push(Tensor::f_cat(&parts, 2)?);
    }
    Ok(Tensor::f_cat(&done, 0)?)
}

/// Operations of attention over `width` values a position: products with keys and with values. Full squares are counted
/// although half of a causal one is masked, as is customary since PaLM (arXiv 2204.02311, appendix B).
pub(crate) fn flops(work: &Work, width: i64) -> f64 {
    4.0 * work.pairs * width as f64
}

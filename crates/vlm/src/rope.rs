//! Rotary position embeddings: default, linear and Llama 3.1 frequencies.

use std::f64::consts::PI;

use tch::{Device, Kind, Tensor};

use crate::config::{LlamaConfig, RopeScaling};
use crate::error::Result;

/// Cosines and sines for the positions of a batch, `[b or 1, 1, t, head_dim]`.
#[derive(Debug)]
pub struct RopeTables {
    /// Cosines.
    pub cos: Tensor,
    /// Sines.
    pub sin: Tensor,
}

/// The angle by which one position rotates each of the `head_dim / 2` pairs, in float32 as the reference computes it.
pub(crate) fn frequencies(config: &LlamaConfig) -> Vec<f32> {
    let dim = config.head_dim();
    let base = config.rope_theta as f32;
    (0..dim / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / dim as f32;
            let frequency = 1.0 / base.powf(exponent);
            match &config.rope_scaling {
                None => frequency,
                Some(RopeScaling::Linear { factor }) => frequency / *factor as f32,
                Some(RopeScaling::Llama3 {
                    factor,
                    low_freq_factor,
                    high_freq_factor,
                    original_max_position_embeddings: original,
                }) => llama3(f64::from(frequency), *factor, *low_freq_factor, *high_freq_factor, *original)
                    as f32,
            }
        })
        .collect()
}

fn llama3(frequency: f64, factor: f64, low: f64, high: f64, original: f64) -> f64 {
    let wavelength = 2.0 * PI / frequency;
    if wavelength < original / high {
        frequency
    } else if wavelength > original / low {
        frequency / factor
    } else {
        let smooth = (original / wavelength - low) / (high - low);
        (1.0 - smooth) * frequency / factor + smooth * frequency
    }
}

/// Tables for `positions` `[b,t]`, in the kind that the layers compute in.
pub(crate) fn tables(
    config: &LlamaConfig,
    positions: &Tensor,
    device: Device,
    kind: Kind,
) -> Result<RopeTables> {
    let frequencies = Tensor::f_from_slice(&frequencies(config))?;
    let angles = positions.f_to_kind(Kind::Float)?.f_unsqueeze(-1)?.f_mul(&frequencies)?;
    let angles = Tensor::f_cat(&[&angles, &angles], -1)?.f_unsqueeze(1)?;
    Ok(RopeTables {
        cos: angles.f_cos()?.f_to_kind(kind)?.f_to_device(device)?,
        sin: angles.f_sin()?.f_to_kind(kind)?.f_to_device(device)?,
    })
}

/// Rotates `x` `[b,h,t,head_dim]`: the first half of a head pairs with the second half.
pub(crate) fn rotate(x: &Tensor, rope: &RopeTables) -> Result<Tensor> {
    let halves = x.f_chunk(2, -1)?;
    let turned = Tensor::f_cat(&[&halves[1].f_neg()?, &halves[0]], -1)?;
    Ok(x.f_mul(&rope.cos)?.f_add(&turned.f_mul(&rope.sin)?)?)
}

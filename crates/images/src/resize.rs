//! Resampling with the arithmetic of Pillow (PIL), bit for bit.
//!
//! Pillow resamples rows and columns in two passes. Each pass rounds to bytes, with fixed-point weights of 22 fractional
//! bits (32 bits minus 8 for the pixel and 2 of head-room). This module rounds in the same places, because otherwise
//! models would see other pixels, and hashes would have other bits, than with Pillow.

use crate::{Error, Result, Rgb};

/// Fractional bits of a weight.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// A resampling kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// Cubic convolution with a = -0.5, four taps wide (used by most vision models).
    Bicubic,
    /// Linear interpolation, two taps wide (used by SigLIP 2).
    Bilinear,
    /// Sinc windowed by a sinc, six taps wide (used by the perceptual hash).
    Lanczos,
}

impl Filter {
    /// Half the width of the kernel, in source pixels at scale 1.
    fn support(self) -> f64 {
        match self {
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos => 3.0,
        }
    }

    /// Value of the kernel at a distance of `x` pixels.
    fn weight(self, x: f64) -> f64 {
        match self {
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Bicubic => cubic(x.abs()),
            Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Lanczos => 0.0,
        }
    }
}

fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

/// The weights of one output pixel, which apply to the source pixels `first..first + weights.len()`.
struct Tap {
    first: usize,
    weights: Vec<i32>,
}

/// The weights of `to` output pixels over `from` source pixels.
fn taps(from: usize, to: usize, filter: Filter) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = filter.support() * stretch;
    let shrink = 1.0 / stretch;
    (0..to)
        .map(|at| {
            let center = (at as f64 + 0.5) * scale;
            // Adding 0.5 turns the truncation toward zero into rounding.
            let first = ((center - support + 0.5) as i64).max(0) as usize;
            let end = ((center + support + 0.5) as i64).clamp(0, from as i64) as usize;
            let mut weights: Vec<f64> = (0..end.saturating_sub(first))
                .map(|x| filter.weight(((x + first) as f64 - center + 0.5) * shrink))
                .collect();
            let sum: f64 = weights.iter().sum();
            if sum != 0.0 {
                weights.iter_mut().for_each(|weight| *weight /= sum);
            }
            Tap { first, weights: weights.into_iter().map(fixed).collect() }
        })
        .collect()
}

/// Converts a weight to fixed point, rounding halves away from zero.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    if weight < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
}

/// Rounds a sum of weighted bytes to a byte.
fn byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Resamples rows of `C` interleaved channels to `taps.len()` pixels each.
fn horizontal<const C: usize>(source: &[u8], width: usize, taps: &[Tap]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len() / width * taps.len());
    for row in source.chunks_exact(width * C) {
        for tap in taps {
            let mut sums = [HALF; C];
            for (pixel, weight) in row[tap.first * C..].chunks_exact(C).zip(&tap.weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(i32::from(*value) * weight);
                }
            }
            out.extend(sums.map(byte));
        }
    }
    out
}

/// Resamples columns to `taps.len()` rows of `row` bytes.
fn vertical(source: &[u8], row: usize, taps: &[Tap]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row * taps.len());
    let mut sums = vec![HALF; row];
    for tap in taps {
        sums.fill(HALF);
        for (line, weight) in source[tap.first * row..].chunks_exact(row).zip(&tap.weights) {
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum = sum.wrapping_add(i32::from(*value) * weight);
            }
        }
        out.extend(sums.iter().map(|sum| byte(*sum)));
    }
    out
}

/// Resamples interleaved bytes of `C` channels (1 for greyscale, 3 for RGB), stored row by row from the top left.
///
/// # Errors
/// [`Error::Shape`] if a side is 0 or `data` is not `width * height * C` bytes long.
pub fn resize_channels<const C: usize>(
    data: &[u8],
    (width, height): (u32, u32),
    (to_width, to_height): (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>> {
    let (w, h) = (width as usize, height as usize);
    if w.checked_mul(h).and_then(|n| n.checked_mul(C)) != Some(data.len()) || data.is_empty() {
        return Err(Error::Shape { width, height, channels: C, len: data.len() });
    }
    if to_width == 0 || to_height == 0 {
        return Err(Error::Shape { width: to_width, height: to_height, channels: C, len: 0 });
    }
    let (to_w, to_h) = (to_width as usize, to_height as usize);
    let across = |data: &[u8]| horizontal::<C>(data, w, &taps(w, to_w, filter));
    let down = |data: &[u8], width: usize| vertical(data, width * C, &taps(h, to_h, filter));
    // Like Pillow, skip the pass along a side that keeps its length.
    Ok(match (to_w == w, to_h == h) {
        (true, true) => data.to_vec(),
        (true, false) => down(data, w),
        (false, true) => across(data),
        (false, false) if rows_first(w, h, to_w, to_h) => down(&across(data), to_w),
        (false, false) => across(&down(data, w)),
    })
}

/// Whether rows are resampled before columns. Up to Pillow 12 they always are; since 13 they are not if the height
/// shrinks by more than twice as much as the width. The order changes the rounding, and so the bytes.
fn rows_first(w: usize, h: usize, to_w: usize, to_h: usize) -> bool {
    let shrinks = |from: usize, to: usize| from as i64 - to as i64;
    shrinks(h, to_h) <= 0 || shrinks(h, to_h) <= 2 * shrinks(w, to_w)
}

/// Resamples an RGB image to `width` x `height` pixels, whatever its aspect ratio.
///
/// Returns the bytes of `PIL.Image.resize((width, height), resample)` of Pillow 13.
///
/// # Errors
/// [`Error::Shape`] if a side is 0.
pub fn resize(rgb: &Rgb, width: u32, height: u32, filter: Filter) -> Result<Rgb> {
    let data = resize_channels::<3>(&rgb.data, (rgb.width, rgb.height), (width, height), filter)?;
    Ok(Rgb { width, height, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_image_stays_flat() {
        let rgb = Rgb { width: 7, height: 5, data: [200, 3, 255].repeat(35) };
        for filter in [Filter::Bicubic, Filter::Lanczos] {
            for (w, h) in [(1, 1), (3, 11), (384, 384), (7, 2)] {
                let out = resize(&rgb, w, h, filter).unwrap();
                assert_eq!(out.data, [200, 3, 255].repeat((w * h) as usize), "{w}x{h} {filter:?}");
            }
        }
    }

    #[test]
    fn refuses_shapes_that_do_not_fit() {
        assert!(resize_channels::<1>(&[1, 2, 3], (2, 2), (1, 1), Filter::Lanczos).is_err());
        assert!(resize_channels::<1>(&[], (0, 2), (1, 1), Filter::Lanczos).is_err());
        assert!(resize_channels::<1>(&[1], (1, 1), (0, 1), Filter::Lanczos).is_err());
    }
}

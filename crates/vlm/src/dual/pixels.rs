//! Picture files to what a vision tower takes.

use std::path::Path;

use serde_json::Value;
use tch::Tensor;
use tsumugi_images::{Filter, Limits, Rgb, decode_rgb, resize};

use super::config::Preprocess;
use super::unknown;
use crate::checkpoint::read_json;
use crate::error::{Error, Result};

/// How a picture becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// The shorter side is made to fit, and what is over at both ends of the longer is cut off.
    Crop,
    /// Both sides are made to fit.
    Squash,
}

/// Decodes, resizes and normalises.
#[derive(Debug, Clone)]
pub(super) struct Pixels {
    side: u32,
    fit: Fit,
    filter: Filter,
    mean: [f32; 3],
    std: [f32; 3],
    limits: Limits,
}

impl Pixels {
    pub(super) fn open_clip(config: &Preprocess, side: i64) -> Result<Self> {
        let fit = match config.resize_mode.as_str() {
            "shortest" => Fit::Crop,
            "squash" => Fit::Squash,
            other => return Err(unknown("preprocess_cfg.resize_mode", other, "shortest, squash")),
        };
        let filter = match config.interpolation.as_str() {
            "bicubic" => Filter::Bicubic,
            "bilinear" => Filter::Bilinear,
            other => return Err(unknown("preprocess_cfg.interpolation", other, "bicubic, bilinear")),
        };
        Ok(Self {
            side: side_of(side)?,
            fit,
            filter,
            mean: config.mean,
            std: config.std,
            limits: Limits::default(),
        })
    }

    /// From `preprocessor_config.json`; without one as SigLIP's first models have it.
    pub(super) fn hugging_face(folder: &Path, side: i64) -> Result<Self> {
        let path = folder.join("preprocessor_config.json");
        let config = if path.is_file() { read_json(&path)? } else { Value::Null };
        // Numbers of PIL's filters.
        let filter = match config.get("resample").and_then(Value::as_i64) {
            None | Some(3) => Filter::Bicubic,
            Some(2) => Filter::Bilinear,
            Some(other) => return Err(unknown("preprocessor_config.json: resample", other, "2, 3")),
        };
        let three = |key: &str| -> Result<[f32; 3]> {
            let Some(value) = config.get(key) else { return Ok([0.5; 3]) };
            serde_json::from_value(value.clone()).map_err(Error::json(&path))
        };
        let (mean, std) = (three("image_mean")?, three("image_std")?);
        Ok(Self { side: side_of(side)?, fit: Fit::Squash, filter, mean, std, limits: Limits::default() })
    }

    /// Files to `[n,3,side,side]`, float32 on the CPU. Their numbers count from `first`.
    pub(super) fn values<B: AsRef<[u8]>>(&self, files: &[B], first: usize) -> Result<Tensor> {
        let mut values = Vec::with_capacity(files.len() * 3 * (self.side as usize).pow(2));
        for (index, bytes) in files.iter().enumerate() {
            let fail = |error: tsumugi_images::Error| Error::Image {
                index: first + index,
                reason: error.to_string(),
            };
            let rgb = decode_rgb(bytes.as_ref(), &self.limits).map_err(fail)?;
            let square = self.square(&rgb).map_err(fail)?;
            for channel in 0..3 {
                let (mean, std) = (self.mean[channel], self.std[channel]);
                let plane = square.data.iter().skip(channel).step_by(3);
                values.extend(plane.map(|&byte| (f32::from(byte) / 255.0 - mean) / std));
            }
        }
        let side = i64::from(self.side);
        Ok(Tensor::f_from_slice(&values)?.f_view([files.len() as i64, 3, side, side])?)
    }

    fn square(&self, rgb: &Rgb) -> tsumugi_images::Result<Rgb> {
        let side = self.side;
        if self.fit == Fit::Squash {
            return resize(rgb, side, side, self.filter);
        }
        let (short, long) = (rgb.width.min(rgb.height), rgb.width.max(rgb.height));
        // Rounded down, as torchvision does.
        let longer =
            (u64::from(side) * u64::from(long) / u64::from(short.max(1))).min(u64::from(u32::MAX)) as u32;
        let (width, height) = if rgb.width <= rgb.height { (side, longer) } else { (longer, side) };
        Ok(crop(&resize(rgb, width, height, self.filter)?, side))
    }
}

fn side_of(side: i64) -> Result<u32> {
    match side {
        1..=4096 => Ok(side as u32),
        other => Err(unknown("a picture size of", other, "1 to 4096 pixels")),
    }
}

/// The square in the middle; half a pixel goes to the even side, as Python rounds.
fn crop(rgb: &Rgb, side: u32) -> Rgb {
    let start = |length: u32| (f64::from(length - side) / 2.0).round_ties_even() as usize;
    let (left, top) = (start(rgb.width), start(rgb.height));
    let (side, width) = (side as usize, rgb.width as usize);
    let rows = (top..top + side).map(|y| (y * width + left) * 3);
    let data = rows.flat_map(|at| rgb.data[at..at + side * 3].iter().copied()).collect();
    Rgb { width: side as u32, height: side as u32, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_cut_out() {
        let data = (0..5 * 2).flat_map(|at| [at as u8; 3]).collect();
        let square = crop(&Rgb { width: 5, height: 2, data }, 2);
        // Three columns are over: half of them, 1.5, is rounded to the even 2.
        assert_eq!(square.data, [2, 2, 2, 3, 3, 3, 7, 7, 7, 8, 8, 8]);
    }
}

//! Image processors of contrastive encoders.

use std::path::Path;

use serde_json::Value;
use tsumugi_images::Filter;

use super::config::Preprocess;
use super::tower::unsupported;
use crate::error::{Error, Result};
use crate::processor::{Fit, ImageProcessor, Normalization};
use crate::storage::read_json;

/// The processor of an `open_clip_config.json`.
pub(super) fn open_clip(config: &Preprocess, side: i64) -> Result<ImageProcessor> {
    let fit = match config.resize_mode.as_str() {
        "shortest" => Fit::Crop,
        "squash" => Fit::Squash,
        other => return Err(unsupported("preprocess_cfg.resize_mode", other, "shortest, squash")),
    };
    let filter = match config.interpolation.as_str() {
        "bicubic" => Filter::Bicubic,
        "bilinear" => Filter::Bilinear,
        other => return Err(unsupported("preprocess_cfg.interpolation", other, "bicubic, bilinear")),
    };
    let normalization = Normalization::MeanStd { mean: config.mean, std: config.std };
    Ok(ImageProcessor::new(checked(side)?).fit(fit).filter(filter).normalization(normalization))
}

/// The processor of a folder's `preprocessor_config.json`; without one, that of the first SigLIP models.
pub(super) fn hugging_face(folder: &Path, side: i64) -> Result<ImageProcessor> {
    let path = folder.join("preprocessor_config.json");
    let config = if path.is_file() { read_json(&path)? } else { Value::Null };
    // Numbers of PIL's filters.
    let filter = match config.get("resample").and_then(Value::as_i64) {
        None | Some(3) => Filter::Bicubic,
        Some(2) => Filter::Bilinear,
        Some(other) => return Err(unsupported("preprocessor_config.json: resample", other, "2, 3")),
    };
    let three = |key: &str| -> Result<[f32; 3]> {
        let Some(value) = config.get(key) else { return Ok([0.5; 3]) };
        serde_json::from_value(value.clone()).map_err(Error::json(&path))
    };
    let (mean, std) = (three("image_mean")?, three("image_std")?);
    let normalization = Normalization::MeanStd { mean, std };
    Ok(ImageProcessor::new(checked(side)?).filter(filter).normalization(normalization))
}

fn checked(side: i64) -> Result<i64> {
    match side {
        1..=4096 => Ok(side),
        other => Err(unsupported("an image size of", other, "1 to 4096 pixels")),
    }
}

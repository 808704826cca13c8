//! Pictures to what the vision tower takes.

use serde_json::{Value, json};
use tch::{Kind, Tensor};
use tsumugi_images::{Filter, Limits, Rgb, decode_rgb, resize};

use crate::config::VlmConfig;
use crate::error::{Error, Result};

/// Decodes, resizes and normalises as PIL and VILA do: RGB, squashed to the square by bicubic filtering (no crop, no
/// padding, EXIF orientation ignored), `x / 127.5 - 1`.
#[derive(Debug, Clone)]
pub struct ImageProcessor {
    side: u32,
    limits: Limits,
}

impl ImageProcessor {
    /// The processor for a model.
    #[must_use]
    pub fn new(config: &VlmConfig) -> Self {
        Self { side: config.vision.image_size.clamp(1, 1 << 14) as u32, limits: Limits::default() }
    }

    /// Height and width of what comes out, in pixels.
    #[must_use]
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Bytes of picture files to `[n,3,side,side]`, float32 on the CPU. No files give an empty tensor.
    ///
    /// # Errors
    /// [`Error::Image`] with the number of the picture that cannot be decoded.
    pub fn pixel_values<B: AsRef<[u8]>>(&self, files: &[B]) -> Result<Tensor> {
        let mut values = Vec::with_capacity(files.len() * self.values());
        for (index, bytes) in files.iter().enumerate() {
            let fail = |error: tsumugi_images::Error| Error::Image { index, reason: error.to_string() };
            let rgb = decode_rgb(bytes.as_ref(), &self.limits).map_err(fail)?;
            let small = resize(&rgb, self.side, self.side, Filter::Bicubic).map_err(fail)?;
            normalise(&small, &mut values);
        }
        let side = i64::from(self.side);
        Ok(Tensor::f_from_slice(&values)?
            .f_view([files.len() as i64, 3, side, side])?
            .f_to_kind(Kind::Float)?)
    }

    fn values(&self) -> usize {
        3 * (self.side as usize).pow(2)
    }
}

/// Interleaved bytes to planes of floats in -1..=1.
fn normalise(rgb: &Rgb, values: &mut Vec<f32>) {
    for channel in 0..3 {
        values.extend(rgb.data.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte) / 127.5 - 1.0));
    }
}

/// The files by which transformers' `LlavaProcessor` does the same.
pub(crate) fn processor_files(
    processor: &ImageProcessor,
    config: &VlmConfig,
    chat_template: Option<&str>,
) -> Vec<(&'static str, String)> {
    let side = processor.side;
    let images = json!({
        "processor_class": "LlavaProcessor",
        "image_processor_type": "SiglipImageProcessor",
        "do_convert_rgb": true,
        "do_resize": true,
        "do_rescale": true,
        "do_normalize": true,
        "size": {"height": side, "width": side},
        "resample": 3,
        "rescale_factor": 1.0 / 255.0,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    });
    let whole = json!({
        "processor_class": "LlavaProcessor",
        "image_token": "<image>",
        "patch_size": config.vision.patch_size,
        "vision_feature_select_strategy": "full",
        "num_additional_image_tokens": 0,
    });
    let text = |value: &Value| format!("{value:#}\n");
    let mut files =
        vec![("preprocessor_config.json", text(&images)), ("processor_config.json", text(&whole))];
    if let Some(template) = chat_template {
        files.push(("chat_template.jinja", template.to_owned()));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SiglipConfig;

    #[test]
    fn no_picture_and_a_broken_one() {
        let vision = SiglipConfig { image_size: 28, ..SiglipConfig::default() };
        let processor = ImageProcessor::new(&VlmConfig { vision, ..VlmConfig::default() });
        let none: [&[u8]; 0] = [];
        assert_eq!(processor.pixel_values(&none).unwrap().size(), [0, 3, 28, 28]);
        let broken = processor.pixel_values(&[b"no picture"]);
        assert!(matches!(broken, Err(Error::Image { index: 0, .. })));
    }
}

//! Image files to the pixels that a vision tower takes.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use tch::{Kind, Tensor};
use tsumugi_images::{Filter, Limits, Rgb, decode_upright, resize};

use crate::error::{Error, Result};

/// Largest side in pixels.
const MAX_SIDE: i64 = 1 << 14;

/// How an image becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// Scales both sides to the square, whatever the aspect ratio.
    #[default]
    Squash,
    /// Scales the shorter side to the square and cuts off both ends of the longer one.
    Crop,
}

/// Turns the pixels of a resized image into numbers: interleaved RGB bytes in, three planes of `side * side` values
/// appended.
pub type Normalizer = Arc<dyn Fn(&Rgb, &mut Vec<f32>) + Send + Sync>;

/// How bytes become numbers.
#[derive(Clone, Default)]
pub enum Normalization {
    /// `x / 127.5 - 1`: to -1..=1, as for SigLIP.
    #[default]
    Symmetric,
    /// `(x / 255 - mean) / std`, by channel.
    MeanStd {
        /// Subtracted.
        mean: [f32; 3],
        /// Divided by.
        std: [f32; 3],
    },
    /// Any other function of the resized image.
    Custom(Normalizer),
}

impl fmt::Debug for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symmetric => f.write_str("Symmetric"),
            Self::MeanStd { mean, std } => {
                f.debug_struct("MeanStd").field("mean", mean).field("std", std).finish()
            }
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// Decodes, resizes and normalises images. By default as PIL and VILA do: RGB, squashed to the square by bicubic
/// filtering (no crop, no padding), `x / 127.5 - 1`. Images are turned upright as EXIF says, which VILA does not do.
///
/// ```
/// use tsumugi_vlm::{ImageProcessor, Normalization};
///
/// let clip = Normalization::MeanStd { mean: [0.481, 0.458, 0.408], std: [0.269, 0.261, 0.276] };
/// let processor = ImageProcessor::new(224).normalization(clip);
/// assert_eq!(processor.side(), 224);
/// ```
#[derive(Debug, Clone)]
pub struct ImageProcessor {
    side: u32,
    fit: Fit,
    filter: Filter,
    normalization: Normalization,
    limits: Limits,
}

impl ImageProcessor {
    /// A processor for squares of `side` pixels, clamped to `1..=16384`.
    #[must_use]
    pub fn new(side: i64) -> Self {
        Self {
            side: side.clamp(1, MAX_SIDE) as u32,
            fit: Fit::default(),
            filter: Filter::Bicubic,
            normalization: Normalization::default(),
            limits: Limits::default(),
        }
    }

    /// Sets how an image becomes a square.
    #[must_use]
    pub fn fit(self, fit: Fit) -> Self {
        Self { fit, ..self }
    }

    /// Sets the resampling filter.
    #[must_use]
    pub fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Sets how bytes become numbers.
    #[must_use]
    pub fn normalization(self, normalization: Normalization) -> Self {
        Self { normalization, ..self }
    }

    /// Height and width of the result, in pixels.
    #[must_use]
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Turns the bytes of image files into `[n,3,side,side]`, float32 on the CPU. No files give an empty tensor.
    ///
    /// # Errors
    /// [`Error::Image`] with the index of the image that cannot be decoded.
    pub fn pixel_values<B: AsRef<[u8]>>(&self, files: &[B]) -> Result<Tensor> {
        self.pixel_values_from(files, 0)
    }

    /// Like [`ImageProcessor::pixel_values`], with indices in errors counted from `first`.
    pub(crate) fn pixel_values_from<B: AsRef<[u8]>>(&self, files: &[B], first: usize) -> Result<Tensor> {
        let expected = 3 * (self.side as usize).pow(2);
        let mut values = Vec::with_capacity(files.len() * expected);
        for (index, bytes) in files.iter().enumerate() {
            let index = first + index;
            let fail = |source: tsumugi_images::Error| Error::Image { index, source };
            let rgb = decode_upright(bytes.as_ref(), &self.limits).map_err(fail)?;
            let before = values.len();
            self.normalize(&self.square(&rgb).map_err(fail)?, &mut values);
            if values.len() - before != expected {
                return Err(Error::Batch {
                    reason: format!(
                        "the normalisation gave {} values for image {index}, expected {expected}",
                        values.len() - before
                    ),
                });
            }
        }
        let side = i64::from(self.side);
        Ok(Tensor::f_from_slice(&values)?
            .f_view([files.len() as i64, 3, side, side])?
            .f_to_kind(Kind::Float)?)
    }

    fn normalize(&self, rgb: &Rgb, values: &mut Vec<f32>) {
        let plane = |channel: usize| rgb.data.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte));
        match &self.normalization {
            Normalization::Symmetric => {
                (0..3).for_each(|channel| values.extend(plane(channel).map(|x| x / 127.5 - 1.0)));
            }
            Normalization::MeanStd { mean, std } => (0..3).for_each(|channel| {
                values.extend(plane(channel).map(|x| (x / 255.0 - mean[channel]) / std[channel]));
            }),
            Normalization::Custom(normalize) => normalize(rgb, values),
        }
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

    /// `preprocessor_config.json` of transformers for the same processing. A custom normalisation cannot be expressed
    /// and is left out.
    pub(crate) fn hugging_face(&self) -> Value {
        let (mean, std) = match &self.normalization {
            Normalization::Symmetric | Normalization::Custom(_) => {
                (json!([0.5, 0.5, 0.5]), json!([0.5, 0.5, 0.5]))
            }
            Normalization::MeanStd { mean, std } => (json!(mean), json!(std)),
        };
        json!({
            "processor_class": "LlavaProcessor",
            "image_processor_type": "SiglipImageProcessor",
            "do_convert_rgb": true,
            "do_resize": true,
            "do_rescale": true,
            "do_normalize": !matches!(self.normalization, Normalization::Custom(_)),
            "size": {"height": self.side, "width": self.side},
            // Numbers of PIL's filters.
            "resample": if self.filter == Filter::Bilinear { 2 } else { 3 },
            "rescale_factor": 1.0 / 255.0,
            "image_mean": mean,
            "image_std": std,
        })
    }
}

/// The square in the middle. An odd remainder is split as Python rounds: half a pixel goes to the even side.
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
    fn no_image_and_a_broken_one() {
        let processor = ImageProcessor::new(28);
        let none: [&[u8]; 0] = [];
        assert_eq!(processor.pixel_values(&none).unwrap().size(), [0, 3, 28, 28]);
        let broken = processor.pixel_values(&[b"not an image"]);
        assert!(matches!(broken, Err(Error::Image { index: 0, .. })));
    }

    #[test]
    fn crop_keeps_the_middle() {
        let data = (0..5 * 2).flat_map(|at| [at as u8; 3]).collect();
        let square = crop(&Rgb { width: 5, height: 2, data }, 2);
        // Three columns are left over: half of them, 1.5, is rounded to the even 2.
        assert_eq!(square.data, [2, 2, 2, 3, 3, 3, 7, 7, 7, 8, 8, 8]);
    }

    #[test]
    fn normalizations_differ_as_stated() {
        let rgb = Rgb { width: 1, height: 1, data: vec![0, 51, 255] };
        let values = |normalization| {
            let mut values = Vec::new();
            ImageProcessor::new(1).normalization(normalization).normalize(&rgb, &mut values);
            values
        };
        assert_eq!(values(Normalization::Symmetric), [-1.0, -0.6, 1.0]);
        let (mean, std) = ([0.0, 0.1, 0.5], [1.0, 0.1, 0.25]);
        let scaled = values(Normalization::MeanStd { mean, std });
        assert!(scaled.iter().zip([0.0, 1.0, 2.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{scaled:?}");
        let custom = Normalization::Custom(Arc::new(|rgb, values| {
            values.extend(rgb.data.iter().map(|&byte| f32::from(byte)));
        }));
        assert_eq!(values(custom), [0.0, 51.0, 255.0]);
    }
}

//! Facts about an image that need no model.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::{Format, Limits, PHash, Result, Rgb, decode, luma};

/// Facts about the first frame of an image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Inspection {
    /// The format, recognised by content.
    pub format: Format,
    /// Width in pixels, as stored (the orientation is not applied).
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Whether there is more than one frame.
    pub animated: bool,
    /// Distinct RGB colours, counted up to [`Limits::max_colours`].
    pub colours: u32,
    /// EXIF orientation, 1 (upright) to 8. The pixels are not rotated.
    pub orientation: u8,
    /// The perceptual hash of PyPI ImageHash.
    pub phash: PHash,
}

impl Inspection {
    /// Width divided by height.
    pub fn aspect(&self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }

    /// Number of pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Decodes and measures an image.
///
/// # Errors
/// If the bytes are not an image, or the image is damaged or exceeds `limits`. [`crate::Error::reason`] returns the
/// word for it.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection> {
    let decoded = decode::decode(bytes, limits)?;
    let (width, height) = (decoded.pixels.width(), decoded.pixels.height());
    let phash = PHash::of_luma(&luma::to_luma(&decoded.pixels), width, height)?;
    Ok(Inspection {
        format: decoded.format,
        width,
        height,
        animated: decoded.animated,
        colours: count_colours(&luma::to_rgb(decoded.pixels), limits.max_colours),
        orientation: decoded.orientation,
        phash,
    })
}

/// Identifier of a file by content: the SHA-256 of its bytes in 64 hex digits.
pub fn content_id(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn count_colours(rgb: &Rgb, cap: u32) -> u32 {
    let mut seen = HashSet::new();
    let mut last = None;
    for pixel in rgb.data.chunks_exact(3) {
        // Neighbours are often equal, and looking up each in the set would cost more than decoding.
        if last == Some(pixel) {
            continue;
        }
        last = Some(pixel);
        seen.insert([pixel[0], pixel[1], pixel[2]]);
        if seen.len() >= cap as usize {
            return cap;
        }
    }
    seen.len() as u32
}

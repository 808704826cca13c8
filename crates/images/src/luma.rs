//! Colour conversions with Pillow's arithmetic.

use image::{ColorType, DynamicImage};

use crate::rgb::Rgb;

/// Greyscale of an RGB pixel: ITU-R 601-2 in 16-bit fixed point, rounded.
fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((u32::from(r) * 19_595 + u32::from(g) * 38_470 + u32::from(b) * 7_471 + 0x8000) >> 16) as u8
}

/// 16-bit greyscale to a byte: Pillow clamps at 255 rather than scaling.
fn saturate(value: u16) -> u8 {
    value.min(255) as u8
}

/// Greyscale bytes, equal to those of Pillow's `convert("L")`. Drops transparency without blending.
pub(crate) fn to_luma(pixels: &DynamicImage) -> Vec<u8> {
    match pixels {
        DynamicImage::ImageLuma8(buffer) => buffer.as_raw().clone(),
        DynamicImage::ImageLumaA8(buffer) => buffer.pixels().map(|p| p.0[0]).collect(),
        DynamicImage::ImageRgb8(buffer) => buffer.pixels().map(|p| luma(p.0[0], p.0[1], p.0[2])).collect(),
        DynamicImage::ImageRgba8(buffer) => buffer.pixels().map(|p| luma(p.0[0], p.0[1], p.0[2])).collect(),
        DynamicImage::ImageLuma16(buffer) => buffer.pixels().map(|p| saturate(p.0[0])).collect(),
        DynamicImage::ImageLumaA16(buffer) => buffer.pixels().map(|p| high(p.0[0])).collect(),
        DynamicImage::ImageRgb16(buffer) => {
            buffer.pixels().map(|p| luma(high(p.0[0]), high(p.0[1]), high(p.0[2]))).collect()
        }
        DynamicImage::ImageRgba16(buffer) => {
            buffer.pixels().map(|p| luma(high(p.0[0]), high(p.0[1]), high(p.0[2]))).collect()
        }
        other => other.to_rgb8().pixels().map(|p| luma(p.0[0], p.0[1], p.0[2])).collect(),
    }
}

/// RGB bytes, equal to those of Pillow's `convert("RGB")`. Drops transparency without blending.
pub(crate) fn to_rgb(pixels: DynamicImage) -> Rgb {
    let (width, height) = (pixels.width(), pixels.height());
    let data = match pixels {
        DynamicImage::ImageRgb8(buffer) => buffer.into_raw(),
        DynamicImage::ImageRgba8(buffer) => buffer.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2]]).collect(),
        DynamicImage::ImageRgb16(buffer) => buffer.pixels().flat_map(|p| p.0.map(high)).collect(),
        DynamicImage::ImageRgba16(buffer) => {
            buffer.pixels().flat_map(|p| [high(p.0[0]), high(p.0[1]), high(p.0[2])]).collect()
        }
        other if is_grey(other.color()) => to_luma(&other).into_iter().flat_map(|l| [l, l, l]).collect(),
        other => other.into_rgb8().into_raw(),
    };
    Rgb { width, height, data }
}

fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16)
}

fn high(value: u16) -> u8 {
    (value >> 8) as u8
}

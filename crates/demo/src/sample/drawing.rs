//! Image files: drawn subjects as PNG or JPEG, icons, and files that are broken.

use super::canvas::Canvas;
use super::random::Random;
use super::scene::draw;
use super::subject::{Kind, Subject};
use crate::Error;
use crate::language::Language;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

/// A drawn image with its words and its file.
#[derive(Debug, Clone)]
pub(super) struct Drawing {
    pub(super) subject: Subject,
    pub(super) alt: String,
    pub(super) bytes: Vec<u8>,
    pub(super) extension: &'static str,
}

impl Drawing {
    pub(super) fn media_type(&self) -> &'static str {
        if self.extension == "png" { "image/png" } else { "image/jpeg" }
    }
}

const SIZES: [(u32, u32); 6] = [(320, 240), (240, 240), (288, 216), (200, 260), (300, 200), (240, 180)];

/// Draws one of `kind`, about every third as PNG.
pub(super) fn drawing(
    language: &'static Language,
    kind: Kind,
    random: &mut Random,
) -> Result<Drawing, Error> {
    let subject = Subject::new(kind, random);
    let alt = subject.alt(language, random.below(4));
    let &(width, height) = random.pick(&SIZES);
    let pixels = draw(&subject, width, height, random);
    let (bytes, extension) =
        if random.below(3) == 0 { (png(&pixels)?, "png") } else { (jpeg(&pixels)?, "jpg") };
    Ok(Drawing { subject, alt, bytes, extension })
}

/// The logo, the home icon and the banner that stand on every page (an image of fair size, one too small and one too
/// wide), and the author's portrait that ends many articles.
pub(super) fn icons() -> Result<[(&'static str, Vec<u8>); 4], Error> {
    let mut logo = Canvas::new(200, 160, [250, 250, 244]);
    for at in 0..5u8 {
        let x = 40.0 + 30.0 * f32::from(at);
        logo.line((x, 20.0), (200.0 - x, 140.0), 9.0, [40 + 24 * at, 70, 160 - 20 * at]);
    }
    let mut home = Canvas::new(24, 24, [255, 255, 255]);
    home.polygon(&[(2.0, 12.0), (12.0, 2.0), (22.0, 12.0)], [60, 60, 80]);
    home.rect(6.0, 12.0, 12.0, 9.0, [60, 60, 80]);
    let mut banner = Canvas::new(468, 60, [30, 60, 120]);
    banner.gradient(0.0, 60.0, [40, 90, 170], [20, 40, 90]);
    banner.circle(40.0, 30.0, 20.0, [240, 200, 60]);
    let mut author = Canvas::new(180, 180, [236, 226, 206]);
    author.dome(90.0, 180.0, 70.0, 60.0, [70, 110, 150]);
    author.circle(90.0, 84.0, 46.0, [246, 214, 184]);
    author.dome(90.0, 76.0, 50.0, 44.0, [60, 46, 40]);
    for x in [72.0, 108.0] {
        author.circle(x, 88.0, 5.0, [40, 34, 34]);
    }
    author.line((78.0, 108.0), (102.0, 108.0), 4.0, [190, 80, 80]);
    Ok([
        ("author.png", png(&author.finish())?),
        ("logo.png", png(&logo.finish())?),
        ("home.png", png(&home.finish())?),
        ("banner.png", png(&banner.finish())?),
    ])
}

/// A file that is cut off.
pub(super) fn corrupt(whole: &[u8]) -> Vec<u8> {
    whole[..whole.len() / 3].to_vec()
}

pub(super) fn png(pixels: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgb8)
        .map_err(|source| Error::Encode { format: "PNG", source })?;
    Ok(bytes)
}

fn jpeg(pixels: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 88)
        .write_image(pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgb8)
        .map_err(|source| Error::Encode { format: "JPEG", source })?;
    Ok(bytes)
}

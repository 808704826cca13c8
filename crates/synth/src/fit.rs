//! Shrinks images to what the model looks at, which saves tokens and upload.

use std::collections::BTreeMap;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{ImageDecoder as _, ImageEncoder as _, ImageReader};
use serde::{Deserialize, Serialize};
use tsumugi_chat::{Part, of_model};
use tsumugi_images::{Filter, Format, Limits, Rgb, decode_rgb, inspect, resize};

use crate::Error;

/// How a model cuts an image into tiles (or patches), and what they cost.
///
/// What the model would shrink anyway is shrunk before it is sent; nothing is ever enlarged. The default is OpenAI's rule for
/// gpt-4o at high detail: an image is shrunk to fit a square of 2048, then until its shorter side is at most 768, and each
/// tile of 512 costs tokens on top of a base. Rules by model are in `tiles.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TileRule {
    /// Longest side in pixels. Default: 2048 (gpt-4o).
    pub longest: u32,
    /// Length of the shorter side in pixels after shrinking. Default: 768 (gpt-4o).
    pub shortest: u32,
    /// Side of a tile in pixels. Default: 512 (gpt-4o).
    pub tile: u32,
    /// Maximum number of tiles; an image that would need more is shrunk further. Default: 4, this project's choice: the 765
    /// tokens of an ordinary photo.
    pub most_tiles: u32,
    /// Tokens for the image as a whole. Default: 85 (gpt-4o).
    pub base_tokens: f64,
    /// Tokens for each tile. Default: 170 (gpt-4o).
    pub tile_tokens: f64,
    /// JPEG quality, 1 to 100, of a shrunk image. Default: 90, this project's choice.
    pub jpeg_quality: u8,
    /// Where the numbers were read; for people.
    pub source: String,
    /// The day on which they were read; for people.
    pub checked: String,
}

impl Default for TileRule {
    fn default() -> Self {
        Self {
            longest: 2048,
            shortest: 768,
            tile: 512,
            most_tiles: 4,
            base_tokens: 85.0,
            tile_tokens: 170.0,
            jpeg_quality: 90,
            source: String::new(),
            checked: String::new(),
        }
    }
}

/// A table of rules: TOML with one `[models."NAME"]` table a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TileRules {
    /// Rules by model name.
    pub models: BTreeMap<String, TileRule>,
}

impl TileRules {
    /// The table that comes with the crate.
    #[must_use]
    pub fn builtin() -> Self {
        // The file is part of the crate and a test parses it, so the fallback is never taken.
        toml::from_str(include_str!("../tiles.toml")).unwrap_or_default()
    }

    /// Reads a table from a file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Format`] with the file's path.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        toml::from_str(&text).map_err(|e| Error::invalid(path, "invalid table of tiles", e))
    }

    /// The rule of a model, looked up as by [`of_model`]; the default where the table does not know it.
    #[must_use]
    pub fn find(&self, model: &str) -> TileRule {
        of_model(&self.models, model).cloned().unwrap_or_default()
    }
}

impl TileRule {
    /// The size at which an image is sent.
    #[must_use]
    pub fn size(&self, width: u32, height: u32) -> (u32, u32) {
        let (long, short) = (f64::from(width.max(height).max(1)), f64::from(width.min(height).max(1)));
        let mut scale = (f64::from(self.longest) / long).min(f64::from(self.shortest) / short).min(1.0);
        let scaled = |scale: f64| {
            let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
            (side(width), side(height))
        };
        // Fewer tiles come only from a side that crosses a multiple of the tile.
        while self.tiles(scaled(scale)) > self.most_tiles.max(1) && scale > 1e-4 {
            scale *= 0.99;
        }
        scaled(scale)
    }

    /// Prompt tokens of an image of that size.
    #[must_use]
    pub fn tokens(&self, width: u32, height: u32) -> u64 {
        self.cost(self.tiles(self.size(width, height)))
    }

    /// Prompt tokens of the dearest image that is sent.
    #[must_use]
    pub fn most_tokens(&self) -> u64 {
        self.cost(self.most_tiles.max(1))
    }

    fn cost(&self, tiles: u32) -> u64 {
        (self.base_tokens + self.tile_tokens * f64::from(tiles)).ceil().max(0.0) as u64
    }

    fn tiles(&self, (width, height): (u32, u32)) -> u32 {
        let tile = self.tile.max(1);
        width.div_ceil(tile) * height.div_ceil(tile)
    }

    /// The image as a part of a message: its own file where that has the right size and a format that endpoints take
    /// (JPEG, PNG, GIF, WebP), stands upright and is transparent nowhere, else upright, shrunk, over white where it is
    /// transparent, and as JPEG: what endpoints put behind transparent parts is theirs to choose, and often black.
    ///
    /// # Errors
    /// The reason of [`tsumugi_images::Error`] where the file is not an image.
    pub fn part(&self, bytes: &[u8]) -> Result<Part, tsumugi_images::Error> {
        let limits = Limits::default();
        let facts = inspect(bytes, &limits)?;
        let lies = facts.orientation >= 5;
        let shown = if lies { (facts.height, facts.width) } else { (facts.width, facts.height) };
        let (width, height) = self.size(shown.0, shown.1);
        let mime = match facts.format {
            Format::Jpeg => Some("image/jpeg"),
            Format::Png => Some("image/png"),
            Format::Gif => Some("image/gif"),
            Format::Webp => Some("image/webp"),
            _ => None,
        };
        if let Some(mime) = mime
            && (width, height) == shown
            && facts.orientation == 1
            && !is_transparent(bytes)
        {
            return Ok(Part::Image { mime: mime.into(), bytes: bytes.to_vec() });
        }
        let rgb = resize(&as_shown(bytes, &limits, facts.orientation)?, width, height, Filter::Bicubic)?;
        let mut jpeg = Vec::new();
        let encoded = JpegEncoder::new_with_quality(&mut jpeg, self.jpeg_quality.clamp(1, 100)).write_image(
            &rgb.data,
            width,
            height,
            image::ExtendedColorType::Rgb8,
        );
        match encoded {
            Ok(()) => Ok(Part::Image { mime: "image/jpeg".into(), bytes: jpeg }),
            // Nothing above the size of the file can fail when writing to memory; the file itself is then the best there is.
            Err(_) => Ok(Part::Image {
                mime: mime.unwrap_or("application/octet-stream").into(),
                bytes: bytes.to_vec(),
            }),
        }
    }
}

fn reader(bytes: &[u8]) -> image::ImageResult<ImageReader<std::io::Cursor<&[u8]>>> {
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?;
    reader.no_limits();
    Ok(reader)
}

/// Whether something shows through. The pixels are looked at only where the file has room for it at all.
fn is_transparent(bytes: &[u8]) -> bool {
    let has_room = reader(bytes).and_then(|reader| Ok(reader.into_decoder()?.color_type().has_alpha()));
    matches!(has_room, Ok(true))
        && reader(bytes)
            .and_then(ImageReader::decode)
            .is_ok_and(|pixels| pixels.into_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX))
}

/// The image as viewers show it: turned as EXIF says, transparent parts over white. `inspect` has held it against the limits.
fn as_shown(bytes: &[u8], limits: &Limits, orientation: u8) -> Result<Rgb, tsumugi_images::Error> {
    let Ok(mut pixels) = reader(bytes).and_then(ImageReader::decode) else {
        return decode_rgb(bytes, limits);
    };
    if let Some(orientation) = Orientation::from_exif(orientation) {
        pixels.apply_orientation(orientation);
    }
    let (width, height) = (pixels.width(), pixels.height());
    if !pixels.color().has_alpha() {
        return Ok(Rgb { width, height, data: pixels.into_rgb8().into_raw() });
    }
    let over_white = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u32::from(colour), u32::from(alpha));
        ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let pixels = pixels.into_rgba8();
    let data = pixels.pixels().flat_map(|image::Rgba([r, g, b, a])| [r, g, b].map(|c| over_white(*c, *a)));
    Ok(Rgb { width, height, data: data.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_rule() {
        let rule = TileRule::default();
        let cases = [
            ((300, 200), (300, 200), 85 + 170),
            ((1024, 1024), (768, 768), 85 + 4 * 170),
            ((640, 480), (640, 480), 85 + 2 * 170),
            ((1, 1), (1, 1), 85 + 170),
        ];
        for ((width, height), size, tokens) in cases {
            assert_eq!(
                (rule.size(width, height), rule.tokens(width, height)),
                (size, tokens),
                "{width}x{height}"
            );
        }
    }

    #[test]
    fn each_model_has_its_rule() {
        let rules = TileRules::builtin();
        // What OpenAI billed for these (see the sources in the table), less the 8 tokens of text.
        let cases = [
            ("gpt-4o-2024-08-06", (128, 64), 255),
            ("gpt-4.1", (1800, 2400), 765),
            ("gpt-4o-mini", (128, 64), 8500),
            ("gpt-4.1-mini-2025-04-14", (128, 64), 13),
            ("unheard-of", (1024, 1024), 765),
        ];
        for (model, (width, height), tokens) in cases {
            assert_eq!(rules.find(model).tokens(width, height), tokens, "{model}");
        }
        assert!(rules.find("gpt-4.1-mini").tokens(4000, 1474) <= 2489);
        for (name, rule) in &rules.models {
            assert!(!rule.source.is_empty() && rule.checked.len() == 10, "{name}");
            assert!(rule.tokens(4000, 3000) <= rule.most_tokens());
        }
        assert!(
            TileRules::load(Path::new("no/tiles.toml")).unwrap_err().to_string().contains("no/tiles.toml")
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_enlarged_and_no_limit_passed(width in 1_u32..20_000, height in 1_u32..20_000) {
            let mut rules: Vec<TileRule> = TileRules::builtin().models.into_values().collect();
            rules.push(TileRule::default());
            for rule in rules {
                let (w, h) = rule.size(width, height);
                assert!(w >= 1 && h >= 1 && w <= width && h <= height);
                assert!(w.max(h) <= rule.longest && rule.tiles((w, h)) <= rule.most_tiles);
                assert_eq!(rule.size(w, h), (w, h));
            }
        }
    }

    #[test]
    fn large_images_become_small_jpegs() {
        let drawn = image::RgbImage::from_fn(1500, 1000, |x, y| image::Rgb([x as u8, y as u8, 0]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        drawn.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let Part::Image { mime, bytes: sent } = TileRule::default().part(bytes.get_ref()).unwrap() else {
            panic!()
        };
        let facts = inspect(&sent, &Limits::default()).unwrap();
        assert_eq!(
            (mime.as_str(), (facts.width, facts.height)),
            ("image/jpeg", TileRule::default().size(1500, 1000))
        );
        assert!(TileRule::default().part(b"text").is_err());
    }

    /// The image that is sent.
    fn sent(bytes: &[u8]) -> Rgb {
        let Part::Image { mime, bytes } = TileRule::default().part(bytes).unwrap() else { panic!() };
        assert_eq!(mime, "image/jpeg");
        decode_rgb(&bytes, &Limits::default()).unwrap()
    }

    fn pixel(image: &Rgb, x: u32, y: u32) -> [u8; 3] {
        let at = 3 * (y * image.width + x) as usize;
        [image.data[at], image.data[at + 1], image.data[at + 2]]
    }

    #[test]
    fn photos_that_lie_are_turned_upright() {
        // The left half red, to be shown on top: orientation 6.
        let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        for (width, height) in [(1600, 1200), (40, 20)] {
            let half = |x| if x < width / 2 { image::Rgb([250, 10, 10]) } else { image::Rgb([10, 10, 250]) };
            let drawn = image::RgbImage::from_fn(width, height, |x, _| half(x));
            let mut jpeg = std::io::Cursor::new(Vec::new());
            drawn.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
            let mut bytes = jpeg.into_inner();
            bytes.splice(2..2, exif.iter().copied());
            assert_eq!(inspect(&bytes, &Limits::default()).unwrap().orientation, 6);
            let sent = sent(&bytes);
            assert_eq!((sent.width, sent.height), TileRule::default().size(height, width));
            let (top, bottom) = (pixel(&sent, 5, 2), pixel(&sent, 5, sent.height - 3));
            assert!(top[0] > 200 && top[2] < 60 && bottom[2] > 200 && bottom[0] < 60, "{top:?} {bottom:?}");
        }
    }

    #[test]
    fn dark_text_on_nothing_stays_readable() {
        for (width, height) in [(1600, 1200), (400, 300)] {
            // Black throughout; the right half is transparent.
            let png = png(width, height, |x| if x < width / 2 { 255 } else { 0 });
            let sent = sent(&png);
            let (text, ground) = (pixel(&sent, 5, 5), pixel(&sent, sent.width - 6, 5));
            assert!(text[0] < 30 && ground[0] > 225, "{width}: {text:?} {ground:?}");
        }
        // A image that could be transparent and is not goes as it is.
        let opaque = png(400, 300, |_| 255);
        let Part::Image { mime, bytes } = TileRule::default().part(&opaque).unwrap() else { panic!() };
        assert_eq!((mime.as_str(), bytes), ("image/png", opaque));
    }

    /// A black image whose opacity depends on the column.
    fn png(width: u32, height: u32, opacity: impl Fn(u32) -> u8) -> Vec<u8> {
        let drawn = image::RgbaImage::from_fn(width, height, |x, _| image::Rgba([0, 0, 0, opacity(x)]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        drawn.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }
}

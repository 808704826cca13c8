//! Decoding within limits.

use std::io::Cursor;

use image::{AnimationDecoder, DynamicImage, ImageDecoder, metadata::Orientation};
use serde::{Deserialize, Serialize};

use crate::repair::repaired;
use crate::rgb::Rgb;
use crate::{Error, Format, Result, luma};

/// Limits on the size of images. Files come from strangers, and a few bytes can announce gigapixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest file in bytes. 32 MiB by default (our choice): files larger than a camera's photographs are rare on the
    /// web.
    pub max_bytes: u64,
    /// Longest side in pixels. 20,000 by default (OBELICS).
    pub max_side: u32,
    /// Largest number of pixels. 50 million by default (our choice): decoding such an image takes 200 MB.
    pub max_pixels: u64,
    /// Largest memory for decoding in bytes, including the decoded image. 512 MiB by default (that of the `image` crate).
    pub max_memory: u64,
    /// Distinct colours are counted up to this number. 256 by default (our choice; WAON asks for 32, and a higher count
    /// tells little).
    pub max_colours: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bytes: 32 << 20,
            max_side: 20_000,
            max_pixels: 50_000_000,
            max_memory: 512 << 20,
            max_colours: 256,
        }
    }
}

impl Limits {
    fn check_size(&self, width: u32, height: u32) -> Result<()> {
        let (max_side, max_pixels) = (self.max_side, self.max_pixels);
        if width == 0 || height == 0 {
            return Err(Error::Shape { width, height, channels: 0, len: 0 });
        }
        if width > max_side || height > max_side || u64::from(width) * u64::from(height) > max_pixels {
            return Err(Error::TooManyPixels { width, height, max_side, max_pixels });
        }
        Ok(())
    }

    fn for_decoder(&self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(self.max_side);
        limits.max_image_height = Some(self.max_side);
        limits.max_alloc = Some(self.max_memory);
        limits
    }
}

/// A decoded image with facts that its pixels do not contain.
pub(crate) struct Decoded {
    pub(crate) format: Format,
    pub(crate) pixels: DynamicImage,
    pub(crate) animated: bool,
    pub(crate) orientation: u8,
}

/// Decodes the first frame of `bytes` to RGB, like Pillow's `Image.open(...).convert("RGB")`: transparency is dropped
/// without blending, and the EXIF orientation is not applied.
///
/// # Errors
/// If the bytes are not an image, or the image is damaged or exceeds `limits`.
pub fn decode_rgb(bytes: &[u8], limits: &Limits) -> Result<Rgb> {
    let decoded = decode(bytes, limits)?;
    Ok(luma::to_rgb(decoded.pixels))
}

/// Decodes the first frame of `bytes` to RGB as viewers show it: like [`decode_rgb`], and turned as the EXIF orientation
/// says. What people and models look at is to be upright.
///
/// # Errors
/// As [`decode_rgb`].
pub fn decode_upright(bytes: &[u8], limits: &Limits) -> Result<Rgb> {
    let mut decoded = decode(bytes, limits)?;
    if let Some(orientation) = Orientation::from_exif(decoded.orientation) {
        decoded.pixels.apply_orientation(orientation);
    }
    Ok(luma::to_rgb(decoded.pixels))
}

/// Decodes the first frame.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(Error::TooManyBytes { bytes: bytes.len() as u64, limit: limits.max_bytes });
    }
    let Some(format) = Format::sniff(bytes) else {
        return Err(Error::UnknownFormat { start: start_of(bytes) });
    };
    let repaired = repaired(bytes);
    let bytes = &*repaired;
    let damaged = |source| Error::Decode { format, source };
    let decoder_format = format.decoder().ok_or(Error::Unsupported { format })?;
    let mut reader = image::ImageReader::with_format(Cursor::new(bytes), decoder_format);
    reader.limits(limits.for_decoder());
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    if decoder.total_bytes() > limits.max_memory {
        let (max_side, max_pixels) = (limits.max_side, limits.max_pixels);
        return Err(Error::TooManyPixels { width, height, max_side, max_pixels });
    }
    if format == Format::Jpeg && !jpeg_is_complete(bytes) {
        return Err(Error::Truncated { format });
    }
    let orientation = decoder.orientation().map_or(1, Orientation::to_exif);
    let pixels = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok(Decoded { format, pixels, animated: is_animated(format, bytes, limits), orientation })
}

/// Whether the last scan of a JPEG file is followed by the end-of-image marker. The decoder fills missing data with grey,
/// while other readers of the same table (Pillow) refuse such a file.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    // Within a scan, 0xff is always followed by 0x00 or a restart marker, so neither pair can be part of the data.
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

fn start_of(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(16)].escape_ascii().to_string()
}

/// Whether there is a second frame.
fn is_animated(format: Format, bytes: &[u8], limits: &Limits) -> bool {
    use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
    let cursor = Cursor::new(bytes);
    match format {
        Format::Gif => GifDecoder::new(cursor).is_ok_and(|mut decoder| {
            decoder.set_limits(limits.for_decoder()).is_ok()
                && decoder.into_frames().nth(1).is_some_and(|frame| frame.is_ok())
        }),
        Format::Png => PngDecoder::new(cursor).is_ok_and(|decoder| decoder.is_apng().unwrap_or(false)),
        Format::Webp => WebPDecoder::new(cursor).is_ok_and(|decoder| decoder.has_animation()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG file, red on the left and blue on the right, with an EXIF orientation.
    fn turned(orientation: u8) -> Vec<u8> {
        let image =
            image::RgbImage::from_fn(16, 8, |x, _| image::Rgb(if x < 8 { [255, 0, 0] } else { [0, 0, 255] }));
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100).encode_image(&image).unwrap();
        let tiff = [
            b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
            &[orientation],
            b"\0\0\0\0\0\0",
        ]
        .concat();
        let length = (tiff.len() as u16 + 8).to_be_bytes();
        [&bytes[..2], b"\xff\xe1", &length, b"Exif\0\0", &tiff, &bytes[2..]].concat()
    }

    #[test]
    fn upright_pixels_are_turned_and_others_are_not() {
        // Where the corner that is red in the file goes.
        for (orientation, size, red_at) in [
            (1, (16, 8), (0, 0)),
            (2, (16, 8), (15, 0)),
            (3, (16, 8), (15, 7)),
            (4, (16, 8), (0, 7)),
            (5, (8, 16), (0, 0)),
            (6, (8, 16), (7, 0)),
            (7, (8, 16), (7, 15)),
            (8, (8, 16), (0, 15)),
        ] {
            let bytes = turned(orientation);
            let upright = decode_upright(&bytes, &Limits::default()).unwrap();
            assert_eq!((upright.width, upright.height), size, "{orientation}");
            let at = |x: u32, y: u32| &upright.data[3 * (y * upright.width + x) as usize..][..3];
            assert!(at(red_at.0, red_at.1)[0] > 200, "{orientation}");
            assert!(at(size.0 - 1 - red_at.0, size.1 - 1 - red_at.1)[2] > 200, "{orientation}");
            let stored = decode_rgb(&bytes, &Limits::default()).unwrap();
            assert_eq!((stored.width, stored.height), (16, 8));
            let facts = crate::inspect(&bytes, &Limits::default()).unwrap();
            assert_eq!((facts.orientation, facts.width, facts.height), (orientation, 16, 8));
        }
    }

    #[test]
    fn a_jpeg_cut_in_its_scan_is_truncated() {
        let image =
            image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8 * 3, y as u8 * 3, (x * y) as u8]));
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&image).unwrap();
        assert!(decode(&bytes, &Limits::default()).is_ok());
        let cut = &bytes[..bytes.len() * 3 / 4];
        let error = decode(cut, &Limits::default()).err().unwrap();
        assert_eq!(error.reason(), "truncated");
    }
}

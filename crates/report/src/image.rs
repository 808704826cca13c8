use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::Error;

/// An image embedded into the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// A `data:` URI. The template writes it without escaping, which is safe: it consists of a media type of this module and
    /// of characters of Base64. None for an image that cannot be shown.
    uri: Option<String>,
    alt: String,
}

impl Image {
    /// Embeds an encoded image as it is. `alt` says what it shows, for readers who cannot see it; it may be empty for an
    /// image that only decorates.
    ///
    /// # Errors
    /// [`Error::UnknownImage`] where browsers do not show the format.
    pub fn new(bytes: &[u8], alt: impl Into<String>) -> Result<Self, Error> {
        let media_type = media_type(bytes).ok_or(Error::UnknownImage)?;
        Ok(Self { uri: Some(data_uri(media_type, bytes)), alt: alt.into() })
    }

    /// Embeds a copy whose longest side has at most `side` pixels, as JPEG on white. Small files (up to `side` pixels and
    /// 24 KiB) are embedded as they are.
    ///
    /// # Errors
    /// Where the image cannot be decoded.
    #[cfg(feature = "thumbnails")]
    pub fn thumbnail(bytes: &[u8], alt: impl Into<String>, side: u32) -> Result<Self, Error> {
        /// Files up to this size are embedded unchanged.
        const SMALL: usize = 24 << 10;
        /// JPEG quality: artefacts stay invisible at thumbnail size.
        const QUALITY: u8 = 82;

        let decoded = upright(bytes).map_err(Error::Decode)?;
        if decoded.width() <= side && decoded.height() <= side && bytes.len() <= SMALL {
            return Self::new(bytes, alt);
        }
        let small = decoded.thumbnail(side.max(1), side.max(1)).to_rgba8();
        let mut canvas =
            ::image::RgbaImage::from_pixel(small.width(), small.height(), ::image::Rgba([255; 4]));
        ::image::imageops::overlay(&mut canvas, &small, 0, 0);
        let mut jpeg = std::io::Cursor::new(Vec::new());
        let encoder = ::image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
        let canvas = ::image::DynamicImage::ImageRgba8(canvas).to_rgb8();
        canvas.write_with_encoder(encoder).map_err(Error::Encode)?;
        Ok(Self { uri: Some(data_uri("image/jpeg", &jpeg.into_inner())), alt: alt.into() })
    }

    /// Stands for an image that cannot be shown: a box with its alternative text.
    #[must_use]
    pub fn missing(alt: impl Into<String>) -> Self {
        Self { uri: None, alt: alt.into() }
    }
}

/// Decodes an image and turns it as its EXIF orientation says.
#[cfg(feature = "thumbnails")]
fn upright(bytes: &[u8]) -> ::image::ImageResult<::image::DynamicImage> {
    use ::image::ImageDecoder as _;

    let reader = ::image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut decoded = ::image::DynamicImage::from_decoder(decoder)?;
    decoded.apply_orientation(orientation);
    Ok(decoded)
}

fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => Some("image/avif"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    }
}

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest side of a picture in a report; the tables hold the originals.
const SIDE: u32 = 256;

/// A picture as a `data:` URL, made smaller where it is large. `None` where it cannot be decoded.
pub fn data_url(bytes: &[u8]) -> Option<String> {
    let picture = image::load_from_memory(bytes).ok()?;
    if picture.width() <= SIDE && picture.height() <= SIDE && bytes.len() < 24 << 10 {
        let format = image::guess_format(bytes).ok()?;
        return Some(format!("data:{};base64,{}", format.to_mime_type(), STANDARD.encode(bytes)));
    }
    let small = picture.thumbnail(SIDE, SIDE);
    // Pictures with transparency are drawn on white, as a page shows them.
    let mut canvas = image::RgbaImage::from_pixel(small.width(), small.height(), image::Rgba([255; 4]));
    image::imageops::overlay(&mut canvas, &small.to_rgba8(), 0, 0);
    let mut jpeg = Cursor::new(Vec::new());
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 82);
    image::DynamicImage::ImageRgba8(canvas).to_rgb8().write_with_encoder(encoder).ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg.into_inner())))
}

/// An `img` element, or a remark where there is no picture to show.
pub(super) fn img(bytes: Option<&[u8]>) -> String {
    match bytes.and_then(data_url) {
        Some(url) => format!("<img loading=\"lazy\" alt=\"\" src=\"{url}\">"),
        None => "<small>picture cannot be shown</small>".into(),
    }
}

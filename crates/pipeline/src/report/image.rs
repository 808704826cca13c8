use tsumugi_report::Image;

/// Longest side of an image in a report, in pixels; the tables hold the originals.
const SIDE: u32 = 256;

/// A small copy of an image, or a box with `alt` where there are no bytes or they cannot be decoded.
pub(super) fn thumbnail(bytes: Option<&[u8]>, alt: &str) -> Image {
    let decoded = bytes.and_then(|bytes| Image::thumbnail(&tsumugi_images::repaired(bytes), alt, SIDE).ok());
    decoded.unwrap_or_else(|| Image::missing(alt))
}

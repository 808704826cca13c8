//! File formats, recognised by their first bytes, never by file name or content type.

/// An image format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG and APNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// Windows bitmap.
    Bmp,
    /// SVG: recognised and counted, but not decoded (a program of drawing commands).
    Svg,
    /// AVIF: recognised, but not decoded.
    Avif,
    /// HEIF and HEIC: recognised, but not decoded.
    Heif,
    /// TIFF: recognised, but not decoded.
    Tiff,
    /// Windows icon: recognised, but not decoded (an icon by definition).
    Ico,
}

impl Format {
    /// The name used in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
            Format::Gif => "gif",
            Format::Webp => "webp",
            Format::Bmp => "bmp",
            Format::Svg => "svg",
            Format::Avif => "avif",
            Format::Heif => "heif",
            Format::Tiff => "tiff",
            Format::Ico => "ico",
        }
    }

    /// The format of a file that starts with `bytes` (a few hundred are enough), if it is known.
    pub fn sniff(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Format::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::Webp),
            [b'B', b'M', ..] if is_bitmap(bytes) => Some(Format::Bmp),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Format::Tiff),
            [0, 0, 1, 0, count, 0, ..] if *count > 0 => Some(Format::Ico),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => sniff_brand(brand.get(..4)?),
            _ if is_svg(bytes) => Some(Format::Svg),
            _ => None,
        }
    }

    /// The decoder for the format, if there is one.
    pub(crate) fn decoder(self) -> Option<image::ImageFormat> {
        match self {
            Format::Jpeg => Some(image::ImageFormat::Jpeg),
            Format::Png => Some(image::ImageFormat::Png),
            Format::Gif => Some(image::ImageFormat::Gif),
            Format::Webp => Some(image::ImageFormat::WebP),
            Format::Bmp => Some(image::ImageFormat::Bmp),
            _ => None,
        }
    }
}

/// Two letters are weak evidence, so the size of the header must also be one that is in use.
fn is_bitmap(bytes: &[u8]) -> bool {
    matches!(bytes.get(14..18), Some([12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]))
}

fn sniff_brand(brand: &[u8]) -> Option<Format> {
    match brand {
        b"avif" | b"avis" => Some(Format::Avif),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => Some(Format::Heif),
        _ => None,
    }
}

/// Whether `<svg` follows an optional byte order mark, XML declaration, comments and document type.
fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let head = String::from_utf8_lossy(head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head));
    let mut rest = head.trim_start();
    loop {
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<!") {
            return rest.contains("<svg") || rest.contains("svg PUBLIC") || rest.contains("DOCTYPE svg");
        } else {
            return rest.starts_with("<svg") || rest.starts_with("<svg:svg");
        };
        match rest.find(end) {
            Some(at) => rest = rest[at + end.len()..].trim_start(),
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_formats_by_content() {
        let cases: &[(&[u8], Option<Format>)] = &[
            (b"\xFF\xD8\xFF\xE0", Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n....", Some(Format::Png)),
            (b"GIF89a..", Some(Format::Gif)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Format::Webp)),
            (b"\0\0\0\x1cftypavif", Some(Format::Avif)),
            (b"\0\0\0\x1cftypheic", Some(Format::Heif)),
            (b"<?xml version=\"1.0\"?>\n<!-- x -->\n<svg xmlns=", Some(Format::Svg)),
            (b"\xEF\xBB\xBF  <svg>", Some(Format::Svg)),
            (b"<!DOCTYPE html><html>", None),
            (b"<html><svg>", None),
            (b"BM is how this text begins, by chance.", None),
            (b"", None),
            (b"<!--", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Format::sniff(bytes), *expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}

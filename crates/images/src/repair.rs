//! Files that browsers show although they break their format's rules.

use std::borrow::Cow;

use crate::Format;

/// The file as decoders take it: a WebP file whose header announces chunks that it does not have, without the
/// announcements; a PNG file that ends before its last chunk, with that chunk. All other files are left as they are,
/// damaged or not. The pixels are those that browsers show.
///
/// ```
/// use tsumugi_images::repaired;
///
/// assert!(matches!(repaired(b"GIF89a"), std::borrow::Cow::Borrowed(_)));
/// ```
pub fn repaired(bytes: &[u8]) -> Cow<'_, [u8]> {
    let changed = match Format::sniff(bytes) {
        Some(Format::Webp) => webp(bytes),
        Some(Format::Png) => png(bytes),
        _ => None,
    };
    changed.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Flags of the extended header of a WebP file, and the chunks that they announce.
const XMP: (u8, &[u8]) = (0x04, b"XMP ");
const EXIF: (u8, &[u8]) = (0x08, b"EXIF");
const ALPHA: (u8, &[u8]) = (0x10, b"ALPH");
const ANIMATION: u8 = 0x02;
/// Where the flags stand.
const FLAGS: usize = 20;

/// Takes back what the header announces in vain.
fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.get(12..16)? != b"VP8X" {
        return None;
    }
    let flags = *bytes.get(FLAGS)?;
    let names: Vec<&[u8]> = chunks(bytes, 12).map(|(name, _)| name).collect();
    let has = |name: &[u8]| names.contains(&name);
    // Transparency of animations stands in their frames, that of lossless images in the image itself.
    let vain = |(flag, name): (u8, &[u8])| flags & flag != 0 && !has(name);
    let alpha = vain(ALPHA) && flags & ANIMATION == 0 && has(b"VP8 ") && !has(b"VP8L");
    let kept = [(XMP.0, vain(XMP)), (EXIF.0, vain(EXIF)), (ALPHA.0, alpha)]
        .into_iter()
        .fold(flags, |kept, (flag, is_vain)| if is_vain { kept & !flag } else { kept });
    (kept != flags).then(|| {
        let mut bytes = bytes.to_vec();
        bytes[FLAGS] = kept;
        bytes
    })
}

/// Names and contents of the chunks of a RIFF file from `at` on.
fn chunks(bytes: &[u8], mut at: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let name = bytes.get(at..at + 4)?;
        let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?) as usize;
        let start = at + 8;
        let end = start.saturating_add(length).min(bytes.len());
        at = end + (end - start) % 2;
        Some((name, &bytes[start..end]))
    })
}

/// The last chunk of a PNG file, which has no content.
const IEND: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];
/// Bytes of a chunk beside its content: length, name and checksum.
const AROUND: usize = 12;

/// Completes a file that ends before its last chunk. Of the image's own chunks what there is counts: whether that is all
/// of the image only its decoder can tell.
fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut at = 8;
    let mut has_data = false;
    loop {
        let rest = &bytes[at..];
        let Some(head) = rest.get(..8) else { break };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let name = &head[4..];
        if name == b"IEND" {
            return None;
        }
        if rest.len() < length.checked_add(AROUND)? {
            let is_data = name == b"IDAT";
            let content =
                rest[8..].get(..length.min(rest.len() - 8)).filter(|content| is_data && !content.is_empty());
            let mut out = bytes[..at].to_vec();
            if let Some(content) = content {
                out.extend_from_slice(&(content.len() as u32).to_be_bytes());
                out.extend_from_slice(name);
                out.extend_from_slice(content);
                out.extend_from_slice(&checksum(&[name, content].concat()).to_be_bytes());
            }
            out.extend_from_slice(&IEND);
            return (has_data || content.is_some()).then_some(out);
        }
        has_data |= name == b"IDAT";
        at += length + AROUND;
    }
    has_data.then(|| [&bytes[..at], &IEND].concat())
}

/// The CRC-32 of a chunk. Bit by bit: only the last chunk of a cut file needs it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngEncoder;
    use image::codecs::webp::WebPEncoder;

    use super::*;
    use crate::{Limits, decode_rgb, inspect};

    fn image() -> image::RgbImage {
        image::RgbImage::from_fn(20, 10, |x, y| image::Rgb([x as u8 * 9, y as u8 * 20, (x * y) as u8]))
    }

    fn encoded_png() -> Vec<u8> {
        let mut bytes = Vec::new();
        image().write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
        bytes
    }

    /// A lossless WebP file with an extended header of these flags, and chunks behind it.
    fn extended_webp(flags: u8, more: &[u8]) -> Vec<u8> {
        let mut simple = Vec::new();
        image().write_with_encoder(WebPEncoder::new_lossless(&mut simple)).unwrap();
        let mut out = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        out.extend([flags, 0, 0, 0, 19, 0, 0, 9, 0, 0]);
        out.extend(&simple[12..]);
        out.extend(more);
        let length = (out.len() as u32 - 8).to_le_bytes();
        out[4..8].copy_from_slice(&length);
        out
    }

    #[test]
    fn webp_need_not_have_what_it_announces() {
        let pixels = image().into_raw();
        for flags in [0, 0x04, 0x08, 0x0c, 0x10, 0x1c, 0x20, 0x28] {
            let rgb = decode_rgb(&extended_webp(flags, b""), &Limits::default()).unwrap();
            assert_eq!(rgb.data, pixels, "{flags}");
        }
        // What is there stays announced.
        let exif = extended_webp(0x08, b"EXIF\x04\0\0\0abcd");
        assert!(matches!(repaired(&exif), Cow::Borrowed(_)));
        for cut in 0..exif.len() {
            let _ = repaired(&exif[..cut]);
        }
    }

    #[test]
    fn png_need_not_end() {
        let whole = encoded_png();
        let pixels = image().into_raw();
        let end = whole.len() - IEND.len();
        let trailer = [&whole[..end], b"\0\0\0\x09tEXtabc"].concat();
        // Without the last chunk, cut in it, in the checksum of the data, and in a chunk of text behind them.
        for bytes in [&whole[..end], &whole[..end + 5], &whole[..end - 2], &whole[..end - 4], &trailer] {
            let rgb = decode_rgb(bytes, &Limits::default()).unwrap();
            assert_eq!(rgb.data, pixels, "{}", bytes.len());
            assert_eq!(
                inspect(bytes, &Limits::default()).unwrap(),
                inspect(&whole, &Limits::default()).unwrap()
            );
        }
        assert!(matches!(repaired(&whole), Cow::Borrowed(_)));
        // Where a part of the image is missing, the file is damaged.
        for cut in [8, 20, 33, 41, end - 12] {
            assert!(decode_rgb(&whole[..cut], &Limits::default()).is_err(), "{cut}");
        }
    }

    #[test]
    fn checksums_are_those_of_png() {
        assert_eq!(checksum(b"IEND").to_be_bytes(), IEND[8..]);
    }
}

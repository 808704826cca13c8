//! Which encoding a page is in: the bytes decide, declarations and a detector help.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};

/// Bytes at the start of a page in which a declaration is looked for (browsers look at 1,024; some pages have
/// long comments and scripts before it).
const DECLARATION: usize = 8 << 10;
/// Bytes of text around non-ASCII characters that encodings are tried on.
const SAMPLE: usize = 16 << 10;
/// Bytes at the start in which UTF-16 without a mark is looked for.
const UTF16: usize = 512;
/// Share of broken multi-byte sequences up to which a page still is UTF-8: pages cut or joined by bytes have a
/// few, and other encodings hardly ever have more valid sequences than broken ones.
const BROKEN_UTF8: f64 = 0.05;

/// The text of a page and the encoding it was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// WHATWG name of the encoding, for example `Shift_JIS`.
    pub charset: &'static str,
    /// Whether some bytes were not valid and were replaced by U+FFFD.
    pub broken: bool,
}

/// Decodes a page. `content_type` is the HTTP header, if there is one.
///
/// Valid UTF-8 is always read as UTF-8. Otherwise a declaration (HTTP, `<meta>`, XML) is believed if the bytes
/// bear it out, and found out if they do not.
///
/// ```
/// let page = tsumugi_page::decode(b"<p>\x8d\x82\x91\xac\x8f\x88\x97\x9d", Some("text/html"));
/// assert_eq!((page.charset, &*page.text), ("Shift_JIS", "<p>高速処理"));
/// ```
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_in(&bytes[mark..], encoding);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return decode_in(bytes, encoding);
    }
    match std::str::from_utf8(bytes) {
        // Escape sequences count where there is nothing but ASCII.
        Ok(text) if has_iso_2022_jp(bytes) && text.is_ascii() => return decode_in(bytes, ISO_2022_JP),
        Ok(text) => return Decoded { text: Cow::Borrowed(text), charset: UTF_8.name(), broken: false },
        Err(error) if error.error_len().is_none() => return decode_in(bytes, UTF_8),
        Err(_) => {}
    }
    decode_in(bytes, choose(bytes, content_type))
}

fn decode_in<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    Decoded { text, charset: encoding.name(), broken }
}

/// The bytes are neither valid UTF-8 nor marked.
fn choose(bytes: &[u8], content_type: Option<&str>) -> &'static Encoding {
    if nearly_utf8(bytes) {
        return UTF_8;
    }
    let declared = declared(bytes, content_type);
    let sample = sample(bytes);
    // A declaration that the bytes bear out is right, unless it is one that fits almost any bytes.
    let mut candidates: Vec<&'static Encoding> = Vec::with_capacity(8);
    candidates.extend(declared.iter().copied().filter(|encoding| is_telling(encoding)));
    for encoding in [SHIFT_JIS, EUC_JP] {
        if !candidates.contains(&encoding) {
            candidates.push(encoding);
        }
    }
    if has_iso_2022_jp(bytes) {
        candidates.push(ISO_2022_JP);
    }
    let detected = detect(&sample);
    if !candidates.contains(&detected) {
        candidates.push(detected);
    }
    let scored = candidates.iter().map(|encoding| {
        let mut score = plausibility(&sample, encoding);
        if declared.contains(encoding) {
            score += 0.15;
        }
        if *encoding == detected {
            score += 0.1;
        }
        (score, *encoding)
    });
    let best = scored.fold((f64::MIN, WINDOWS_1252), |best, next| if next.0 > best.0 { next } else { best });
    // Western text in Japanese clothes: nothing multi-byte fits.
    if best.0 < 0.5 {
        return declared.first().copied().filter(|encoding| !is_telling(encoding)).unwrap_or(detected);
    }
    best.1
}

/// Multi-byte encodings: most wrong bytes are invalid in them.
fn is_telling(encoding: &'static Encoding) -> bool {
    [SHIFT_JIS, EUC_JP, ISO_2022_JP, EUC_KR, BIG5, GBK, GB18030].contains(&encoding)
}

/// How much `sample` looks like text when read in `encoding`: 1 for nothing but ordinary characters; errors
/// and rare characters (half-width katakana, private use, controls) count against it.
fn plausibility(sample: &[u8], encoding: &'static Encoding) -> f64 {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let (mut good, mut odd, mut bad) = (0_u32, 0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        match c {
            '\u{fffd}' => bad += 1,
            '\u{ff61}'..='\u{ff9f}' | '\u{e000}'..='\u{f8ff}' | '\u{80}'..='\u{9f}' => odd += 1,
            // What Japanese text has most of. The Chinese and Korean encodings have kana at the same places as
            // EUC-JP, but their texts have none.
            '\u{3041}'..='\u{30ff}' if is_japanese(encoding) => good += 2,
            '\u{3041}'..='\u{30ff}' => odd += 1,
            '\u{ac00}'..='\u{d7a3}' => good += 2,
            '\u{4e00}'..='\u{9fff}' if is_common(c, encoding) => good += 1,
            '\u{4e00}'..='\u{9fff}' => odd += 1,
            _ => {}
        }
    }
    let total = f64::from(good + odd + bad);
    if total == 0.0 {
        return 0.0;
    }
    (f64::from(good) - 2.0 * f64::from(bad)) / total
}

/// Whether a Han character is among those in everyday use, which stand first in each national standard: level 1
/// of JIS X 0208, of GB 2312 and of Big5. The wrong encoding gives rare ones.
fn is_common(c: char, encoding: &'static Encoding) -> bool {
    let (standard, level_1) = if is_japanese(encoding) || encoding == EUC_KR {
        (SHIFT_JIS, 0x88..=0x97)
    } else if encoding == BIG5 {
        (BIG5, 0xa4..=0xc6)
    } else {
        (GBK, 0xb0..=0xd7)
    };
    let mut buffer = [0; 4];
    let (bytes, _, missing) = standard.encode(c.encode_utf8(&mut buffer));
    // The second bytes of GB 2312 are above 0xA0; lower ones are GBK's additions.
    let additional = standard == GBK && bytes.get(1).is_some_and(|byte| *byte < 0xa1);
    !missing && !additional && bytes.first().is_some_and(|byte| level_1.contains(byte))
}

fn is_japanese(encoding: &'static Encoding) -> bool {
    [SHIFT_JIS, EUC_JP, ISO_2022_JP].contains(&encoding)
}

fn detect(sample: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

/// The lines with bytes above 127, up to [`SAMPLE`] bytes.
fn sample(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(SAMPLE);
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.is_ascii() && !line.contains(&0x1b) {
            continue;
        }
        let room = SAMPLE - out.len();
        if line.len() >= room {
            out.extend_from_slice(&line[..room.saturating_sub(1)]);
            // Not in the middle of a character.
            while out.last().is_some_and(|byte| *byte >= 0x80) {
                out.pop();
            }
            break;
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

fn nearly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut broken) = (0_u32, 0_u32);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u32;
        broken += u32::from(!chunk.invalid().is_empty());
    }
    f64::from(broken) <= BROKEN_UTF8 * f64::from(valid)
}

/// Whether an escape sequence of ISO-2022-JP stands somewhere: to JIS X 0208, or to half-width katakana.
fn has_iso_2022_jp(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, bytes).any(|at| matches!(bytes.get(at + 1..at + 3), Some(b"$B" | b"$@" | b"(I")))
}

/// UTF-16 without a mark shows by a zero in every other byte of its markup.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(UTF16)];
    if start.len() < 4 || memchr::memchr(0, start).is_none() {
        return None;
    }
    let zeros = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // Some of the start is markup even where a text begins at once.
    let many = start.len() / 12;
    if odd > many && even <= odd / 8 {
        Some(UTF_16LE)
    } else if even > many && odd <= even / 8 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Encodings that the page claims, most trusted first.
fn declared(bytes: &[u8], content_type: Option<&str>) -> Vec<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let mut found = Vec::new();
    let mut claim = |label: Option<&[u8]>| {
        if let Some(encoding) = label.and_then(Encoding::for_label) {
            // A page whose declaration can be read is not in UTF-16; and UTF-8 is already ruled out.
            if ![UTF_16LE, UTF_16BE, UTF_8].contains(&encoding) && !found.contains(&encoding) {
                found.push(encoding);
            }
        }
    };
    claim(content_type.and_then(|value| label_after(value.as_bytes(), b"charset")));
    let mut rest = head;
    while let Some(at) = find_ignoring_case(rest, b"<meta") {
        rest = &rest[at + 5..];
        let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        claim(label_after(&rest[..end], b"charset"));
    }
    if head.starts_with(b"<?xml") {
        let end = memchr::memchr(b'>', head).unwrap_or(head.len());
        claim(label_after(&head[..end], b"encoding"));
    }
    found
}

/// The value after `name` and an equals sign.
fn label_after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = find_ignoring_case(text, name)?;
    let value = text[at + name.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value =
        value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value).trim_ascii_start();
    let end = value
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)))
        .unwrap_or(value.len());
    (end > 0).then(|| &value[..end])
}

fn find_ignoring_case(text: &[u8], name: &[u8]) -> Option<usize> {
    text.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<p>日本語の文章です。高速に処理します。カタカナも漢字も①もあります。</p>";

    fn check(bytes: &[u8], content_type: Option<&str>, charset: &str) {
        let decoded = decode(bytes, content_type);
        assert_eq!(decoded.charset, charset, "{content_type:?}");
        assert!(decoded.text.contains("高速に処理します"), "{charset}: {}", decoded.text);
    }

    #[test]
    fn bytes_win_over_lies() {
        for encoding in [UTF_8, SHIFT_JIS, EUC_JP] {
            let (bytes, _, _) = encoding.encode(TEXT);
            for lie in
                [None, Some("utf-8"), Some("shift_jis"), Some("euc-jp"), Some("iso-8859-1"), Some("gb2312")]
            {
                let content_type = lie.map(|lie| format!("text/html; charset={lie}"));
                check(&bytes, content_type.as_deref(), encoding.name());
                let meta = lie.map(|lie| format!("<meta charset='{lie}'>")).unwrap_or_default();
                check(&[meta.as_bytes(), &bytes].concat(), None, encoding.name());
            }
        }
    }

    #[test]
    fn reads_iso_2022_jp_and_utf16() {
        let (bytes, _, _) = ISO_2022_JP.encode("<p>高速に処理します");
        check(&bytes, Some("text/html; charset=utf-8"), "ISO-2022-JP");
        let text = "<p>高速に処理します";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&little, None, "UTF-16LE");
        check(&[&[0xff, 0xfe], &little[..]].concat(), Some("text/html; charset=utf-8"), "UTF-16LE");
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&[&[0xfe, 0xff], &big[..]].concat(), None, "UTF-16BE");
    }

    #[test]
    fn keeps_utf8_with_some_broken_bytes() {
        let mut bytes = TEXT.repeat(10).into_bytes();
        bytes.truncate(bytes.len() - 6);
        check(&bytes, Some("text/html; charset=Shift_JIS"), "UTF-8");
        bytes[100] = 0xff;
        check(&bytes, Some("text/html; charset=Shift_JIS"), "UTF-8");
    }

    #[test]
    fn believes_western_declarations() {
        let page = decode(b"<p>caf\xe9 cr\xe8me</p>", Some("text/html; charset=ISO-8859-1"));
        assert_eq!((page.charset, &*page.text), ("windows-1252", "<p>café crème</p>"));
    }
}

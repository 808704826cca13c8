//! Which encoding a page is in: the bytes decide, declarations and a detector help.

mod frequent;
mod likelihood;
mod mixed;
mod mojibake;
#[cfg(test)]
mod tests;
mod utf16;

pub use mojibake::is_mojibake;

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE,
    UTF_16LE, X_USER_DEFINED,
};

/// Bytes at the start of a page in which a declaration is looked for (browsers look at 1,024; some pages have
/// long comments and scripts before it).
const DECLARATION: usize = 8 << 10;
/// Bytes with non-ASCII characters that encodings are tried on.
const SAMPLE: usize = 16 << 10;
/// Bytes with non-ASCII characters that encodings are tried on at first.
const PIECES: usize = 2 << 10;
/// ASCII bytes that end a piece.
const APART: usize = 8;
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
    /// Number of characters that were replaced by U+FFFD: bytes that are not valid, and parts in other encodings.
    pub replaced: usize,
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
        let text = &bytes[mark..];
        // Editors have put the mark of UTF-8 before parts of pages whose rest is in another encoding.
        if encoding == UTF_8
            && !nearly_utf8(text)
            && let Ok(main) = mixed::main_encoding(text)
        {
            return decode_mixed(text, main);
        }
        return decode_in(text, encoding);
    }
    if let Some(encoding) = utf16::without_mark(bytes) {
        return decode_in(bytes, encoding);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if escapes(bytes).next().is_none() => {
            return Decoded { text: Cow::Borrowed(text), charset: UTF_8.name(), replaced: 0 };
        }
        // Escape sequences count where there is little but ASCII.
        Ok(_) if is_iso_2022_jp(bytes) => return decode_in(bytes, ISO_2022_JP),
        Ok(_) => return decode_mixed(bytes, UTF_8),
        Err(error) if error.error_len().is_none() => return decode_in(bytes, UTF_8),
        Err(_) => {}
    }
    if is_iso_2022_jp(bytes) {
        return decode_in(bytes, ISO_2022_JP);
    }
    let has_jis = escapes(bytes).next().is_some();
    let marks = mixed::Marks::of(bytes);
    if !marks.are_mixed() && !has_jis {
        let encoding = if nearly_utf8(bytes) { UTF_8 } else { choose(bytes, content_type) };
        return decode_in(bytes, encoding);
    }
    let known = if marks.utf8 && nearly_utf8(bytes) { Ok(UTF_8) } else { mixed::main_encoding(bytes) };
    decode_mixed(bytes, known.unwrap_or_else(|rest| choose(&rest, content_type)))
}

fn decode_in<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    let (text, is_broken) = encoding.decode_without_bom_handling(bytes);
    if is_broken && encoding == UTF_8 {
        return decode_mixed(bytes, UTF_8);
    }
    let replaced = if is_broken { replacements(&text) } else { 0 };
    Decoded { text, charset: encoding.name(), replaced }
}

fn decode_mixed(bytes: &[u8], main: &'static Encoding) -> Decoded<'static> {
    let (text, replaced) = mixed::decode(bytes, main);
    Decoded { text: Cow::Owned(text), charset: main.name(), replaced }
}

/// How many characters of a text are U+FFFD.
fn replacements(text: &str) -> usize {
    memchr::memmem::find_iter(text.as_bytes(), "\u{fffd}").count()
}

/// The bytes are neither UTF-8 nor ISO-2022-JP nor marked.
fn choose(bytes: &[u8], content_type: Option<&str>) -> &'static Encoding {
    let declared = declared(bytes, content_type);
    let telling = declared.iter().copied().filter(|encoding| is_telling(encoding));
    // Most pages show by a few pieces what they are.
    let pieces = sample(bytes, PIECES);
    for encoding in telling.clone().chain([SHIFT_JIS, EUC_JP]) {
        let fit = Fit::of(&pieces, encoding);
        if fit.quality >= 0.8 && fit.telltale >= 0.8 {
            return encoding;
        }
    }
    // A page that claims one Japanese encoding is Japanese, even if it is in another.
    let claims = telling.clone().map(family).next();
    let language = language(bytes).or(claims);
    let sample = sample(bytes, SAMPLE);
    let detected = detect(&sample);
    let mut candidates: Vec<&'static Encoding> = Vec::with_capacity(8);
    for encoding in telling.chain([SHIFT_JIS, EUC_JP, detected]) {
        if is_telling(encoding) && !candidates.contains(&encoding) {
            candidates.push(encoding);
        }
    }
    let mut best = (f64::MIN, Fit::default(), detected);
    for encoding in candidates {
        let fit = Fit::of(&sample, encoding);
        let mut score = fit.quality + fit.telltale;
        if declared.contains(&encoding) {
            score += DECLARED;
        }
        if encoding == detected {
            score += DETECTED;
        }
        if language.is_some_and(|language| language == family(encoding)) {
            score += LANGUAGE;
        }
        if score > best.0 {
            best = (score, fit, encoding);
        }
    }
    if best.1.telltale > HANGUL {
        return best.2;
    }
    // Nothing tells at first sight: the likeliest then, what is declared and claimed counted in.
    let prior = |encoding: &'static Encoding| {
        let claimed = language.is_some_and(|language| language == family(encoding));
        let weigh = |holds: bool, weight: f64| if holds { weight } else { 0.0 };
        let foreign = !declared.contains(&encoding) && family(encoding) != Family::Japanese;
        weigh(declared.contains(&encoding), LIKELY_DECLARED) - weigh(foreign, LIKELY_FOREIGN)
            + weigh(encoding == detected, LIKELY_DETECTED)
            + weigh(claimed, LIKELY_LANGUAGE)
    };
    let mut likeliest = (f64::MIN, detected);
    for encoding in declared.iter().copied().chain([detected, SHIFT_JIS, EUC_JP]) {
        let value = likelihood::log_likelihood(&sample, encoding) + prior(encoding);
        if value > likeliest.0 {
            likeliest = (value, encoding);
        }
    }
    likeliest.1
}

/// What a declaration weighs where likelihoods decide: more than one character that fits better in another encoding, less
/// than two. Tuned on the cases of `tests/charset.rs`.
const LIKELY_DECLARED: f64 = 4.0;
/// What the detector's opinion and the language that the page claims weigh there.
const LIKELY_DETECTED: f64 = 1.0;
const LIKELY_LANGUAGE: f64 = 3.0;
/// What speaks against an encoding that is neither declared nor Japanese.
const LIKELY_FOREIGN: f64 = 4.0;
/// What Hangul without Han characters tells.
const HANGUL: f64 = 0.3;
/// What a declaration weighs against how well the bytes fit: less than kana, more than rare characters.
const DECLARED: f64 = 0.6;
/// What the detector's opinion weighs.
const DETECTED: f64 = 0.1;
/// What the language weighs that the page claims.
const LANGUAGE: f64 = 0.3;

/// Multi-byte encodings: most wrong bytes are invalid in them.
fn is_telling(encoding: &'static Encoding) -> bool {
    family(encoding) != Family::Other
}

/// The languages that an encoding was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Japanese,
    Chinese,
    Korean,
    Other,
}

fn family(encoding: &'static Encoding) -> Family {
    if is_japanese(encoding) {
        Family::Japanese
    } else if [BIG5, GBK, GB18030].contains(&encoding) {
        Family::Chinese
    } else if encoding == EUC_KR {
        Family::Korean
    } else {
        Family::Other
    }
}

/// The family of the language that the page's root element claims.
fn language(bytes: &[u8]) -> Option<Family> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let at = find_ignoring_case(head, b"<html")?;
    let tag = &head[at..at + memchr::memchr(b'>', &head[at..])?];
    match label_after(tag, b"lang")?.get(..2)?.to_ascii_lowercase().as_slice() {
        b"ja" => Some(Family::Japanese),
        b"zh" => Some(Family::Chinese),
        b"ko" => Some(Family::Korean),
        _ => None,
    }
}

/// How well bytes look like text in an encoding.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    /// 1 for nothing but ordinary characters; errors and rare characters count against it.
    quality: f64,
    /// Above 0 if characters stand there that hardly come about by chance: kana, or Hangul without Han.
    telltale: f64,
}

impl Fit {
    fn of(sample: &[u8], encoding: &'static Encoding) -> Self {
        let (text, _) = encoding.decode_without_bom_handling(sample);
        let text = without_cut_end(&text);
        let (mut good, mut bad, mut total) = (0.0, 0.0, 0.0_f64);
        let (mut kana, mut hangul, mut han) = (0.0, 0.0, 0.0);
        for c in text.chars().filter(|c| !c.is_ascii()) {
            total += 1.0;
            match c {
                '\u{fffd}' => bad += 1.0,
                // Half-width katakana have two bytes in EUC-JP, which do not come about by chance; but EUC-JP looks
                // like them when it is read as Shift_JIS.
                '\u{ff66}'..='\u{ff9f}' => {
                    good += if encoding == EUC_JP { 0.9 } else { 0.25 };
                }
                '\u{ff61}'..='\u{ff65}' | '\u{e000}'..='\u{f8ff}' | '\u{80}'..='\u{9f}' => {}
                // What Japanese text has most of. The Chinese and Korean encodings have kana at the same places as
                // EUC-JP, but their texts have none.
                '\u{3041}'..='\u{30ff}' if is_japanese(encoding) => {
                    good += 1.0;
                    kana += 1.0;
                }
                '\u{3041}'..='\u{30ff}' => {}
                '\u{ac00}'..='\u{d7a3}' => {
                    hangul += 1.0;
                    good += f64::from(u8::from(is_common(c, encoding)));
                }
                // Korean text has hardly any Han characters left.
                '\u{4e00}'..='\u{9fff}' => {
                    han += 1.0;
                    good += f64::from(u8::from(encoding != EUC_KR && is_common(c, encoding)));
                }
                // Punctuation and letters that all of these encodings have.
                _ => total -= 1.0,
            }
        }
        if total == 0.0 {
            return Self::default();
        }
        let telltale = if bad > 0.05 * total {
            0.0
        } else if hangul > 0.0 && han == 0.0 {
            HANGUL
        } else {
            (4.0 * kana / total).min(1.0)
        };
        Self { quality: (good - 2.0 * bad) / total, telltale }
    }
}

/// Whether a Han or Hangul character is among those in everyday use, which stand first in each national standard:
/// level 1 of JIS X 0208, of GB 2312 and of Big5, and the Hangul of KS X 1001. The wrong encoding gives rare ones.
fn is_common(c: char, encoding: &'static Encoding) -> bool {
    let (standard, level_1) = match family(encoding) {
        Family::Japanese | Family::Other => (SHIFT_JIS, 0x88..=0x97),
        Family::Korean => (EUC_KR, 0xb0..=0xc8),
        Family::Chinese if encoding == BIG5 => (BIG5, 0xa4..=0xc6),
        Family::Chinese => (GBK, 0xb0..=0xd7),
    };
    let mut buffer = [0; 4];
    let (bytes, _, missing) = standard.encode(c.encode_utf8(&mut buffer));
    // The second bytes of GB 2312 and KS X 1001 are above 0xA0; lower ones are later additions.
    let additional = [GBK, EUC_KR].contains(&standard) && bytes.get(1).is_some_and(|byte| *byte < 0xa1);
    !missing && !additional && bytes.first().is_some_and(|byte| level_1.contains(byte))
}

fn is_japanese(encoding: &'static Encoding) -> bool {
    [SHIFT_JIS, EUC_JP, ISO_2022_JP].contains(&encoding)
}

/// A character that the sample cuts in two at its end is not an error; a text of nothing but errors is.
fn without_cut_end(text: &str) -> &str {
    let text = text.trim_end_matches('\n');
    text.strip_suffix('\u{fffd}').unwrap_or(text)
}

fn detect(sample: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

/// The pieces with bytes above 127, up to `limit` bytes. Each begins with a character: what stands before it is
/// ASCII, or the second byte of the one before.
fn sample(bytes: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(limit + 1);
    let mut at = 0;
    while out.len() < limit {
        let start = at + Encoding::ascii_valid_up_to(&bytes[at..]);
        let mut ascii = 0;
        at = start;
        while at < bytes.len() && ascii < APART && out.len() + at - start < limit {
            ascii = if bytes[at].is_ascii() { ascii + 1 } else { 0 };
            at += 1;
        }
        if at == start {
            break;
        }
        out.extend_from_slice(&bytes[start..at]);
        out.push(b'\n');
    }
    out
}

fn nearly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut broken) = (0_u32, 0_u32);
    let excused = (mixed::SURROGATES * mixed::surrogates(bytes)) as u32;
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u32;
        broken += u32::from(!chunk.invalid().is_empty());
        // The rest will not make up for it.
        if broken > 100 + excused && broken > valid + excused {
            return false;
        }
    }
    f64::from(broken.saturating_sub(excused)) <= BROKEN_UTF8 * f64::from(valid)
}

/// Where escape sequences of ISO-2022-JP stand: to JIS X 0208, or to half-width katakana.
fn escapes(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memchr::memchr_iter(0x1b, bytes)
        .filter(|at| matches!(bytes.get(at + 1..at + 3), Some(b"$B" | b"$@" | b"(I")))
}

/// Whether most of what is not ASCII is in ISO-2022-JP: two bytes a character in its sections, two or more elsewhere.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    if escapes(bytes).next().is_none() {
        return false;
    }
    let inside: usize =
        mixed::jis_sections(bytes).into_iter().map(|section| section.len().saturating_sub(3)).sum();
    inside > bytes.iter().filter(|byte| **byte >= 0x80).count()
}

/// Encodings that the page claims, most trusted first.
fn declared(bytes: &[u8], content_type: Option<&str>) -> Vec<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let mut found = Vec::new();
    let mut claim = |label: Option<&[u8]>| {
        if let Some(encoding) = label.and_then(Encoding::for_label) {
            // A page whose declaration can be read is not in UTF-16; and UTF-8 is already ruled out.
            // "replacement" stands for encodings that browsers refuse to read.
            let no_claim = [UTF_16LE, UTF_16BE, UTF_8, REPLACEMENT, X_USER_DEFINED];
            if !no_claim.contains(&encoding) && !found.contains(&encoding) {
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

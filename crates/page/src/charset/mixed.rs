//! Pages that were pasted together from parts in several encodings: a UTF-8 page with a Shift_JIS footer, or the reverse.
//! Such a page is read in the encoding that most of its text is in. Of the other parts it is known how many characters
//! they have, and each of them becomes U+FFFD.

use std::ops::Range;

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};

use super::{Fit, escapes};

/// Pairs of neighbouring characters from which an encoding has left its mark on a page.
const PAIRS: usize = 2;
/// Quality from which a part is text in an encoding, and below which it is none.
const TEXT: f64 = 0.5;
/// Bytes of a part from which it is taken for text in another legacy encoding than the page's.
const PART: usize = 8;

/// The encodings that have left their marks on bytes: pairs of characters which other encodings do not have side by side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) utf8: bool,
    shift_jis: bool,
    euc_jp: bool,
}

impl Marks {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let is_utf8 = |at: usize| {
            (0xe3..=0xe9).contains(&byte(at))
                && is_continuation(byte(at + 1))
                && is_continuation(byte(at + 2))
        };
        // Kana and frequent Han characters, behind which another one begins.
        let utf8 = memchr::memchr3_iter(0xe3, 0xe5, 0xe6, bytes).filter(|at| is_utf8(*at) && is_utf8(at + 3));
        let hiragana = |at: usize| byte(at) == 0x82 && (0x9f..=0xf1).contains(&byte(at + 1));
        let shift_jis = memchr::memchr_iter(0x82, bytes).filter(|at| hiragana(*at) && hiragana(at + 2));
        let kana = |at: usize| byte(at) == 0xa4 && (0xa1..=0xf3).contains(&byte(at + 1));
        let euc_jp = memchr::memchr_iter(0xa4, bytes).filter(|at| kana(*at) && kana(at + 2));
        Self {
            utf8: utf8.take(PAIRS).count() == PAIRS,
            shift_jis: shift_jis.take(2 * PAIRS).count() == 2 * PAIRS,
            euc_jp: euc_jp.take(2 * PAIRS).count() == 2 * PAIRS,
        }
    }

    /// Whether a page that is not valid UTF-8 may be in several encodings.
    pub(super) fn are_mixed(self) -> bool {
        self.utf8 || (self.shift_jis && self.euc_jp)
    }
}

/// How many characters are in each encoding.
#[derive(Debug, Default)]
struct Tally {
    utf8: usize,
    shift_jis: usize,
    euc_jp: usize,
    other: usize,
}

/// The encoding that most of a mixed page is in, if that is known; and all that is not UTF-8, by which it can be found out
/// otherwise.
pub(super) fn main_encoding(bytes: &[u8]) -> Result<&'static Encoding, Vec<u8>> {
    let (mut tally, mut rest) = (Tally::default(), Vec::new());
    for part in parts(bytes) {
        if part.is_ascii() {
            rest.extend_from_slice(part);
            continue;
        }
        let (valid, invalid) = utf8_characters(part);
        if valid > invalid {
            tally.utf8 += valid;
            continue;
        }
        rest.extend_from_slice(part);
        let characters = part.iter().filter(|byte| !byte.is_ascii()).count().div_ceil(2);
        *match legacy(part, PART) {
            Some(encoding) if encoding == SHIFT_JIS => &mut tally.shift_jis,
            Some(encoding) if encoding == EUC_JP => &mut tally.euc_jp,
            _ => &mut tally.other,
        } += characters;
    }
    let Tally { utf8, shift_jis, euc_jp, other } = tally;
    if utf8 > shift_jis.max(euc_jp) + other {
        Ok(UTF_8)
    } else if shift_jis > euc_jp.max(utf8) + other {
        Ok(SHIFT_JIS)
    } else if euc_jp > shift_jis.max(utf8) + other {
        Ok(EUC_JP)
    } else {
        Err(rest)
    }
}

/// Reads a page whose main encoding is known, and counts the characters that are not in it.
pub(super) fn decode(bytes: &[u8], main: &'static Encoding) -> (String, usize) {
    let mut out = String::with_capacity(bytes.len());
    let mut replaced = 0;
    let mut at = 0;
    for section in jis_sections(bytes).into_iter().chain(std::iter::once(bytes.len()..bytes.len())) {
        for part in parts(&bytes[at..section.start]) {
            replaced += decode_part(part, main, &mut out);
        }
        replaced += replace(&bytes[section.clone()], ISO_2022_JP, &mut out);
        at = section.end;
    }
    (out, replaced)
}

fn decode_part(part: &[u8], main: &'static Encoding, out: &mut String) -> usize {
    let (valid, invalid) = utf8_characters(part);
    let encoding = if main == UTF_8 {
        if valid >= invalid { UTF_8 } else { legacy(part, 0).unwrap_or(UTF_8) }
    } else if valid >= 2 * PAIRS && valid > 4 * invalid {
        UTF_8
    } else if super::is_japanese(main) && Fit::of(part, main).quality < TEXT {
        legacy(part, PART).unwrap_or(main)
    } else {
        main
    };
    if encoding != main {
        return replace(part, encoding, out);
    }
    let (text, is_broken) = main.decode_without_bom_handling(part);
    out.push_str(&text);
    if !is_broken {
        return 0;
    }
    let written = if main == UTF_8 { memchr::memmem::find_iter(part, "\u{fffd}").count() } else { 0 };
    super::replacements(&text).saturating_sub(written)
}

/// Appends what is readable in the main encoding as well, and U+FFFD for each other character.
fn replace(part: &[u8], encoding: &'static Encoding, out: &mut String) -> usize {
    let (text, _) = encoding.decode_without_bom_handling(part);
    out.extend(text.chars().map(|c| if c.is_ascii() { c } else { '\u{fffd}' }));
    text.chars().filter(|c| !c.is_ascii()).count()
}

/// The Japanese encoding that a part is text in, of at least so many bytes.
fn legacy(part: &[u8], least: usize) -> Option<&'static Encoding> {
    if part.len() < least {
        return None;
    }
    let fits = [SHIFT_JIS, EUC_JP].map(|encoding| (Fit::of(part, encoding), encoding));
    let (fit, encoding) = if fits[1].0.quality > fits[0].0.quality { fits[1] } else { fits[0] };
    (fit.quality >= TEXT).then_some(encoding)
}

/// The parts between tags and line breaks. No legacy encoding but ISO-2022-JP has these bytes within characters.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| matches!(byte, b'<' | b'>' | b'\n'))
}

/// Valid characters of three bytes and more, and bytes that are not valid. Characters of two bytes come about by chance in
/// other encodings.
fn utf8_characters(part: &[u8]) -> (usize, usize) {
    let (valid, invalid) = part.utf8_chunks().fold((0, 0), |(valid, invalid), chunk| {
        let long = chunk.valid().bytes().filter(|byte| *byte >= 0xe0).count();
        (valid + long, invalid + chunk.invalid().len())
    });
    (valid, invalid.saturating_sub(SURROGATES * surrogates(part)))
}

/// Bytes of a pair of surrogates in CESU-8.
pub(super) const SURROGATES: usize = 6;

/// How many characters are written in CESU-8: as UTF-8 of two surrogates, which old databases make of emoji. They are not
/// valid, but no other encoding has such bytes in numbers.
pub(super) fn surrogates(bytes: &[u8]) -> usize {
    let is_pair = |at: &usize| {
        matches!(bytes.get(*at..at + SURROGATES), Some([_, 0xa0..=0xaf, second, 0xed, 0xb0..=0xbf, last])
            if is_continuation(*second) && is_continuation(*last))
    };
    memchr::memchr_iter(0xed, bytes).filter(is_pair).count()
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Where characters of ISO-2022-JP stand with their escape sequences. They end with the line, if nothing else ends them.
pub(super) fn jis_sections(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut sections: Vec<Range<usize>> = Vec::new();
    for start in escapes(bytes) {
        if sections.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let rest = &bytes[start..];
        let ends = |at: &usize| match rest[*at] {
            b'\n' => true,
            _ => matches!(rest.get(at + 1..at + 3), Some(b"(B" | b"(J")),
        };
        let end = memchr::memchr2_iter(0x1b, b'\n', rest).find(ends);
        let end = end.map_or(rest.len(), |at| if rest[at] == b'\n' { at } else { at + 3 });
        sections.push(start..start + end);
    }
    sections
}

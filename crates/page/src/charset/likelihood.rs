//! How likely bytes are as text of an encoding. It decides where no kana tell: about menus of a few Han characters,
//! half-width katakana, and texts in Chinese, Korean, Cyrillic and Latin letters.
//!
//! Each character costs about the negative logarithm of how often it comes in such texts: the share of its class (frequent,
//! common, rare) over the number of characters in that class. All encodings explain the same bytes, so sums compare.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, SHIFT_JIS};

use super::{Family, family, frequent, is_common, without_cut_end};

/// Letters that Japanese words in katakana have most of, and those that are not rare either.
const FREQUENT: &str = include_str!("katakana_frequent.txt");
const ORDINARY: &str = include_str!("katakana_ordinary.txt");

// Half-width katakana by name.
const WO: char = '\u{FF66}';
const SMALL_A: char = '\u{FF67}';
const LONG_VOWEL: char = '\u{FF70}';
const U: char = '\u{FF73}';
const KA: char = '\u{FF76}';
const TO: char = '\u{FF84}';
const HA: char = '\u{FF8A}';
const HO: char = '\u{FF8E}';
const VOICED: char = '\u{FF9E}';
const HALF_VOICED: char = '\u{FF9F}';

const fn is_half_width(c: char) -> bool {
    matches!(c, WO..=HALF_VOICED)
}

/// The logarithm of the likelihood of `sample` in an encoding, up to a constant.
pub(super) fn log_likelihood(sample: &[u8], encoding: &'static Encoding) -> f64 {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let cost = if family(encoding) == Family::Other { single } else { multi };
    let mut before = '\n';
    let mut sum = 0.0;
    for c in without_cut_end(&text).chars() {
        sum -= match c {
            '\n' => 0.0,
            '\u{fffd}' => 20.0,
            // A single katakana in a Latin word is an accented letter.
            _ if c.is_ascii_alphabetic() && is_half_width(before) => 6.5,
            // Encodings take ASCII bytes into characters or leave them.
            _ if c.is_ascii() => 2.5,
            _ => cost(c, before, encoding),
        };
        before = c;
    }
    sum
}

/// The cost of a character of Japanese, Chinese and Korean encodings.
fn multi(c: char, before: char, encoding: &'static Encoding) -> f64 {
    match c {
        '\u{ff61}'..='\u{ff9f}' if encoding == SHIFT_JIS => half_width(c, before),
        // Two bytes in EUC-JP, which do not come about by chance.
        '\u{ff61}'..='\u{ff9f}' if encoding == EUC_JP => 6.0,
        '\u{3041}'..='\u{30ff}' if family(encoding) == Family::Japanese => 6.3,
        '\u{4e00}'..='\u{9fff}' if encoding == EUC_KR => 13.0,
        '\u{ac00}'..='\u{d7a3}' | '\u{4e00}'..='\u{9fff}' => {
            if let Some(rank) = frequent::rank(c, encoding) {
                ranked(rank, encoding)
            } else if is_common(c, encoding) {
                10.5
            } else {
                13.0
            }
        }
        // Punctuation and full-width letters that all of these encodings have.
        '\u{3000}'..='\u{3020}' | '\u{ff01}'..='\u{ff60}' | '\u{b7}' | '\u{2010}'..='\u{203b}' => 8.0,
        '\u{e000}'..='\u{f8ff}' | '\u{80}'..='\u{9f}' => 16.0,
        _ => 11.0,
    }
}

/// The cost of one of the most frequent characters, by Zipf's law in Mandelbrot's form: the frequency is in proportion
/// to 1 / (rank + offset). The factors make the sum over all ranks 1.
fn ranked(rank: u16, encoding: &'static Encoding) -> f64 {
    let (factor, offset) = if encoding == EUC_KR { (0.25, 20.0) } else { (0.24, 50.0) };
    ((f64::from(rank) + offset) / factor).ln()
}

fn half_width(c: char, before: char) -> f64 {
    // Voicing marks stand behind some letters only, small letters and the long vowel at no beginning.
    let misplaced = match c {
        VOICED => !matches!(before, U | KA..=TO | HA..=HO),
        HALF_VOICED => !matches!(before, HA..=HO),
        SMALL_A..=LONG_VOWEL => !is_half_width(before),
        _ => false,
    };
    if misplaced {
        9.0
    } else if FREQUENT.contains(c) {
        3.6
    } else if ORDINARY.contains(c) {
        4.9
    } else {
        7.0
    }
}

/// The cost of a letter of single-byte encodings. Words have small letters behind the first, or capitals alone, and
/// Latin words are mostly ASCII.
fn single(c: char, before: char, _: &'static Encoding) -> f64 {
    if !c.is_alphabetic() {
        return 8.0;
    }
    let latin = if c < '\u{250}' && !before.is_ascii() { 3.0 } else { 0.0 };
    let case = if c.is_lowercase() {
        if before.is_alphabetic() { 3.5 } else { 4.5 }
    } else if before.is_lowercase() {
        9.0
    } else if before.is_uppercase() && !before.is_ascii() {
        3.7
    } else {
        4.8
    };
    case + latin
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{BIG5, GBK, KOI8_U, WINDOWS_1251, WINDOWS_1252};

    #[test]
    fn the_right_encoding_is_the_likeliest() {
        let all = [SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR, WINDOWS_1251, KOI8_U, WINDOWS_1252];
        for (text, encoding) in [
            ("会社概要", SHIFT_JIS),
            ("採用情報", EUC_JP),
            ("ﾃﾞｼﾞﾀﾙｶﾒﾗ ﾌﾟﾘﾝﾀｰ", SHIFT_JIS),
            ("ｱｸｾｽﾗﾝｷﾝｸﾞ", SHIFT_JIS),
            // Not one character of it is valid in EUC-JP.
            ("高速処理", SHIFT_JIS),
            ("公司简介", GBK),
            ("公司簡介", BIG5),
            ("회사소개", EUC_KR),
            ("Новости", WINDOWS_1251),
            ("погода", KOI8_U),
            ("Größe", WINDOWS_1252),
        ] {
            let (bytes, _, missing) = encoding.encode(text);
            assert!(!missing);
            for other in all.into_iter().filter(|other| *other != encoding) {
                let (right, wrong) = (log_likelihood(&bytes, encoding), log_likelihood(&bytes, other));
                assert!(right > wrong, "{text}: {right} in {}, {wrong} in {}", encoding.name(), other.name());
            }
        }
    }
}

//! Evidence from the national character sets for text that has Han characters and no kana.
//!
//! A character that Shift_JIS cannot write is not Japanese; one that Shift_JIS has and neither GB 2312 nor Big5 has
//! (a form that only Japan simplified so, or a character made in Japan) is Japanese; and a character
//! that only one of GB 2312 and Big5 has tells simplified from traditional Chinese.

use std::sync::LazyLock;

use encoding_rs::{BIG5, Encoding, GBK, SHIFT_JIS};

use super::script::{CLOSING_MARK, IDEOGRAPHIC_ZERO, ITERATION_MARK, Script, script_of};

const JIS: u8 = 1;
const GB: u8 = 2;
const BIG: u8 = 4;

const FIRST: usize = 0x3400;
const LAST: usize = 0xFAFF;

/// Membership bits of every Han character of the Basic Multilingual Plane.
static SETS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (FIRST..=LAST)
        .map(|point| match u32::try_from(point).ok().and_then(char::from_u32) {
            Some(c) if script_of(c) == Script::Han => membership(c),
            _ => 0,
        })
        .collect()
});

fn encode(encoding: &'static Encoding, c: char) -> Option<(u8, u8)> {
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
    match (&*bytes, unmappable) {
        (&[lead, trail], false) => Some((lead, trail)),
        _ => None,
    }
}

fn membership(c: char) -> u8 {
    let mut bits = 0;
    if encode(SHIFT_JIS, c).is_some() {
        bits |= JIS;
    }
    // GB 2312 is the part of GBK with lead bytes B0-F7 and trail bytes from A1; the rest of GBK is Unicode's.
    if let Some((0xB0..=0xF7, 0xA1..=0xFE)) = encode(GBK, c) {
        bits |= GB;
    }
    // Big5 proper; what encoding_rs writes beyond F9D5 are the additions of vendors and of Hong Kong.
    if let Some((0xA4..=0xC6 | 0xC9..=0xF8, _) | (0xF9, 0x40..=0xD5)) = encode(BIG5, c) {
        bits |= BIG;
    }
    bits
}

/// What the characters of a text say about its character set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CharsetEvidence {
    /// Han characters seen.
    pub han: u64,
    /// Of these, those that Shift_JIS cannot write.
    pub not_japanese: u64,
    /// Of these, those that Shift_JIS has and neither GB 2312 nor Big5, and the marks U+3005 and U+3006.
    pub japanese_only: u64,
    /// Of these, those that GB 2312 has and Big5 has not.
    pub simplified: u64,
    /// Of these, those that Big5 has and GB 2312 has not.
    pub traditional: u64,
}

impl CharsetEvidence {
    /// Looks at the first `limit` Han characters of `text`.
    #[must_use]
    pub fn of(text: &str, limit: u64) -> Self {
        let sets = &*SETS;
        let mut evidence = Self::default();
        for c in text.chars() {
            if script_of(c) != Script::Han || c == IDEOGRAPHIC_ZERO {
                continue;
            }
            if evidence.han == limit {
                break;
            }
            evidence.han += 1;
            if matches!(c, ITERATION_MARK | CLOSING_MARK) {
                evidence.japanese_only += 1;
                continue;
            }
            let bits = (c as usize).checked_sub(FIRST).and_then(|at| sets.get(at)).copied().unwrap_or(0);
            evidence.not_japanese += u64::from(bits & JIS == 0);
            evidence.japanese_only += u64::from(bits == JIS);
            evidence.simplified += u64::from(bits & (GB | BIG) == GB);
            evidence.traditional += u64::from(bits & (GB | BIG) == BIG);
        }
        evidence
    }

    /// The Chinese script that the evidence points to; simplified when it points nowhere.
    #[must_use]
    pub fn chinese(&self) -> &'static str {
        if self.traditional > self.simplified { "zh-Hant" } else { "zh-Hans" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_fall_into_the_right_sets() {
        assert_eq!(membership('発'), JIS);
        assert_eq!(membership('働'), JIS);
        assert_eq!(membership('国'), JIS | GB);
        assert_eq!(membership('國'), JIS | BIG);
        assert_eq!(membership('们'), GB);
        assert_eq!(membership('妳'), BIG);
        assert_eq!(membership('山'), JIS | GB | BIG);
    }

    #[test]
    fn counts_evidence() {
        let evidence = CharsetEvidence::of("簡体字对国発々", 100);
        assert_eq!(evidence.han, 7);
        assert_eq!(evidence.not_japanese, 1);
        assert_eq!(evidence.japanese_only, 2);
    }
}

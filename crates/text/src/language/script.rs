//! How many letters of each script a text has.

use std::sync::LazyLock;

/// The mark U+3005 that repeats the Han character before it.
pub(crate) const ITERATION_MARK: char = '\u{3005}';
/// The mark U+3006, which Japanese writes at the end of letters and for deadlines.
pub(crate) const CLOSING_MARK: char = '\u{3006}';
/// The zero U+3007 among Han characters.
pub(crate) const IDEOGRAPHIC_ZERO: char = '\u{3007}';
/// The dot U+30FB between words and in lists.
pub(crate) const MIDDLE_DOT: char = '\u{30FB}';
/// The mark U+30FC that lengthens a vowel of katakana.
pub(crate) const LONG_VOWEL_MARK: char = '\u{30FC}';

/// Whether a character is a full-width form of an ASCII letter or digit.
pub(crate) const fn is_full_width(c: char) -> bool {
    matches!(c, '\u{FF10}'..='\u{FF19}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}')
}

/// The scripts that the counter tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Script {
    /// No letter: digits, punctuation, white space, symbols, marks.
    None = 0,
    /// Hiragana, without the iteration and sound marks.
    Hiragana,
    /// Katakana, half-width forms included, without the middle dot (Chinese text uses it) and the long vowel mark.
    Katakana,
    /// Han characters, with the iteration mark, the closing mark and the ideographic zero.
    Han,
    /// Hangul syllables and letters.
    Hangul,
    /// Bopomofo.
    Bopomofo,
    /// Latin letters, full-width forms included.
    Latin,
    /// Cyrillic.
    Cyrillic,
    /// Greek.
    Greek,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Thai.
    Thai,
    /// Devanagari.
    Devanagari,
    /// A letter of any other script.
    Other,
}

const SCRIPTS: usize = Script::Other as usize + 1;

/// Script of each code point of the Basic Multilingual Plane, looked up by every counter.
static TABLE: LazyLock<Box<[u8; 0x1_0000]>> = LazyLock::new(|| {
    let mut table = Box::new([0_u8; 0x1_0000]);
    for (point, slot) in (0_u32..).zip(table.iter_mut()) {
        *slot = char::from_u32(point).map_or(0, |c| slow(c) as u8);
    }
    table
});

fn slow(c: char) -> Script {
    match c {
        '\u{3041}'..='\u{3096}' => Script::Hiragana,
        '\u{30A1}'..='\u{30FA}'
        | '\u{31F0}'..='\u{31FF}'
        | '\u{FF66}'..='\u{FF6F}'
        | '\u{FF71}'..='\u{FF9D}' => Script::Katakana,
        ITERATION_MARK
        | CLOSING_MARK
        | IDEOGRAPHIC_ZERO
        | '\u{303B}'
        | '\u{3400}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => Script::Han,
        '\u{1100}'..='\u{11FF}'
        | '\u{3131}'..='\u{318E}'
        | '\u{A960}'..='\u{A97C}'
        | '\u{AC00}'..='\u{D7FB}' => Script::Hangul,
        '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' => Script::Bopomofo,
        'a'..='z' | 'A'..='Z' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => Script::Latin,
        '\u{AA}' | '\u{BA}' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' if c.is_alphabetic() => {
            Script::Latin
        }
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' if c.is_alphabetic() => Script::Greek,
        '\u{400}'..='\u{52F}' if c.is_alphabetic() => Script::Cyrillic,
        '\u{590}'..='\u{5FF}' if c.is_alphabetic() => Script::Hebrew,
        '\u{600}'..='\u{6FF}' | '\u{750}'..='\u{77F}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
            if c.is_alphabetic() =>
        {
            Script::Arabic
        }
        '\u{900}'..='\u{97F}' => Script::Devanagari,
        '\u{E01}'..='\u{E3A}' | '\u{E40}'..='\u{E4E}' => Script::Thai,
        // Sound marks and the long vowel mark are letters to Unicode, but no evidence of a language.
        '\u{3099}'..='\u{309F}' | '\u{30FB}'..='\u{30FF}' | '\u{FF70}' | '\u{FF9E}' | '\u{FF9F}' => {
            Script::None
        }
        c if c.is_alphabetic() => Script::Other,
        _ => Script::None,
    }
}

/// The script of one character.
#[must_use]
pub fn script_of(c: char) -> Script {
    match TABLE.get(c as usize) {
        Some(&code) => from_code(code),
        None => slow(c),
    }
}

const fn from_code(code: u8) -> Script {
    const ALL: [Script; SCRIPTS] = [
        Script::None,
        Script::Hiragana,
        Script::Katakana,
        Script::Han,
        Script::Hangul,
        Script::Bopomofo,
        Script::Latin,
        Script::Cyrillic,
        Script::Greek,
        Script::Arabic,
        Script::Hebrew,
        Script::Thai,
        Script::Devanagari,
        Script::Other,
    ];
    ALL[code as usize]
}

/// Letters of a text by script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptCounts {
    counts: [u64; SCRIPTS],
}

impl ScriptCounts {
    /// Counts the letters of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let table = &**TABLE;
        let bytes = text.as_bytes();
        let mut counts = [0_u64; SCRIPTS];
        let mut at = 0;
        // The input is valid UTF-8, so the lead byte alone gives the length; three-byte sequences (kana, Han,
        // Hangul) are decoded by hand because this loop sees every byte of a crawl.
        while let Some(&lead) = bytes.get(at) {
            if lead < 0x80 {
                let is_letter = lead.is_ascii_alphabetic();
                counts[Script::Latin as usize] += u64::from(is_letter);
                at += 1;
            } else if lead < 0xE0 {
                let next = bytes.get(at + 1).copied().unwrap_or(0);
                let point = (usize::from(lead & 0x1F) << 6) | usize::from(next & 0x3F);
                counts[usize::from(table[point])] += 1;
                at += 2;
            } else if lead < 0xF0 {
                let (second, third) = match bytes.get(at + 1..at + 3) {
                    Some(&[second, third]) => (second, third),
                    _ => (0, 0),
                };
                let point = (usize::from(lead & 0x0F) << 12)
                    | (usize::from(second & 0x3F) << 6)
                    | usize::from(third & 0x3F);
                counts[usize::from(table[point])] += 1;
                at += 3;
            } else {
                let script = text.get(at..).and_then(|rest| rest.chars().next()).map_or(Script::None, slow);
                counts[script as usize] += 1;
                at += 4;
            }
        }
        counts[Script::None as usize] = 0;
        Self { counts }
    }

    /// Letters of one script.
    #[must_use]
    pub fn get(&self, script: Script) -> u64 {
        self.counts[script as usize]
    }

    /// Hiragana and katakana.
    #[must_use]
    pub fn kana(&self) -> u64 {
        self.get(Script::Hiragana) + self.get(Script::Katakana)
    }

    /// All letters.
    #[must_use]
    pub fn letters(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_script() {
        let counts = ScriptCounts::of("Rustで書く。ﾃｽﾄ・ー 한국어 ㄅ Ünïcode Ж 𠮷 ไทย 12");
        assert_eq!(counts.get(Script::Hiragana), 2);
        assert_eq!(counts.get(Script::Katakana), 3);
        assert_eq!(counts.get(Script::Han), 2);
        assert_eq!(counts.get(Script::Hangul), 3);
        assert_eq!(counts.get(Script::Bopomofo), 1);
        assert_eq!(counts.get(Script::Latin), 11);
        assert_eq!(counts.get(Script::Cyrillic), 1);
        assert_eq!(counts.get(Script::Thai), 3);
    }

    #[test]
    fn fast_and_slow_agree() {
        for point in 0..=0x10_FFFF_u32 {
            let Some(c) = char::from_u32(point) else { continue };
            let counts = ScriptCounts::of(c.encode_utf8(&mut [0; 4]));
            let expected = u64::from(slow(c) != Script::None);
            assert_eq!(counts.letters(), expected, "{point:X}");
            assert_eq!(script_of(c), slow(c), "{point:X}");
        }
    }
}

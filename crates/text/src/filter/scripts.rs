//! Letters by Japanese script.

use serde::{Deserialize, Serialize};

use super::{Filter, Reason, Report, Text, float, share};

/// Numbers and shares of hiragana, katakana and kanji, counted as Swallow's code does: 。．！？ and 、， are Japanese
/// letters, ー and ・ are none, and kanji beyond the Basic Multilingual Plane are not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JapaneseLetters {
    /// Smallest share of hiragana in Japanese letters (Swallow v1: .2).
    pub min_hiragana: Option<f64>,
    /// Largest share of katakana in Japanese letters (Swallow v1: .5).
    pub max_katakana: Option<f64>,
    /// Smallest share of Japanese letters in all letters (Swallow v1: .5).
    pub min_japanese: Option<f64>,
    /// Fewest Japanese letters (Swallow v1: 400).
    pub min_letters: Option<usize>,
}

#[derive(Default)]
struct Counts {
    hiragana: usize,
    katakana: usize,
    kanji: usize,
    kuten: usize,
    toten: usize,
}

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for c in text.chars() {
            let slot = match c {
                '\u{3041}'..='\u{3096}' => &mut counts.hiragana,
                '\u{30A1}'..='\u{30FA}' => &mut counts.katakana,
                '、' | '，' => &mut counts.toten,
                '。' | '．' | '！' | '？' => &mut counts.kuten,
                '々' | '〇' | '〻' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => {
                    &mut counts.kanji
                }
                _ => continue,
            };
            *slot += 1;
        }
        counts
    }
}

impl Filter for JapaneseLetters {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let counts = Counts::of(text.as_str());
        let Counts { hiragana, katakana, kanji, kuten, toten } = counts;
        let japanese = hiragana + katakana + kanji + kuten + toten;
        report.note("num_letters", float(text.letters()));
        for (name, count) in [
            ("num_hiragana_letters", hiragana),
            ("num_katakana_letters", katakana),
            ("num_kanji_letters", kanji),
            ("num_kuten", kuten),
            ("num_toten", toten),
            ("num_japanese_letters", japanese),
        ] {
            report.note(name, float(count));
        }
        for (name, count) in [
            ("hiragana_fraction", hiragana),
            ("katakana_fraction", katakana),
            ("kanji_fraction", kanji),
            ("kuten_fraction", kuten),
            ("toten_fraction", toten),
        ] {
            report.note(name, share(count, japanese));
        }
        report.note("japanese_fraction", share(japanese, text.letters()));
        if let Some(bound) = self.min_hiragana {
            report.at_least("hiragana_fraction", share(hiragana, japanese), bound);
        }
        if let Some(bound) = self.max_katakana {
            report.at_most("katakana_fraction", share(katakana, japanese), bound);
        }
        if let Some(bound) = self.min_japanese {
            report.at_least("japanese_fraction", share(japanese, text.letters()), bound);
        }
        if let Some(bound) = self.min_letters {
            report.at_least("num_japanese_letters", float(japanese), float(bound));
        }
    }
}

/// Drops texts without a single hiragana, katakana or kanji (COYO's rule in the paper).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HasJapanese {}

impl Filter for HasJapanese {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        use crate::language::{Script, script_of};
        let japanese = |c| matches!(script_of(c), Script::Hiragana | Script::Katakana | Script::Han);
        if !text.as_str().chars().any(japanese) {
            report.drop(Reason::new("no_japanese_letter"));
        }
    }
}

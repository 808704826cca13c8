//! Letters of a language's scripts.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Resources, Text, float, share};
use crate::error::Error;
use crate::language::{IDEOGRAPHIC_ZERO, ITERATION_MARK};

/// Numbers and shares of hiragana, katakana and kanji, counted as Swallow's code does: 。．！？ and 、， are Japanese
/// letters, the long vowel mark and the middle dot are none, and kanji beyond the Basic Multilingual Plane are not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JapaneseLetters {
    /// Least share, 0 to 1, of hiragana among Japanese letters (none; Swallow v1: 0.2).
    pub min_hiragana: Option<f64>,
    /// Greatest share, 0 to 1, of katakana among Japanese letters (none; Swallow v1: 0.5).
    pub max_katakana: Option<f64>,
    /// Least share, 0 to 1, of Japanese letters among all code points (none; Swallow v1: 0.5).
    pub min_japanese: Option<f64>,
    /// Least number of Japanese letters (none; Swallow v1: 400).
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
                ITERATION_MARK
                | IDEOGRAPHIC_ZERO
                | '\u{303B}'
                | '\u{3400}'..='\u{9FFF}'
                | '\u{F900}'..='\u{FAFF}' => &mut counts.kanji,
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

/// Drops texts without a letter of the language's scripts (COYO's rule in the paper: a hiragana, katakana or kanji).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HasLetters {
    /// A regular expression for one letter; that of the profile's language pack where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<String>,
    #[serde(skip)]
    pattern: Option<Regex>,
}

impl Filter for HasLetters {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let letters = self.letters.as_ref().unwrap_or(&resources.pack.manifest().letters);
        let failed = |source| Error::Pattern { field: "letters", source: Box::new(source) };
        self.pattern = Some(Regex::new(letters).map_err(failed)?);
        Ok(None)
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        if self.pattern.as_ref().is_some_and(|letters| !letters.is_match(text.as_str())) {
            report.drop(Reason::new("no_letter_of_language"));
        }
    }
}

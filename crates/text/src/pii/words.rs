//! The words and patterns by which personal data is known, from the Japanese language pack.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

/// `languages/ja/personal_data.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    phone_labels: Vec<String>,
    other_labels: Vec<String>,
    my_number_labels: Vec<String>,
    label_marks: String,
    pub(super) units: Vec<String>,
    pub(super) at_words: Vec<String>,
    pub(super) bracketed_at_words: Vec<String>,
    pub(super) bracketed_dot_words: Vec<String>,
    long_area_codes: Vec<String>,
    pub(super) address_words: Vec<String>,
    address: String,
    building: String,
}

/// The words, with the patterns compiled. A file that cannot be read, which a test excludes, finds nothing.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    toml::from_str(include_str!("../../languages/ja/personal_data.toml")).unwrap_or_default()
});

/// A postal code with its address.
pub(super) static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&WORDS.address).ok());

/// A building after an address.
pub(super) static BUILDING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&WORDS.building).ok());

impl Words {
    /// Whether a word names a telephone.
    pub(super) fn is_phone_word(&self, word: &str) -> bool {
        word.len() > 1 && self.phone_labels.iter().any(|label| label.eq_ignore_ascii_case(word))
    }

    /// Whether a word for a telephone stands at the end of a text.
    pub(super) fn is_phone_label(&self, before: &str) -> bool {
        let trimmed = self.trim_marks(before);
        // A single letter is a label only with a mark after it.
        let separated = |label: &str| label.len() > 1 || trimmed.len() < before.len();
        self.phone_labels.iter().any(|label| ends_with_word(trimmed, label) && separated(label))
    }

    /// Whether a word for the number of a thing stands at the end of a text.
    pub(super) fn is_other_label(&self, before: &str) -> bool {
        let before = self.trim_marks(before);
        self.other_labels.iter().any(|label| ends_with_word(before, label))
    }

    /// Whether a word for My Number stands at the end of a text.
    pub(super) fn is_my_number_label(&self, before: &str) -> bool {
        let before = self.trim_marks(before);
        self.my_number_labels.iter().any(|label| ends_with_word(before, label))
    }

    /// Whether a number begins with an area code of five digits.
    pub(super) fn is_long_area(&self, area: &[u32]) -> bool {
        let area: String = area.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect();
        self.long_area_codes.contains(&area)
    }

    /// A text without what stands between a label and its number.
    fn trim_marks<'a>(&self, text: &'a str) -> &'a str {
        text.trim_end_matches(|c: char| c.is_whitespace() || self.label_marks.contains(c))
    }
}

/// Whether a text, without the marks after it, ends with a word. The long vowel at the end of a word is a mark too. A word in Latin letters matches in any case and not as the end of a longer one.
fn ends_with_word(text: &str, word: &str) -> bool {
    let word = word.trim_end_matches('-');
    if !word.is_ascii() {
        return text.ends_with(word);
    }
    let Some(start) = text.len().checked_sub(word.len()).filter(|start| text.is_char_boundary(*start)) else {
        return false;
    };
    let joined = text[..start]
        .chars()
        .next_back()
        .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    text[start..].eq_ignore_ascii_case(word) && !joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        toml::from_str::<Words>(include_str!("../../languages/ja/personal_data.toml")).unwrap();
        Regex::new(&WORDS.address).unwrap();
        Regex::new(&WORDS.building).unwrap();
        assert!(WORDS.is_phone_label("本社 Tel.: ") && WORDS.is_phone_label("電話番号("));
        assert!(!WORDS.is_phone_label("HOTEL"));
        assert!(
            WORDS.is_other_label("型番は") && WORDS.is_other_label("ISBN ") && !WORDS.is_other_label("NOID")
        );
    }
}

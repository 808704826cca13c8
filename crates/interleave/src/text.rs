//! Rules that look at a pair's text only.

use std::sync::LazyLock;

use regex::Regex;
use tsumugi_text::{Matching, WordList};

use crate::{Error, Result, TextRules};

/// Why a text makes no pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TextDrop {
    /// There is none.
    NoText,
    /// Not a character of the language.
    NotJapanese,
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// A file name or address.
    FileName,
    /// An adult word.
    Adult,
    /// The picture has the same text already, but for digits and marks.
    Repeated,
}

impl TextDrop {
    /// The word that stands in tables and funnels.
    pub fn as_str(self) -> &'static str {
        match self {
            TextDrop::NoText => "no_text",
            TextDrop::NotJapanese => "not_japanese",
            TextDrop::TooShort => "too_short",
            TextDrop::TooLong => "too_long",
            TextDrop::FileName => "file_name",
            TextDrop::Adult => "adult",
            TextDrop::Repeated => "repeated",
        }
    }
}

/// [`TextRules`] with patterns compiled and word lists read.
#[derive(Debug, Clone)]
pub struct TextChecker {
    rules: TextRules,
    must_match: Regex,
    file_name: Regex,
    adult: Option<WordList>,
}

impl TextChecker {
    /// Makes the rules ready.
    ///
    /// # Errors
    /// Where a pattern is wrong or the word list cannot be read.
    pub fn new(rules: &TextRules) -> Result<TextChecker> {
        let compile = |field, pattern: &str| {
            Regex::new(pattern).map_err(|source| Error::Pattern { field, source: Box::new(source) })
        };
        Ok(TextChecker {
            must_match: compile("must_match", &rules.must_match)?,
            file_name: compile("file_name", &rules.file_name)?,
            adult: rules
                .adult_words
                .as_deref()
                .map(|path| WordList::read(path, Matching::First))
                .transpose()?,
            rules: rules.clone(),
        })
    }

    /// Whether a text, already [`tidy`], makes a pair.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> std::result::Result<(), TextDrop> {
        let characters = text.chars().filter(|c| !c.is_whitespace()).count();
        if characters == 0 {
            Err(TextDrop::NoText)
        } else if self.file_name.is_match(text) {
            Err(TextDrop::FileName)
        } else if !self.must_match.is_match(text) {
            Err(TextDrop::NotJapanese)
        } else if characters < self.rules.min_characters {
            Err(TextDrop::TooShort)
        } else if characters > self.rules.max_characters {
            Err(TextDrop::TooLong)
        } else if self.adult.as_ref().is_some_and(|words| words.hits(text) >= self.rules.adult_hits.max(1)) {
            Err(TextDrop::Adult)
        } else {
            Ok(())
        }
    }
}

static FIGURE_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"^(図|表|写真|図表|(?i:fig(ure)?|table|photo)\.?)\s*([A-Z][.．-]?)?[\d０-９]+([.．‐–－-][\d０-９]+)*([.．:：)）]\s*|\s+)";
    Regex::new(number).ok()
});

/// A caption without the number of its figure.
///
/// ```
/// assert_eq!(tsumugi_interleave::without_figure_number("図17.267 元の画像"), "元の画像");
/// assert_eq!(tsumugi_interleave::without_figure_number("図A.1 新しい外観"), "新しい外観");
/// assert_eq!(tsumugi_interleave::without_figure_number("図3：夜の橋"), "夜の橋");
/// assert_eq!(tsumugi_interleave::without_figure_number("図3の橋"), "図3の橋");
/// ```
pub fn without_figure_number(text: &str) -> &str {
    let number = FIGURE_NUMBER.as_ref().and_then(|pattern| pattern.find(text));
    number.map_or(text, |number| &text[number.end()..])
}

/// The letters of a text alone: what two texts that say the same have in common.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// White space at both ends removed, runs of it made one space (the ideographic space is white space too).
///
/// ```
/// assert_eq!(tsumugi_interleave::tidy("\u{3000}春の \n 空 "), "春の 空");
/// ```
pub fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_file_names() {
        let checker = TextChecker::new(&TextRules::default()).unwrap();
        let cases: &[(&str, std::result::Result<(), TextDrop>)] = &[
            ("東京タワーの夜景", Ok(())),
            ("桜の写真.jpg", Err(TextDrop::FileName)),
            ("images/桜2019.PNG", Err(TextDrop::FileName)),
            ("画像 001", Err(TextDrop::FileName)),
            ("写真 (2)", Err(TextDrop::FileName)),
            ("IMG_2034", Err(TextDrop::FileName)),
            ("https://example.jp/桜の木の下で", Err(TextDrop::FileName)),
            ("写真は夜の東京タワー", Ok(())),
            ("a photograph of a tower", Err(TextDrop::NotJapanese)),
            ("桜", Err(TextDrop::TooShort)),
            ("", Err(TextDrop::NoText)),
            ("保存形式は .png です", Ok(())),
        ];
        for (text, expected) in cases {
            assert_eq!(checker.check(text), *expected, "{text}");
        }
        assert_eq!(checker.check(&"長".repeat(1001)), Err(TextDrop::TooLong));
    }
}

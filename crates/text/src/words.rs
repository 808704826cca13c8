//! Word lists in the references' format, and the marks of bulletin boards.

use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;

use crate::Error;

/// Words to look for, in the order of their file.
#[derive(Clone, Debug)]
pub struct WordList {
    words: Vec<String>,
    finder: AhoCorasick,
    katakana: Vec<bool>,
    whole_katakana: bool,
}

impl PartialEq for WordList {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words && self.whole_katakana == other.whole_katakana
    }
}

impl WordList {
    /// A list from its lines; empty ones are skipped.
    ///
    /// With `whole_katakana` a word of katakana counts only where no other katakana touches it.
    ///
    /// # Errors
    /// [`Error::WordList`] if the list is too large to search for.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>, whole_katakana: bool) -> Result<Self, Error> {
        let mut words: Vec<&str> = lines.into_iter().map(str::trim).filter(|word| !word.is_empty()).collect();
        if whole_katakana {
            // HojiChar puts the other words first in its pattern, and the first alternative that matches wins.
            words.sort_by_key(|word| is_katakana(word));
        }
        let katakana = words.iter().map(|word| is_katakana(word)).collect();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(&words)
            .map_err(|source| Error::WordList { detail: source.to_string() })?;
        Ok(Self { words: words.into_iter().map(str::to_owned).collect(), finder, katakana, whole_katakana })
    }

    /// A list from a file of one word a line.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::WordList`] if it is too large.
    pub fn read(path: &Path, whole_katakana: bool) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::new(text.lines(), whole_katakana)
    }

    /// Words found without overlap, the earlier one in the list first where several begin at a place.
    #[must_use]
    pub fn hits(&self, text: &str) -> usize {
        self.finds(text).count()
    }

    /// Code points that belong to a found word.
    #[must_use]
    pub fn covered_letters(&self, text: &str) -> usize {
        self.finds(text).map(|range| text[range].chars().count()).sum()
    }

    fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            while from <= text.len() {
                let found = self.finder.find(aho_corasick::Input::new(text).range(from..))?;
                if !self.touches_katakana(text, &found) {
                    from = found.end().max(found.start() + 1);
                    return Some(found.range());
                }
                // Look on from the next character, as a regular expression engine would.
                from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
            }
            None
        })
    }

    fn touches_katakana(&self, text: &str, found: &aho_corasick::Match) -> bool {
        let kana = |c: char| matches!(c, 'ァ'..='ヴ' | 'ー');
        self.whole_katakana
            && self.katakana.get(found.pattern().as_usize()).copied().unwrap_or(false)
            && (text[..found.start()].chars().next_back().is_some_and(kana)
                || text[found.end()..].chars().next().is_some_and(kana))
    }
}

fn is_katakana(word: &str) -> bool {
    word.chars().all(|c| matches!(c, 'ァ'..='ヴ' | 'ー'))
}

/// Marks of bulletin boards and shops in `text`, counted as HojiChar's pattern counts them.
pub(crate) fn board_marks(text: &str) -> usize {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"\d{4}[年.\-/] *\d{1,2}[月.\-/] *\d{1,2}日*|コメント|SOLD OUT|レビュー|投稿|ページ|\([月火水木金土日]\)|質問|\d+話|楽天市場|-",
        )
        .ok()
    });
    PATTERN.as_ref().map_or(0, |pattern| pattern.find_iter(text).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted() {
        let list = WordList::new(["広告", " ", "お得", "ポイント"], false).unwrap();
        assert_eq!(list.hits("広告はお得、お得なポイント"), 4);
        assert_eq!(list.covered_letters("広告だ"), 2);
    }

    #[test]
    fn katakana_words_stand_alone() {
        let list = WordList::new(["ハゲ"], true).unwrap();
        assert_eq!(list.hits("ハゲタカとハゲとハゲワシ"), 1);
        let list = WordList::new(["ハゲ"], false).unwrap();
        assert_eq!(list.hits("ハゲタカ"), 1);
    }

    #[test]
    fn board_marks_are_counted() {
        assert_eq!(board_marks("2020年1月2日 コメント 第３話 (月) a-b 2021-02-03"), 6);
    }
}

//! Word lists in the references' format.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use crate::error::Error;
use crate::language::LONG_VOWEL_MARK;

/// Which word of a list is found if several match at the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matching {
    /// The first in the list, as in an alternation of a regular expression (HojiChar).
    #[default]
    First,
    /// The first in the list; a word of katakana matches only if no other katakana touches it (HojiChar's `ignore_confused`).
    WholeKatakana,
    /// The longest, as in a trie (Swallow).
    Longest,
}

/// A list of words to search texts for.
#[derive(Clone, Debug)]
pub struct WordList {
    words: Vec<String>,
    matching: Matching,
    finder: AhoCorasick,
    /// Words of katakana that must stand alone, and so are whole runs of katakana.
    alone: HashSet<String>,
}

impl PartialEq for WordList {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words && self.matching == other.matching
    }
}

impl WordList {
    /// Creates a list from lines with one word each. Lines are trimmed, and empty ones are skipped.
    ///
    /// # Errors
    /// [`Error::WordList`] if the list is too large.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>, matching: Matching) -> Result<Self, Error> {
        let words = lines.into_iter().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
        let words: Vec<String> = words.collect();
        let stands_alone =
            |word: &&String| matching == Matching::WholeKatakana && word.chars().all(is_katakana);
        let alone = words.iter().filter(stands_alone).cloned().collect();
        let kind =
            if matching == Matching::Longest { MatchKind::LeftmostLongest } else { MatchKind::LeftmostFirst };
        let finder = AhoCorasick::builder()
            .match_kind(kind)
            .build(words.iter().filter(|word| !stands_alone(word)))
            .map_err(|source| Error::WordList { words: words.len(), source: Box::new(source) })?;
        Ok(Self { words, matching, finder, alone })
    }

    /// Reads a list from a file with one word in each line.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::WordList`] if it is too large.
    pub fn read(path: &Path, matching: Matching) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::new(text.lines(), matching)
    }

    /// Counts the words in `text`, from left to right and without overlap.
    #[must_use]
    pub fn hits(&self, text: &str) -> usize {
        self.finds(text).count()
    }

    /// Counts the code points of `text` that belong to a word of the list.
    #[must_use]
    pub fn covered_letters(&self, text: &str) -> usize {
        self.finds(text).map(|range| text[range].chars().count()).sum()
    }

    fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let search = |from| self.finder.find(Input::new(text).range(from..)).map(|found| found.range());
        let mut runs = self.lone_words(text).peekable();
        let mut found = search(0);
        let mut from = 0;
        std::iter::from_fn(move || {
            // What begins inside the last find is no longer there to be found.
            while runs.next_if(|run| run.start < from).is_some() {}
            if found.as_ref().is_some_and(|word| word.start < from) {
                found = search(from);
            }
            let next = match (&found, runs.peek()) {
                (Some(word), Some(run)) if run.start < word.start => runs.next(),
                (None, Some(_)) => runs.next(),
                _ => found.clone(),
            }?;
            from = next.end;
            Some(next)
        })
    }

    /// Runs of katakana that are words of the list.
    fn lone_words<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut at = if self.alone.is_empty() { text.len() } else { 0 };
        std::iter::from_fn(move || {
            loop {
                let start = at + text[at..].find(is_katakana)?;
                let rest = &text[start..];
                let len = rest.find(|c| !is_katakana(c)).unwrap_or(rest.len());
                at = start + len;
                if self.alone.contains(&rest[..len]) {
                    return Some(start..at);
                }
            }
        })
    }
}

const fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30A1}'..='\u{30F4}' | LONG_VOWEL_MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], matching: Matching, text: &str, hits: usize, letters: usize) {
        let list = WordList::new(words.iter().copied(), matching).unwrap();
        assert_eq!((list.hits(text), list.covered_letters(text)), (hits, letters), "{text}");
    }

    #[test]
    fn words_are_counted() {
        check(&["広告", " ", "お得", "ポイント"], Matching::First, "広告はお得、お得なポイント", 4, 10);
        check(&["広", "広告"], Matching::First, "広告", 1, 1);
        check(&["広", "広告"], Matching::Longest, "広告", 1, 2);
        check(&[], Matching::First, "広告", 0, 0);
    }

    #[test]
    fn katakana_words_stand_alone() {
        check(&["ハゲ"], Matching::WholeKatakana, "ハゲタカとハゲとハゲワシ", 1, 2);
        check(&["ハゲ", "ハゲタカ"], Matching::WholeKatakana, "ハゲタカ", 1, 4);
        check(&["ハゲ"], Matching::First, "ハゲタカ", 1, 2);
        // The other words go first, and may take the beginning of a run.
        check(&["ハゲ", "なハ", "頭"], Matching::WholeKatakana, "なハゲ頭、ハゲ頭", 4, 6);
        check(&["ハゲ", "ゲ頭"], Matching::WholeKatakana, "ハゲ頭", 1, 2);
    }
}

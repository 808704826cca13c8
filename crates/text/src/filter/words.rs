//! Word lists: NG words, adverts, boards.

use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Resources, Text, float, share};
use crate::error::Error;
use crate::words::{Matching, WordList};

/// Bounds the occurrences of words of a list (adult, violence, discrimination, adverts).
///
/// The list is a file of one word a line, as HojiChar and llm-jp-corpus keep theirs; none comes with this crate. A
/// profile names it by `list`, and the caller gives the folder (see [`super::FilterChain`]); without the file the
/// filter is left out and named in [`super::FilterChain::missing_lists`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NgWords {
    /// File name of the list, such as `adult_keywords_ja.txt`.
    pub list: String,
    /// Greatest number of occurrences (0: HojiChar, with 14 for adverts; llm-jp-corpus: 3, strict 2, and 10 for adverts).
    #[serde(default)]
    pub max_hits: usize,
    /// Whether a word of katakana counts only if no other katakana touches it (no; HojiChar's `ignore_confused`).
    #[serde(default)]
    pub whole_katakana: bool,
    /// The list, once loaded.
    #[serde(skip)]
    pub(crate) words: Option<Arc<WordList>>,
}

impl NgWords {
    /// Occurrences of words of `words` up to `max_hits`.
    #[must_use]
    pub fn new(words: Arc<WordList>, max_hits: usize) -> Self {
        Self { list: "words".into(), max_hits, whole_katakana: false, words: Some(words) }
    }

    fn label(&self) -> &str {
        self.list.strip_suffix(".txt").unwrap_or(&self.list)
    }
}

impl Filter for NgWords {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let matching = if self.whole_katakana { Matching::WholeKatakana } else { Matching::First };
        load(&self.list, matching, resources, &mut self.words)
    }

    fn files(&self) -> Vec<&str> {
        vec![&self.list]
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let Some(words) = &self.words else { return };
        let hits = words.hits(text.as_str());
        report.at_most(&format!("{}_hits", self.label()), float(hits), float(self.max_hits));
    }
}

/// Drops texts with too great a share of letters in words of a list; the longest word is found first (Swallow's NG words).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WordShare {
    /// File name of the list.
    pub list: String,
    /// Share, 0 to 1, from which a text is dropped (0.05: Swallow).
    #[serde(default = "swallow_share")]
    pub max: f64,
    /// The list, once loaded.
    #[serde(skip)]
    pub(crate) words: Option<Arc<WordList>>,
}

const fn swallow_share() -> f64 {
    0.05
}

impl Filter for WordShare {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        load(&self.list, Matching::Longest, resources, &mut self.words)
    }

    fn files(&self) -> Vec<&str> {
        vec![&self.list]
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let Some(words) = &self.words else { return };
        let value = share(words.covered_letters(text.as_str()), text.letters());
        report.note("ng_word_fraction", value);
        if value >= self.max {
            report.drop(Reason { rule: format!("ng_word_fraction>={}", self.max), value: Some(value) });
        }
    }
}

fn load(
    list: &str,
    matching: Matching,
    resources: &Resources<'_>,
    words: &mut Option<Arc<WordList>>,
) -> Result<Option<String>, Error> {
    let Some(path) = resources.file(list) else { return Ok(Some(list.to_owned())) };
    *words = Some(Arc::new(WordList::read(&path, matching)?));
    Ok(None)
}

/// Marks of bulletin boards and shops: dates, words such as "comment" and "review", hyphens (HojiChar's
/// `DiscardBBSComments`). What counts is the regular expression `texts/board_marks.txt` of the profile's language pack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoardMarks {
    /// Greatest number of marks (14: HojiChar).
    pub max: usize,
    #[serde(skip)]
    pattern: Option<Regex>,
}

impl Default for BoardMarks {
    fn default() -> Self {
        Self { max: 14, pattern: None }
    }
}

impl Filter for BoardMarks {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let pattern = resources.pack.text("board_marks")?.trim_end();
        let failed = |source| Error::Pattern { field: "board_marks", source: Box::new(source) };
        self.pattern = Some(Regex::new(pattern).map_err(failed)?);
        Ok(None)
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let Some(pattern) = &self.pattern else { return };
        let marks = pattern.find_iter(text.as_str()).count();
        report.at_most("num_board_marks", float(marks), float(self.max));
    }
}

#[cfg(test)]
mod tests {
    use crate::{FilterChain, Profile};

    #[test]
    fn board_marks_are_counted() {
        let profile = Profile::parse("test", "[[filter]]\ntype = \"board-marks\"\n").unwrap();
        let chain = FilterChain::new(&profile, None).unwrap();
        let decision = chain.apply("2020年1月2日 コメント 第３話 (月) a-b 2021-02-03");
        assert_eq!(decision.statistics, [("num_board_marks".to_owned(), 6.0)]);
    }
}

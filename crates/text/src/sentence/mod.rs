//! Where sentences end.
//!
//! A sentence ends after
//! - a run of exclamation marks, question marks and the like, or a full stop that belongs to no number, address or
//!   abbreviation,
//! - an ellipsis, a note or star, an emoji, a word of feeling in brackets, or a face mark,
//! - every line break,
//!
//! but not inside brackets or quotation marks that close again on the same line, and not before a word that goes on with
//! the sentence, such as a particle of quotation. Trailing white space belongs to the sentence before it, so the sentences
//! joined together are the text.
//!
//! Which characters and words these are, the language's pack says in [`SentenceRules`]. Where those of Japanese follow rules
//! of others (the particles, `No.411`) they are those of bunkai 1.5; face marks, brackets and unfinished quotes are treated
//! more closely than there.

mod face;
mod rules;
mod splitter;

use std::ops::Range;

use rules::Rules;
pub use rules::{Continuation, FaceRules, SentenceRules};
use splitter::says_something;

/// Splits texts of one language into sentences; [`crate::LanguagePack::sentences`] gives the one of a pack.
///
/// ```
/// use tsumugi_text::LanguagePack;
///
/// let japanese = LanguagePack::embedded("ja")?;
/// let found = japanese.sentences().split("「暑いね。」と母が言った。私は黙った(^_^;)\nNo.1の店？");
/// assert_eq!(found, ["「暑いね。」と母が言った。", "私は黙った(^_^;)\n", "No.1の店？"]);
///
/// let english = LanguagePack::embedded("en")?;
/// assert_eq!(english.sentences().split("Dr. Mori left. Why?"), ["Dr. Mori left. ", "Why?"]);
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Debug)]
pub struct SentenceSplitter {
    rules: Rules,
}

impl SentenceSplitter {
    /// A splitter with these rules.
    #[must_use]
    pub fn new(rules: SentenceRules) -> Self {
        Self { rules: Rules::new(rules) }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &SentenceRules {
        &self.rules.own
    }

    /// The sentences of `text`, in order; joined together they are `text` again.
    #[must_use]
    pub fn split<'a>(&self, text: &'a str) -> Vec<&'a str> {
        self.ranges(text).into_iter().map(|range| &text[range]).collect()
    }

    /// The byte ranges of the sentences of `text`, in order and without gaps.
    #[must_use]
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        self.rules.split(text)
    }

    /// [`SentenceSplitter::split`] with each piece that has no letter and no digit joined to the one before it, as the
    /// paper's interleaved documents have it; a first piece without any is joined to the next.
    #[must_use]
    pub fn split_joined<'a>(&self, text: &'a str) -> Vec<&'a str> {
        self.joined_ranges(text).into_iter().map(|range| &text[range]).collect()
    }

    /// The byte ranges of [`SentenceSplitter::split_joined`].
    #[must_use]
    pub fn joined_ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut joined: Vec<Range<usize>> = Vec::new();
        let mut before_is_bare = false;
        for range in self.ranges(text) {
            let bare = !text[range.clone()].chars().any(says_something);
            match joined.last_mut() {
                Some(last) if bare || before_is_bare => {
                    last.end = range.end;
                    before_is_bare &= bare;
                }
                _ => {
                    before_is_bare = bare;
                    joined.push(range);
                }
            }
        }
        joined
    }
}

#[cfg(test)]
mod tests;

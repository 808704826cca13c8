//! Filters with the reason of every drop, and the chain that a profile makes of them.

mod chain;
mod classifier;
mod compression;
mod duplicate;
mod file_name;
mod gopher;
mod kind;
mod language;
mod linear;
mod lines;
mod perplexity;
mod repetition;
mod scripts;
mod size;
mod words;

pub use chain::{Decision, FilterChain};
pub use classifier::Classifier;
pub use compression::Compression;
pub use duplicate::{DuplicateNgrams, DuplicateParts, TopNgrams};
pub use file_name::{FILE_NAME, FileName};
pub use gopher::{GopherQuality, Unit};
pub use kind::FilterConfig;
pub use language::{KanaHead, RequireLanguage};
pub use linear::LinearLanguage;
pub use lines::{EllipsisLines, LineBreaks, ShortLines};
pub use perplexity::{Bucket, Perplexity, Tokens, cutoffs};
pub use repetition::{CharRepetition, SingleCharRun};
pub use scripts::{HasJapanese, JapaneseLetters};
pub use size::{Length, NotEmpty, RareKuten, SentenceLength, SentencesWithEllipsis};
pub use words::{BoardMarks, NgWords, WordShare};

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::language::Language;
use crate::paragraphs::Paragraphs;

/// A text with what several filters want to know of it, computed when first asked for.
#[derive(Debug)]
pub struct Text<'a> {
    text: &'a str,
    language: Option<Language>,
    letters: OnceCell<usize>,
    paragraphs: OnceCell<Paragraphs<'a>>,
}

impl<'a> Text<'a> {
    /// A text to be filtered.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, language: None, letters: OnceCell::new(), paragraphs: OnceCell::new() }
    }

    /// The same with its language.
    #[must_use]
    pub fn with_language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Its language, if the chain identified it.
    #[must_use]
    pub fn language(&self) -> Option<&Language> {
        self.language.as_ref()
    }

    /// Code points.
    #[must_use]
    pub fn letters(&self) -> usize {
        *self.letters.get_or_init(|| self.text.chars().count())
    }

    /// Paragraphs and sentences as Swallow's code cuts them.
    #[must_use]
    pub fn paragraphs(&self) -> &Paragraphs<'a> {
        self.paragraphs.get_or_init(|| Paragraphs::of(self.text))
    }
}

/// Why a text was dropped.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reason {
    /// The rule, with its threshold where it has one: `num_letters<400`.
    pub rule: String,
    /// The value that broke the rule.
    pub value: Option<f64>,
}

impl Reason {
    /// A rule without a value.
    #[must_use]
    pub fn new(rule: impl Into<String>) -> Self {
        Self { rule: rule.into(), value: None }
    }

    /// A statistic below its lower bound.
    #[must_use]
    pub fn below(name: &str, value: f64, bound: f64) -> Self {
        Self { rule: format!("{name}<{bound}"), value: Some(value) }
    }

    /// A statistic above its upper bound.
    #[must_use]
    pub fn above(name: &str, value: f64, bound: f64) -> Self {
        Self { rule: format!("{name}>{bound}"), value: Some(value) }
    }
}

/// Where a filter leaves its statistics and its reasons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Statistics by name, in the order in which the filters computed them.
    pub statistics: Vec<(String, f64)>,
    /// Reasons against the text; none if it may stay.
    pub reasons: Vec<Reason>,
}

impl Report {
    /// Notes a statistic.
    pub fn note(&mut self, name: &str, value: f64) {
        if !self.statistics.iter().any(|(have, _)| have == name) {
            self.statistics.push((name.to_owned(), value));
        }
    }

    /// Notes a statistic and, if it is above `bound`, the reason.
    pub fn at_most(&mut self, name: &str, value: f64, bound: f64) {
        self.note(name, value);
        if value > bound {
            self.reasons.push(Reason::above(name, value, bound));
        }
    }

    /// Notes a statistic and, if it is below `bound`, the reason.
    pub fn at_least(&mut self, name: &str, value: f64, bound: f64) {
        self.note(name, value);
        if value < bound {
            self.reasons.push(Reason::below(name, value, bound));
        }
    }

    /// Drops the text.
    pub fn drop(&mut self, reason: Reason) {
        self.reasons.push(reason);
    }
}

/// One rule, or a few that share their statistics.
pub trait Filter: std::fmt::Debug + Send + Sync {
    /// Looks at `text` and leaves statistics and reasons in `report`.
    fn apply(&self, text: &Text<'_>, report: &mut Report);

    /// Reads the files that the filter names, from `folder` if there is one. Gives the name of a file that is not
    /// there; the chain then goes without this filter.
    ///
    /// # Errors
    /// Where a file is there and cannot be used.
    fn load(&mut self, folder: Option<&Path>) -> Result<Option<String>, Error> {
        let _ = folder;
        Ok(None)
    }

    /// The names of the files that decide what the filter does, as its configuration gives them.
    fn files(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The file of this name in the folder of word lists and models, or anywhere if it is an absolute path, if it is there.
pub(crate) fn resource(folder: Option<&Path>, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let path = match folder {
        Some(folder) => folder.join(name),
        None if name.is_absolute() => name.to_owned(),
        None => return None,
    };
    path.is_file().then_some(path)
}

/// Counts fit a float exactly up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 letters")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// A share, 0 of nothing.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

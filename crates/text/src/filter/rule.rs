//! What a filter is, what it is given, and where it leaves its findings.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::language::Language;
use crate::pack::LanguagePack;
use crate::paragraphs::Paragraphs;

/// A text with facts that several filters need, each computed when it is first asked for.
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

/// Collects the statistics of filters and their reasons to drop a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Statistics by name, in the order in which the filters computed them.
    pub statistics: Vec<(String, f64)>,
    /// Reasons against the text; none if it may stay.
    pub reasons: Vec<Reason>,
}

impl Report {
    /// Adds a statistic, unless one of that name exists.
    pub fn note(&mut self, name: &str, value: f64) {
        if !self.statistics.iter().any(|(have, _)| have == name) {
            self.statistics.push((name.to_owned(), value));
        }
    }

    /// Adds a statistic and, if it is above `bound`, a reason.
    pub fn at_most(&mut self, name: &str, value: f64, bound: f64) {
        self.note(name, value);
        if value > bound {
            self.reasons.push(Reason::above(name, value, bound));
        }
    }

    /// Adds a statistic and, if it is below `bound`, a reason.
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

/// A rule about texts, or several that share their statistics.
pub trait Filter: std::fmt::Debug + Send + Sync {
    /// Examines `text` and adds statistics and reasons to `report`.
    fn apply(&self, text: &Text<'_>, report: &mut Report);

    /// Reads the files that the filter names. Returns the name of a file that does not exist; the chain then leaves this
    /// filter out.
    ///
    /// # Errors
    /// Where a file exists and cannot be used.
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        let _ = resources;
        Ok(None)
    }

    /// The names of the files that decide what the filter does, as its configuration gives them.
    fn files(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Where filters find what they need beside their settings.
#[derive(Clone, Copy, Debug)]
pub struct Resources<'a> {
    /// The folder of word lists and models.
    pub folder: Option<&'a Path>,
    /// The language pack of the profile.
    pub pack: &'a LanguagePack,
}

impl Resources<'_> {
    /// The file of this name in the folder of word lists and models, or anywhere if it is an absolute path, if it exists.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let name = Path::new(name);
        let path = match self.folder {
            Some(folder) => folder.join(name),
            None if name.is_absolute() => name.to_owned(),
            None => return None,
        };
        path.is_file().then_some(path)
    }
}

/// Counts fit a float exactly up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a text has fewer than 2^53 letters")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The quotient, or 0 if `whole` is 0.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

//! The filters that a profile can name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::classifier::Classifier;
use super::compression::Compression;
use super::duplicate::{DuplicateNgrams, DuplicateParts, TopNgrams};
use super::file_name::FileName;
use super::gopher::GopherQuality;
use super::language::{KanaHead, RequireLanguage};
use super::linear::LinearLanguage;
use super::lines::{EllipsisLines, LineBreaks, ShortLines};
use super::perplexity::Perplexity;
use super::repetition::{CharRepetition, SingleCharRun};
use super::rule::Filter;
use super::scripts::{HasLetters, JapaneseLetters};
use super::size::{Length, NotEmpty, RareKuten, SentenceLength, SentencesWithEllipsis};
use super::words::{BoardMarks, NgWords, WordShare};
use crate::error::Error;

/// A filter as a profile writes it: its name and its settings.
///
/// ```
/// use tsumugi_text::filter::{FilterSettings, Length};
///
/// let settings = FilterSettings::new("length", &Length { min: Some(200), max: None })?;
/// let same: FilterSettings = toml::from_str("type = \"length\"\nmin = 200\n")?;
/// assert_eq!(settings, same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilterSettings {
    /// Name of the filter in the [`FilterRegistry`], such as `length`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The filter's own fields.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
    pub settings: toml::Table,
}

impl FilterSettings {
    /// The settings of a filter that was built in code.
    ///
    /// # Errors
    /// [`Error::FilterSettings`] where the filter does not serialise to a TOML table.
    pub fn new<F: Serialize>(kind: &str, filter: &F) -> Result<Self, Error> {
        let settings = toml::Table::try_from(filter)
            .map_err(|source| Error::FilterSettings { filter: kind.to_owned(), source: source.into() })?;
        Ok(Self { kind: kind.to_owned(), settings })
    }
}

type Built = Result<(Box<dyn Filter>, FilterSettings), Error>;
type Make = Arc<dyn Fn(&FilterSettings) -> Built + Send + Sync>;

/// Filters by name: an ordinary value, to which a lab adds its own and which it hands to
/// [`FilterChain::with_registry`](super::FilterChain::with_registry). The default has the filters of this crate.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tsumugi_text::filter::{Filter, FilterRegistry, Report, Text};
/// use tsumugi_text::{FilterChain, Profile};
///
/// /// Drops texts with too many digits.
/// #[derive(Debug, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Digits {
///     max: f64,
/// }
///
/// impl Filter for Digits {
///     fn apply(&self, text: &Text<'_>, report: &mut Report) {
///         let digits = text.as_str().chars().filter(char::is_ascii_digit).count();
///         report.at_most("num_digits", digits as f64, self.max);
///     }
/// }
///
/// let mut registry = FilterRegistry::default();
/// registry.register::<Digits>("digits");
/// let profile = Profile::parse("mine", "[[filter]]\ntype = \"digits\"\nmax = 2.0\n")?;
/// let chain = FilterChain::with_registry(&profile, None, &registry)?;
/// assert_eq!(chain.apply("1984").reason(), Some("num_digits>2"));
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Clone)]
pub struct FilterRegistry {
    filters: BTreeMap<String, Make>,
}

impl fmt::Debug for FilterRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.filters.keys()).finish()
    }
}

impl Default for FilterRegistry {
    fn default() -> Self {
        let mut registry = Self::empty();
        registry.register::<NotEmpty>("not-empty");
        registry.register::<RequireLanguage>("require-language");
        registry.register::<LinearLanguage>("linear-language");
        registry.register::<KanaHead>("kana-head");
        registry.register::<HasLetters>("has-letters");
        // The name before profiles of other languages had the filter too.
        registry.register::<HasLetters>("has-japanese");
        registry.register::<FileName>("file-name");
        registry.register::<Length>("length");
        registry.register::<JapaneseLetters>("japanese-letters");
        registry.register::<SentenceLength>("sentence-length");
        registry.register::<SentencesWithEllipsis>("sentences-with-ellipsis");
        registry.register::<RareKuten>("rare-kuten");
        registry.register::<DuplicateParts>("duplicate-parts");
        registry.register::<TopNgrams>("top-ngrams");
        registry.register::<DuplicateNgrams>("duplicate-ngrams");
        registry.register::<CharRepetition>("char-repetition");
        registry.register::<SingleCharRun>("single-char-run");
        registry.register::<EllipsisLines>("ellipsis-lines");
        registry.register::<ShortLines>("short-lines");
        registry.register::<LineBreaks>("line-breaks");
        registry.register::<Compression>("compression");
        registry.register::<NgWords>("ng-words");
        registry.register::<WordShare>("word-share");
        registry.register::<BoardMarks>("board-marks");
        registry.register::<GopherQuality>("gopher-quality");
        registry.register::<Perplexity>("perplexity");
        registry.register::<Classifier>("classifier");
        registry
    }
}

impl FilterRegistry {
    /// A registry without filters.
    #[must_use]
    pub fn empty() -> Self {
        Self { filters: BTreeMap::new() }
    }

    /// Adds a filter, or replaces the one of this name. Its settings are its serialised fields; use
    /// `#[serde(deny_unknown_fields)]` to have misspelt ones refused.
    pub fn register<F>(&mut self, name: &str)
    where
        F: Filter + Serialize + DeserializeOwned + 'static,
    {
        let make = |settings: &FilterSettings| -> Built {
            let table = toml::Value::Table(settings.settings.clone());
            let filter = F::deserialize(table).map_err(|source| Error::FilterSettings {
                filter: settings.kind.clone(),
                source: source.into(),
            })?;
            let resolved = FilterSettings::new(&settings.kind, &filter)?;
            Ok((Box::new(filter), resolved))
        };
        self.filters.insert(name.to_owned(), Arc::new(make));
    }

    /// The names of the filters, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.filters.keys().map(String::as_str).collect()
    }

    /// Builds a filter from its settings. Its files are not read yet. The settings that come with it have every field,
    /// also those that were left to their default.
    ///
    /// # Errors
    /// [`Error::UnknownFilter`] or [`Error::FilterSettings`].
    pub fn build(&self, settings: &FilterSettings) -> Built {
        let make = self.filters.get(&settings.kind).ok_or_else(|| Error::UnknownFilter {
            name: settings.kind.clone(),
            known: self.names().join(", "),
        })?;
        make(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_completed_with_defaults() {
        let settings: FilterSettings = toml::from_str("type = \"short-lines\"\nmax = 0.25\n").unwrap();
        let (_, resolved) = FilterRegistry::default().build(&settings).unwrap();
        assert_eq!(resolved, toml::from_str("type = \"short-lines\"\nmax = 0.25\nletters = 10\n").unwrap());
    }

    #[test]
    fn mistakes_are_named() {
        let registry = FilterRegistry::default();
        let error = |toml: &str| registry.build(&toml::from_str(toml).unwrap()).unwrap_err();
        let unknown = error("type = \"lenght\"");
        assert!(
            matches!(&unknown, Error::UnknownFilter { known, .. } if known.contains("length")),
            "{unknown}"
        );
        let field = error("type = \"length\"\nmim = 3\n");
        let source = std::error::Error::source(&field).unwrap().to_string();
        assert!(field.to_string().contains("length") && source.contains("mim"), "{field}: {source}");
    }
}

//! Language as a filter.

use serde::{Deserialize, Serialize};

use super::rule::{Filter, Reason, Report, Resources, Text};
use crate::error::Error;
use crate::language::LanguageIdentifier;

/// Drops texts that are not in one of the accepted languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequireLanguage {
    /// BCP 47 codes as [`LanguageIdentifier`] gives them; those of the profile's language pack where empty.
    pub accept: Vec<String>,
    /// Least confidence, 0 to 1 (CCNet: .5).
    pub min_score: f64,
}

impl Default for RequireLanguage {
    fn default() -> Self {
        Self { accept: Vec::new(), min_score: 0.5 }
    }
}

impl Filter for RequireLanguage {
    fn load(&mut self, resources: &Resources<'_>) -> Result<Option<String>, Error> {
        if self.accept.is_empty() {
            self.accept.clone_from(&resources.pack.manifest().identified_as);
        }
        Ok(None)
    }

    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let language =
            text.language().copied().unwrap_or_else(|| LanguageIdentifier::default().identify(text.as_str()));
        report.note("language_score", language.score);
        if !self.accept.iter().any(|code| code == language.code) {
            report.drop(Reason { rule: format!("language={}", language.code), value: Some(language.score) });
        } else if language.score < self.min_score {
            report.drop(Reason::below("language_score", language.score, self.min_score));
        }
    }
}

/// Drops texts without kana among the first letters (HojiChar's `AcceptJapanese`, which knows neither vu nor half-width kana).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KanaHead {
    /// Number of code points that are searched (50: HojiChar).
    pub letters: usize,
}

impl Default for KanaHead {
    fn default() -> Self {
        Self { letters: 50 }
    }
}

impl Filter for KanaHead {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let kana = |c| matches!(c, '\u{3041}'..='\u{3093}' | '\u{30A1}'..='\u{30F3}');
        if !text.as_str().chars().take(self.letters).any(kana) {
            report.drop(Reason::new(format!("no_kana_in_first_{}", self.letters)));
        }
    }
}

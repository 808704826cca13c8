//! Paragraphs in another language than that of the text.

use serde::{Deserialize, Serialize};

use crate::language::{Evidence, LanguageIdentifier, ScriptCounts};
use crate::pack::LanguagePack;

/// Which paragraphs are in another language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnLanguage {
    /// Least number of letters of a paragraph that is looked at (20: ours; shorter ones are names, labels and commands).
    pub min_letters: u64,
    /// Codes of the identifier that count as the language of the pack.
    #[serde(skip)]
    accept: Vec<String>,
}

impl Default for OwnLanguage {
    fn default() -> Self {
        Self { min_letters: 20, accept: Vec::new() }
    }
}

impl OwnLanguage {
    /// Takes the language from a pack.
    pub(crate) fn load(&mut self, pack: &LanguagePack) {
        self.accept.clone_from(&pack.manifest().identified_as);
    }

    /// For each line whether it stays. None if all do.
    ///
    /// A line goes where function words, the script or the character set show another language. Names and commands in Latin letters
    /// have no function words, so they stay.
    pub(crate) fn kept_lines(&self, text: &str) -> Option<Vec<bool>> {
        let identifier = LanguageIdentifier::default();
        let kept: Vec<bool> = text.split('\n').map(|line| !self.is_other(&identifier, line)).collect();
        kept.contains(&false).then_some(kept)
    }

    fn is_other(&self, identifier: &LanguageIdentifier, line: &str) -> bool {
        if self.accept.is_empty() || ScriptCounts::of(line).letters() < self.min_letters {
            return false;
        }
        let found = identifier.identify(line);
        let latin = ScriptCounts::of(line).get(crate::language::Script::Latin);
        let is_certain = match found.evidence {
            Evidence::Words | Evidence::Charset => true,
            // Letters of another script; Latin ones say nothing without function words.
            Evidence::Script => latin < self.min_letters,
            _ => false,
        };
        is_certain && self.accept.iter().all(|own| own != found.code)
    }
}

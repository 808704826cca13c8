//! Several filters in a row.

use std::io::Read;
use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh3::Xxh3Default;

use super::{FilterConfig, Reason, Report, Text, resource};
use crate::Error;
use crate::language::{Language, LanguageIdentifier};
use crate::normalize::Modification;
use crate::profile::Profile;

/// What a chain says about a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Whether the text stays.
    pub keep: bool,
    /// All reasons against it, in the order of the filters.
    pub reasons: Vec<Reason>,
    /// Its language.
    pub language: Language,
    /// Statistics by name, in the order in which the filters computed them.
    pub statistics: Vec<(String, f64)>,
}

impl Decision {
    /// The first rule that the text broke.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reasons.first().map(|reason| reason.rule.as_str())
    }

    /// All rules that the text broke, in the order of the filters.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        self.reasons.iter().map(|reason| reason.rule.as_str()).collect()
    }
}

/// The filters of a profile, with the language identifier that they share.
///
/// ```
/// use tsumugi_text::{FilterChain, Profile};
///
/// let chain = FilterChain::new(&Profile::named("swallow-v1")?, None)?;
/// let decision = chain.apply("短い文。");
/// assert_eq!(decision.reason(), Some("num_letters<400"));
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FilterChain {
    identifier: LanguageIdentifier,
    filters: Vec<FilterConfig>,
    modifications: Vec<Modification>,
    missing_lists: Vec<String>,
    files: Vec<(String, u128)>,
}

impl FilterChain {
    /// The chain of a profile. Word lists and models are read from the folder `words`; filters whose file is not there
    /// are left out and named by [`FilterChain::missing_lists`].
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::WordList`] or [`Error::Model`] for a file that is there and cannot be used.
    pub fn new(profile: &Profile, words: Option<&Path>) -> Result<Self, Error> {
        let mut chain = Self {
            identifier: LanguageIdentifier::new(profile.language.clone()),
            filters: Vec::new(),
            modifications: profile.modify.clone(),
            missing_lists: Vec::new(),
            files: Vec::new(),
        };
        for config in &profile.filter {
            let mut config = config.clone();
            match config.filter_mut().load(words)? {
                Some(missing) => chain.missing_lists.push(missing),
                None => {
                    for name in config.filter().files() {
                        chain.note_file(words, name)?;
                    }
                    chain.filters.push(config);
                }
            }
        }
        for modification in &mut chain.modifications {
            modification.load(words, &mut chain.missing_lists)?;
        }
        for modification in &profile.modify {
            if let Some(name) = modification.file() {
                chain.note_file(words, name)?;
            }
        }
        Ok(chain)
    }

    fn note_file(&mut self, words: Option<&Path>, name: &str) -> Result<(), Error> {
        let Some(path) = resource(words, name) else { return Ok(()) };
        if self.files.iter().all(|(have, _)| have != name) {
            let hash = hash_file(&path).map_err(|source| Error::Read { path, source })?;
            self.files.push((name.to_owned(), hash));
        }
        Ok(())
    }

    /// The word lists and models that are in use, with the XXH3 hash (128 bit) of what they contain: with the profile,
    /// all that decides what the chain does.
    #[must_use]
    pub fn files(&self) -> &[(String, u128)] {
        &self.files
    }

    /// Word lists and models that the profile names and the folder does not have.
    #[must_use]
    pub fn missing_lists(&self) -> &[String] {
        &self.missing_lists
    }

    /// The identifier that the chain uses.
    #[must_use]
    pub fn identifier(&self) -> &LanguageIdentifier {
        &self.identifier
    }

    /// Puts `text` through all filters.
    #[must_use]
    pub fn apply(&self, text: &str) -> Decision {
        self.apply_on_page(text, None)
    }

    /// Puts `text`, from a page of language `page_language`, through all filters.
    #[must_use]
    pub fn apply_on_page(&self, text: &str, page_language: Option<&str>) -> Decision {
        let language = self.identifier.identify_on_page(text, page_language);
        let text = Text::new(text).with_language(language);
        let mut report = Report::default();
        for filter in &self.filters {
            filter.filter().apply(&text, &mut report);
        }
        Decision {
            keep: report.reasons.is_empty(),
            reasons: report.reasons,
            language,
            statistics: report.statistics,
        }
    }

    /// The text as the profile wants it written: punctuation, white space, footers. None if nothing changes.
    #[must_use]
    pub fn modify(&self, text: &str) -> Option<String> {
        let mut changed: Option<String> = None;
        for modification in &self.modifications {
            let current = changed.as_deref().unwrap_or(text);
            if let Some(next) = modification.apply(current) {
                changed = Some(next);
            }
        }
        changed
    }

    /// Changes a text that comes in blocks, the texts of a page's nodes say, as [`FilterChain::modify`] changes the text
    /// that they make together, a line after the other. Blocks of which nothing is left are empty.
    pub fn modify_blocks(&self, blocks: &mut [String]) {
        for modification in &self.modifications {
            modification.apply_to_blocks(blocks);
        }
    }

    /// A short text beside the main one (a title, an alt text) with the personal data masked that the profile masks.
    /// None if nothing changes.
    #[must_use]
    pub fn mask(&self, text: &str) -> Option<String> {
        let mut changed: Option<String> = None;
        for modification in self.modifications.iter().filter(|modification| modification.masks()) {
            if let Some(next) = modification.apply(changed.as_deref().unwrap_or(text)) {
                changed = Some(next);
            }
        }
        changed
    }
}

/// Models can be larger than the memory, so a piece at a time.
fn hash_file(path: &Path) -> std::io::Result<u128> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Xxh3Default::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.digest128()),
            read => hasher.update(&piece[..read]),
        }
    }
}

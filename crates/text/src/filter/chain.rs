//! The filters of a profile, applied one after the other.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use xxhash_rust::xxh3::Xxh3Default;

use super::registry::FilterRegistry;
use super::rule::{Filter, Reason, Report, Resources, Text};
use crate::error::Error;
use crate::language::{Language, LanguageIdentifier};
use crate::normalize::Modification;
use crate::pack::LanguagePack;
use crate::profile::Profile;

/// The decision of a chain about a text.
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
    profile: Profile,
    pack: Arc<LanguagePack>,
    identifier: LanguageIdentifier,
    filters: Vec<Arc<dyn Filter>>,
    modifications: Vec<Modification>,
    missing_lists: Vec<String>,
    files: Vec<(String, u128)>,
}

impl FilterChain {
    /// The chain of a profile with the filters of this crate. Word lists and models are read from the folder `words`;
    /// filters whose file does not exist are left out and named by [`FilterChain::missing_lists`].
    ///
    /// # Errors
    /// Those of [`FilterChain::with_registry`].
    pub fn new(profile: &Profile, words: Option<&Path>) -> Result<Self, Error> {
        Self::with_registry(profile, words, &FilterRegistry::default())
    }

    /// The same with the filters of a registry.
    ///
    /// # Errors
    /// [`Error::UnknownFilter`] or [`Error::FilterSettings`] for a filter that the profile gets wrong, the errors of
    /// [`LanguagePack::open`], and [`Error::Read`], [`Error::WordList`] or [`Error::Model`] for a file that exists and
    /// cannot be used.
    pub fn with_registry(
        profile: &Profile,
        words: Option<&Path>,
        registry: &FilterRegistry,
    ) -> Result<Self, Error> {
        let mut chain = Self {
            profile: profile.clone(),
            pack: Arc::new(LanguagePack::open(profile.pack.as_deref().unwrap_or(LanguagePack::DEFAULT))?),
            identifier: LanguageIdentifier::new(profile.language.clone()),
            filters: Vec::new(),
            modifications: profile.modify.clone(),
            missing_lists: Vec::new(),
            files: Vec::new(),
        };
        let pack = chain.pack.clone();
        let resources = Resources { folder: words, pack: &pack };
        for settings in &mut chain.profile.filter {
            let (mut filter, resolved) = registry.build(settings)?;
            *settings = resolved;
            match filter.load(&resources)? {
                Some(missing) => chain.missing_lists.push(missing),
                None => {
                    for name in filter.files() {
                        note_file(&mut chain.files, &resources, name)?;
                    }
                    chain.filters.push(filter.into());
                }
            }
        }
        for modification in &mut chain.modifications {
            modification.load(&resources, &mut chain.missing_lists)?;
            if let Some(name) = modification.file() {
                note_file(&mut chain.files, &resources, name)?;
            }
        }
        Ok(chain)
    }

    /// Adds a filter that was built in code, with its files loaded, at the end.
    #[must_use]
    pub fn with(mut self, filter: impl Filter + 'static) -> Self {
        self.filters.push(Arc::new(filter));
        self
    }

    /// The profile with every setting, also those that were left to their default.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The language pack of the profile.
    #[must_use]
    pub fn pack(&self) -> &LanguagePack {
        &self.pack
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

    /// Applies all filters to `text`.
    #[must_use]
    pub fn apply(&self, text: &str) -> Decision {
        self.apply_on_page(text, None)
    }

    /// Applies all filters to `text` from a page in `page_language`, a BCP 47 tag.
    #[must_use]
    pub fn apply_on_page(&self, text: &str, page_language: Option<&str>) -> Decision {
        let language = self.identifier.identify_on_page(text, page_language);
        let text = Text::new(text).with_language(language);
        let mut report = Report::default();
        for filter in &self.filters {
            filter.apply(&text, &mut report);
        }
        Decision {
            keep: report.reasons.is_empty(),
            reasons: report.reasons,
            language,
            statistics: report.statistics,
        }
    }

    /// Applies the profile's changes, such as those of punctuation, white space and footers. `None` if nothing changes.
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

    /// Whether the profile cuts off headers or footers.
    #[must_use]
    pub fn trims_ends(&self) -> bool {
        self.modifications.iter().any(Modification::trims_ends)
    }

    /// Whether the profile masks personal data itself.
    #[must_use]
    pub fn masks(&self) -> bool {
        self.modifications.iter().any(Modification::masks)
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

fn note_file(files: &mut Vec<(String, u128)>, resources: &Resources<'_>, name: &str) -> Result<(), Error> {
    let Some(path) = resources.file(name) else { return Ok(()) };
    if files.iter().all(|(have, _)| have != name) {
        let hash = hash_file(&path).map_err(|source| Error::Read { path, source })?;
        files.push((name.to_owned(), hash));
    }
    Ok(())
}

/// Hashes a file piece by piece, since models can be larger than the memory.
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

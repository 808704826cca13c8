//! Profiles: a chain of filters as data.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::filter::FilterSettings;
use crate::language::LanguageConfig;
use crate::minhash::MinHashConfig;
use crate::normalize::Modification;
use crate::pack::LanguagePack;

/// The profiles that belong to no language pack, by name.
const NEUTRAL: [(&str, &str); 2] =
    [("gopher", include_str!("../profiles/gopher.toml")), ("th", include_str!("../profiles/th.toml"))];

/// What to filter a corpus by.
///
/// ```
/// let profile = tsumugi_text::Profile::named("paper")?;
/// assert_eq!(profile.name, "paper");
/// assert_eq!(profile.pack.as_deref(), Some("ja"));
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profile {
    /// Name of the profile.
    pub name: String,
    /// What it is for and where its figures come from.
    pub description: String,
    /// Language pack whose letters, words and sentences the filters use: a code such as `ja`, or a folder (the pack that the
    /// profile comes with; `ja` for a profile that comes with none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// How languages are told apart.
    pub language: LanguageConfig,
    /// The filters, in order; the first that drops a text gives the reason.
    pub filter: Vec<FilterSettings>,
    /// What is changed in the text that stays.
    pub modify: Vec<Modification>,
    /// How near-duplicates are found, where the profile has a way of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minhash: Option<MinHashConfig>,
}

impl Profile {
    /// The names of the profiles that come with the crate, those of each language pack together.
    #[must_use]
    pub fn names() -> Vec<String> {
        let packs = LanguagePack::codes().into_iter().filter_map(|code| LanguagePack::embedded(code).ok());
        let names =
            packs.flat_map(|pack| pack.names("profiles").into_iter().map(str::to_owned).collect::<Vec<_>>());
        names.chain(NEUTRAL.iter().map(|(name, _)| (*name).to_owned())).collect()
    }

    /// A profile that comes with the crate, or one from a TOML file if `name` is the path of one.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Read`] or [`Error::Profile`].
    pub fn named(name: &str) -> Result<Self, Error> {
        if let Some((_, text)) = NEUTRAL.iter().find(|(have, _)| *have == name) {
            return Self::parse(name, text);
        }
        if let Some(code) = LanguagePack::with_profile(name) {
            return Self::of_pack(&LanguagePack::embedded(code)?, name);
        }
        let path = std::path::Path::new(name);
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(path)
                .map_err(|source| Error::Read { path: path.to_owned(), source })?;
            return Self::parse(name, &text);
        }
        Err(Error::UnknownProfile { name: name.to_owned(), known: Self::names().join(", ") })
    }

    /// The profile `profiles/NAME.toml` of a language pack.
    ///
    /// # Errors
    /// [`Error::PackFile`] with the profiles that exist, or [`Error::Profile`].
    pub fn of_pack(pack: &LanguagePack, name: &str) -> Result<Self, Error> {
        let mut profile = Self::parse(name, pack.profile_text(name)?)?;
        profile.pack.get_or_insert_with(|| pack.origin());
        Ok(profile)
    }

    /// A profile from TOML; `name` stands in messages. Filters are looked up when a [`crate::FilterChain`] is made of it.
    ///
    /// # Errors
    /// [`Error::Profile`] with the line and key that is wrong.
    pub fn parse(name: &str, toml: &str) -> Result<Self, Error> {
        toml::from_str(toml)
            .map_err(|source| Error::Profile { name: name.to_owned(), source: Box::new(source) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FilterChain;

    #[test]
    fn built_in_profiles_parse_and_bear_their_name() {
        for name in Profile::names() {
            let profile = Profile::named(&name).unwrap();
            assert_eq!(profile.name, name);
            assert!(!profile.filter.is_empty(), "{name}");
            FilterChain::new(&profile, None).unwrap();
            let again = Profile::parse(&name, &toml::to_string(&profile).unwrap()).unwrap();
            assert_eq!(again, profile);
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(Profile::named("swalow"), Err(Error::UnknownProfile { .. })));
        assert!(matches!(Profile::named("missing.toml"), Err(Error::Read { .. })));
        assert!(matches!(Profile::parse("p", "fliter = []"), Err(Error::Profile { .. })));
        let chain = |toml: &str| FilterChain::new(&Profile::parse("p", toml).unwrap(), None).unwrap_err();
        let wrong_key = chain("[[filter]]\ntype = \"length\"\nmim = 3\n");
        assert!(
            matches!(&wrong_key, Error::FilterSettings { filter, .. } if filter == "length"),
            "{wrong_key}"
        );
        let wrong_type = chain("[[filter]]\ntype = \"lenght\"\n");
        assert!(matches!(&wrong_type, Error::UnknownFilter { name, .. } if name == "lenght"), "{wrong_type}");
    }

    #[test]
    fn a_profile_knows_its_pack() {
        assert_eq!(Profile::named("zh-hans").unwrap().pack.as_deref(), Some("zh"));
        assert_eq!(Profile::named("gopher").unwrap().pack, None);
        let korean = LanguagePack::embedded("ko").unwrap();
        let error = Profile::of_pack(&korean, "paper").unwrap_err().to_string();
        assert!(error.contains("ko-pairs"), "{error}");
    }
}

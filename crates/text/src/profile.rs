//! Profiles: a chain of filters as data.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::filter::FilterConfig;
use crate::language::LanguageConfig;
use crate::minhash::MinHashConfig;
use crate::normalize::Modification;

/// The profiles that come with the crate, by name.
const BUILT_IN: [(&str, &str); 12] = [
    ("paper", include_str!("../profiles/paper.toml")),
    ("paper-pairs", include_str!("../profiles/paper-pairs.toml")),
    ("swallow-v1", include_str!("../profiles/swallow-v1.toml")),
    ("hojichar", include_str!("../profiles/hojichar.toml")),
    ("llm-jp", include_str!("../profiles/llm-jp.toml")),
    ("llm-jp-strict", include_str!("../profiles/llm-jp-strict.toml")),
    ("gopher", include_str!("../profiles/gopher.toml")),
    ("ko", include_str!("../profiles/ko.toml")),
    ("zh-hans", include_str!("../profiles/zh-hans.toml")),
    ("zh-hant", include_str!("../profiles/zh-hant.toml")),
    ("en", include_str!("../profiles/en.toml")),
    ("th", include_str!("../profiles/th.toml")),
];

/// What to filter a corpus by.
///
/// ```
/// let profile = tsumugi_text::Profile::named("paper")?;
/// assert_eq!(profile.name, "paper");
/// let error = tsumugi_text::Profile::parse("mine", "fliter = []").unwrap_err();
/// assert!(error.to_string().contains("fliter"));
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Name of the profile.
    pub name: String,
    /// What it is for and where its figures come from.
    pub description: String,
    /// How languages are told apart.
    pub language: LanguageConfig,
    /// The filters, in order; the first that drops a text gives the reason.
    pub filter: Vec<FilterConfig>,
    /// What is changed in the text that stays.
    pub modify: Vec<Modification>,
    /// How near-duplicates are found, where the profile has a way of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minhash: Option<MinHashConfig>,
}

impl Profile {
    /// The names of the profiles that come with the crate.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        BUILT_IN.iter().map(|(name, _)| *name).collect()
    }

    /// A profile that comes with the crate, or one from a TOML file if `name` is the path of one.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`], [`Error::Read`] or [`Error::Profile`].
    pub fn named(name: &str) -> Result<Self, Error> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(have, _)| *have == name) {
            return Self::parse(name, text);
        }
        let path = std::path::Path::new(name);
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(path)
                .map_err(|source| Error::Read { path: path.to_owned(), source })?;
            return Self::parse(name, &text);
        }
        Err(Error::UnknownProfile { name: name.to_owned(), known: Self::names().join(", ") })
    }

    /// A profile from TOML; `name` stands in messages.
    ///
    /// # Errors
    /// [`Error::Profile`] with the line and key that is wrong.
    pub fn parse(name: &str, toml: &str) -> Result<Self, Error> {
        toml::from_str(toml).map_err(|source| Error::Profile {
            name: name.to_owned(),
            detail: source.to_string().trim_end().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_parse_and_bear_their_name() {
        for name in Profile::names() {
            let profile = Profile::named(name).unwrap();
            assert_eq!(profile.name, name);
            assert!(!profile.filter.is_empty(), "{name}");
            let again = Profile::parse(name, &toml::to_string(&profile).unwrap()).unwrap();
            assert_eq!(again, profile);
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(Profile::named("swalow"), Err(Error::UnknownProfile { .. })));
        assert!(matches!(Profile::named("missing.toml"), Err(Error::Read { .. })));
        let wrong_key =
            Profile::parse("p", "[[filter]]\ntype = \"length\"\nmim = 3\n").unwrap_err().to_string();
        assert!(wrong_key.contains("mim"), "{wrong_key}");
        let wrong_type = Profile::parse("p", "[[filter]]\ntype = \"lenght\"\n").unwrap_err().to_string();
        assert!(wrong_type.contains("lenght"), "{wrong_type}");
    }
}

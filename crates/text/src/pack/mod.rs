//! Language packs: what belongs to one language, as data.
//!
//! A pack is a folder of TOML and text files. Those of `languages/` are embedded in the crate; a user's own is read from
//! any folder with the same files:
//!
//! | file | holds |
//! |---|---|
//! | `pack.toml` | code, names, scripts, letters, model and profile defaults ([`Manifest`]) |
//! | `captions.toml` | figure prefixes, file names and placeholders that stand in `alt` attributes ([`Captions`]) |
//! | `replies.toml` | phrases by which a model declines or betrays its input ([`Replies`]) |
//! | `sentences.toml` | where sentences end ([`SentenceRules`]) |
//! | `questions.toml` | how questions begin and what they ask for ([`Questions`]) |
//! | `prompts/NAME.toml` | a prompt of synthesis or of a judge ([`LanguagePack::prompt`]) |
//! | `texts/NAME.txt` | any other text ([`LanguagePack::text`]) |
//! | `profiles/NAME.toml` | a profile of the text filter ([`crate::Profile::of_pack`]) |

mod data;
mod files;

use std::path::Path;
use std::sync::Arc;

use regex::Regex;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::Xxh3Default;

use crate::error::Error;
use crate::sentence::{SentenceRules, SentenceSplitter};

pub use data::{Captions, Manifest, ProfileNames, QuestionKind, Questions, Replies};
use files::Files;

/// Everything that belongs to one language.
///
/// ```
/// use tsumugi_text::LanguagePack;
///
/// let pack = LanguagePack::embedded("ko-KR")?;
/// assert_eq!((pack.code(), pack.english_name()), ("ko", "Korean"));
/// assert!(pack.has_letters("서울의 밤") && !pack.has_letters("Seoul at night"));
/// assert!(pack.prompt("conversation")?.contains("version"));
///
/// let error = LanguagePack::embedded("xx").unwrap_err().to_string();
/// assert!(error.contains("ja, ko, zh"), "{error}");
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LanguagePack {
    files: Files,
    manifest: Manifest,
    captions: Captions,
    replies: Replies,
    questions: Questions,
    sentences: Arc<SentenceSplitter>,
    letters: Regex,
    file_name: Regex,
    placeholder: Regex,
    figure_number: Regex,
}

impl LanguagePack {
    /// The code that settings have by default.
    pub const DEFAULT: &str = "ja";

    /// The codes of the embedded packs, sorted.
    #[must_use]
    pub fn codes() -> Vec<&'static str> {
        files::embedded_codes()
    }

    /// The embedded pack of a BCP 47 code. Only the language part counts, so `zh-Hant` and `zh_CN` both give `zh`.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] with the codes that exist.
    pub fn embedded(code: &str) -> Result<Self, Error> {
        let language = code.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let files = Files::embedded(&language).ok_or_else(|| Error::UnknownLanguage {
            code: code.to_owned(),
            meant: Self::meant(code),
            known: Self::codes().join(", "),
        })?;
        Self::new(files)
    }

    /// The code of the embedded pack whose language a wrong code or a name probably means: `ja` for `jp`, `JPN` or `Japanese`.
    #[must_use]
    pub fn meant(code: &str) -> Option<String> {
        let wanted = code.trim().to_lowercase();
        let language = wanted.split(['-', '_']).next().unwrap_or_default();
        let is_meant = |manifest: &Manifest| {
            let names = [&manifest.name, &manifest.english_name].map(|name| name.to_lowercase());
            names.contains(&wanted) || manifest.aliases.iter().any(|alias| alias == language)
        };
        let packs = Self::codes().into_iter().filter_map(|code| Self::embedded(code).ok());
        packs.map(|pack| pack.manifest).find(is_meant).map(|manifest| manifest.code)
    }

    /// A pack from a folder.
    ///
    /// # Errors
    /// [`Error::Read`] where a file cannot be read, [`Error::Pack`] where one cannot be parsed, and
    /// [`Error::PackFile`] where a required one is absent.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        Self::new(Files::read(folder)?)
    }

    /// The pack that a setting names: an embedded one by its code, or the folder of that path if it exists.
    ///
    /// # Errors
    /// Those of [`LanguagePack::embedded`] and [`LanguagePack::from_folder`].
    pub fn open(code_or_folder: &str) -> Result<Self, Error> {
        let folder = Path::new(code_or_folder);
        if folder.join("pack.toml").is_file() {
            return Self::from_folder(folder);
        }
        Self::embedded(code_or_folder)
    }

    fn new(files: Files) -> Result<Self, Error> {
        let manifest: Manifest = files.parse("pack.toml")?;
        let captions: Captions = files.parse("captions.toml")?;
        let compile = |file: &str, field: &'static str, pattern: &str| {
            Regex::new(pattern).map_err(|source| Error::PackPattern {
                file: files.place(file),
                field,
                source: Box::new(source),
            })
        };
        Ok(Self {
            letters: compile("pack.toml", "letters", &manifest.letters)?,
            file_name: compile("captions.toml", "image_words", &captions.file_name_pattern())?,
            placeholder: compile("captions.toml", "placeholder_patterns", &captions.placeholder_pattern())?,
            figure_number: compile("captions.toml", "figure_words", &captions.figure_number_pattern())?,
            replies: files.parse("replies.toml")?,
            questions: files.parse("questions.toml")?,
            sentences: Arc::new(SentenceSplitter::new(files.parse::<SentenceRules>("sentences.toml")?)),
            captions,
            manifest,
            files,
        })
    }

    /// BCP 47 code, such as `ja`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.manifest.code
    }

    /// What [`LanguagePack::open`] opens this pack by: its code or its folder.
    #[must_use]
    pub fn origin(&self) -> String {
        self.files.place("").to_string_lossy().trim_end_matches('/').to_owned()
    }

    /// Name of the language in English.
    #[must_use]
    pub fn english_name(&self) -> &str {
        &self.manifest.english_name
    }

    /// The contents of `pack.toml`.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The contents of `captions.toml`.
    #[must_use]
    pub fn captions(&self) -> &Captions {
        &self.captions
    }

    /// The contents of `replies.toml`.
    #[must_use]
    pub fn replies(&self) -> &Replies {
        &self.replies
    }

    /// The contents of `questions.toml`.
    #[must_use]
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Splits texts of the language into sentences.
    #[must_use]
    pub fn sentences(&self) -> &SentenceSplitter {
        &self.sentences
    }

    /// Whether `text` has a letter of the language's scripts.
    #[must_use]
    pub fn has_letters(&self, text: &str) -> bool {
        self.letters.is_match(text)
    }

    /// Whether a language that [`crate::LanguageIdentifier`] found, such as `zh-Hans`, is this one.
    #[must_use]
    pub fn accepts(&self, code: &str) -> bool {
        self.manifest.identified_as.iter().any(|own| own == code)
    }

    /// Whether a trimmed text is a file name, an address or a camera's number (see [`Captions::file_name_pattern`]).
    #[must_use]
    pub fn is_file_name(&self, text: &str) -> bool {
        self.file_name.is_match(text)
    }

    /// Whether a trimmed text stands for any image, such as "no image available" (see [`Captions::placeholder_pattern`]).
    #[must_use]
    pub fn is_placeholder(&self, text: &str) -> bool {
        self.placeholder.is_match(text)
    }

    /// A caption without the number of its figure.
    ///
    /// ```
    /// let pack = tsumugi_text::LanguagePack::embedded("en")?;
    /// assert_eq!(pack.without_figure_number("Figure 17.3: A bridge"), "A bridge");
    /// assert_eq!(pack.without_figure_number("Figure skating"), "Figure skating");
    /// # Ok::<(), tsumugi_text::Error>(())
    /// ```
    #[must_use]
    pub fn without_figure_number<'a>(&self, text: &'a str) -> &'a str {
        self.figure_number.find(text).map_or(text, |number| &text[number.end()..])
    }

    /// The TOML text of the prompt `prompts/NAME.toml`.
    ///
    /// # Errors
    /// [`Error::PackFile`] with the prompts that exist.
    pub fn prompt(&self, name: &str) -> Result<&str, Error> {
        self.files.get(&format!("prompts/{name}.toml"))
    }

    /// The text `texts/NAME.txt`.
    ///
    /// # Errors
    /// [`Error::PackFile`] with the texts that exist.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        self.files.get(&format!("texts/{name}.txt"))
    }

    /// The lines of `texts/NAME.txt`, without empty ones.
    ///
    /// # Errors
    /// [`Error::PackFile`] with the texts that exist.
    pub fn lines(&self, name: &str) -> Result<Vec<&str>, Error> {
        Ok(self.text(name)?.lines().filter(|line| !line.trim().is_empty()).collect())
    }

    /// The TOML text of the profile `profiles/NAME.toml` of the text filter; [`crate::Profile::of_pack`] parses it.
    ///
    /// # Errors
    /// [`Error::PackFile`] with the profiles that exist.
    pub fn profile_text(&self, name: &str) -> Result<&str, Error> {
        self.files.get(&format!("profiles/{name}.toml"))
    }

    /// The embedded pack that has a profile of this name.
    #[must_use]
    pub fn with_profile(name: &str) -> Option<&'static str> {
        files::embedded_with(&format!("profiles/{name}.toml"))
    }

    /// Any TOML file of the pack, such as `prompts/judge_pair.toml`, as a type of the caller's.
    ///
    /// # Errors
    /// [`Error::PackFile`] or [`Error::Pack`].
    pub fn parse<T: DeserializeOwned>(&self, file: &str) -> Result<T, Error> {
        self.files.parse(file)
    }

    /// The names of the files in a folder of the pack (`prompts`, `texts`, `profiles`), without their extension.
    #[must_use]
    pub fn names(&self, folder: &str) -> Vec<&str> {
        self.files.names(folder)
    }

    /// The XXH3 hash (128 bit) of all files with their names: two packs of one hash decide alike.
    #[must_use]
    pub fn hash(&self) -> u128 {
        let mut hasher = Xxh3Default::new();
        for (name, text) in self.files.iter() {
            for part in [name, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.digest128()
    }
}

#[cfg(test)]
mod tests;

//! The crate's error.

use std::path::{Path, PathBuf};

/// What can go wrong with profiles, word lists and models. Texts never do: they are dropped with a reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No profile of this name comes with the crate, and there is no such file.
    #[error("there is no profile `{name}`: choose one of {known}, or give a TOML file")]
    UnknownProfile {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A profile that cannot be understood.
    #[error("profile {name} cannot be parsed")]
    Profile {
        /// Name or path of the profile.
        name: String,
        /// What is wrong, with line and key.
        source: Box<toml::de::Error>,
    },
    /// A profile names a filter that the registry does not have.
    #[error("there is no filter `{name}`: choose one of {known}, or register it")]
    UnknownFilter {
        /// The name in the profile.
        name: String,
        /// The names in the registry.
        known: String,
    },
    /// The settings of a filter do not fit it.
    #[error("the settings of filter `{filter}` are wrong")]
    FilterSettings {
        /// Name of the filter.
        filter: String,
        /// What is wrong, with the key.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting makes no regular expression.
    #[error("`{field}` makes no regular expression")]
    Pattern {
        /// The setting, or the text of the language pack.
        field: &'static str,
        /// What is wrong with the pattern.
        source: Box<regex::Error>,
    },
    /// No language pack has this code.
    #[error("there is no language pack `{code}`{}; choose one of {known}, or give the folder of a pack", did_you_mean(.meant))]
    UnknownLanguage {
        /// The code asked for.
        code: String,
        /// The code that was probably meant.
        meant: Option<String>,
        /// The codes of the embedded packs.
        known: String,
    },
    /// The identifier knows no language of this code.
    #[error("there is no language `{code}`{}; choose one of {known}", did_you_mean(.meant))]
    UnknownCode {
        /// The code asked for.
        code: String,
        /// The code that was probably meant.
        meant: Option<String>,
        /// The codes that the identifier gives.
        known: String,
    },
    /// A file of a language pack cannot be parsed.
    #[error("language pack: {} cannot be parsed", file.display())]
    Pack {
        /// The file, below the language's code for an embedded pack.
        file: PathBuf,
        /// What is wrong, with line and key.
        source: Box<toml::de::Error>,
    },
    /// A language pack has no such file.
    #[error("language pack: {} does not exist; the folder has {known}", file.display())]
    PackFile {
        /// The file, below the language's code for an embedded pack.
        file: PathBuf,
        /// The names in its folder.
        known: String,
    },
    /// A field of a language pack makes no regular expression.
    #[error("language pack: {}: `{field}` makes no regular expression", file.display())]
    PackPattern {
        /// The file, below the language's code for an embedded pack.
        file: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong with the pattern.
        source: Box<regex::Error>,
    },
    /// A language model or classifier that cannot be used.
    #[error("model {}: {detail}", path.as_deref().map_or("in memory".into(), |path| path.to_string_lossy()))]
    Model {
        /// The file, where the model is from one.
        path: Option<PathBuf>,
        /// What is wrong, where, and what helps.
        detail: String,
        /// The error of the library that read the model, if it was one.
        #[source]
        cause: Option<Cause>,
    },
    /// No unidic-lite dictionary was found.
    #[error(
        "the dictionary unidic-lite is missing (looked in {}); run `cargo xtask provision`, or let TSUMUGI_UNIDIC name the folder that holds its sys.dic",
        list(tried)
    )]
    DictionaryMissing {
        /// The folders that were searched.
        tried: Vec<PathBuf>,
    },
    /// A MeCab dictionary file that cannot be used.
    #[error("{}: not a usable MeCab dictionary: {reason}; run `cargo xtask provision` again", path.display())]
    DictionaryBroken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A word list that cannot be searched for.
    #[error("no search structure can be built of a word list with {words} words")]
    WordList {
        /// Number of words.
        words: usize,
        /// Why not.
        source: Box<aho_corasick::BuildError>,
    },
}

/// An error of a library below.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The question after a wrong code.
fn did_you_mean(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" (did you mean {code}?)")).unwrap_or_default()
}

impl Error {
    pub(crate) fn model(detail: String) -> Self {
        Self::Model { path: None, detail, cause: None }
    }

    /// A model that a library below could not read.
    pub(crate) fn model_because(detail: &str, cause: impl Into<Cause>) -> Self {
        Self::Model { path: None, detail: detail.to_owned(), cause: Some(cause.into()) }
    }

    /// The same fault, in the file that it was found in.
    pub(crate) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Model { path: None, detail, cause } => {
                Self::Model { path: Some(file.to_owned()), detail, cause }
            }
            other => other,
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

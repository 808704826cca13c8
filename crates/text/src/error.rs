//! The crate's error.

use std::path::{Path, PathBuf};

/// What can go wrong with profiles, word lists and models. Texts never do: they are dropped with a reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
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
    #[error("profile {name}: {detail}")]
    Profile {
        /// Name or path of the profile.
        name: String,
        /// What is wrong, with line and key.
        detail: String,
    },
    /// A language model or classifier that cannot be used.
    #[error("model {}: {detail}", path.as_deref().map_or("in memory".into(), |path| path.to_string_lossy()))]
    Model {
        /// The file, where the model is from one.
        path: Option<PathBuf>,
        /// What is wrong, where, and what helps.
        detail: String,
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
    #[error("the word list cannot be used: {detail}")]
    WordList {
        /// What is wrong.
        detail: String,
    },
}

impl Error {
    pub(crate) fn model(detail: String) -> Self {
        Self::Model { path: None, detail }
    }

    /// The same fault, in the file that it was found in.
    pub(crate) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Model { path: None, detail } => Self::Model { path: Some(file.to_owned()), detail },
            other => other,
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

//! The crate's error.

use std::path::PathBuf;

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
    /// A word list that cannot be searched for.
    #[error("the word list cannot be used: {detail}")]
    WordList {
        /// What is wrong.
        detail: String,
    },
}

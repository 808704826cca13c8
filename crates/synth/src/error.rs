//! What can stop a synthesis.

use std::path::PathBuf;

/// What can stop a synthesis. What is wrong with one item or one reply is no error but an entry of the exclusion table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint cannot go on: see [`tsumugi_chat::Error::is_fatal`].
    #[error(transparent)]
    Chat(#[from] tsumugi_chat::Error),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A setting makes no sense.
    #[error("{message}")]
    Config {
        /// What is wrong and what would be right.
        message: String,
    },
}

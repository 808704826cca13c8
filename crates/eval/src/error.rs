//! What can go wrong while evaluating.

use std::path::{Path, PathBuf};

/// Errors of this crate. Failed judgements and unreadable answers of a judge are data, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The page of a run or of a comparison could not be made.
    #[error(transparent)]
    Report(#[from] tsumugi_report::Error),
    /// No unidic-lite dictionary was found.
    #[error(
        "the dictionary unidic-lite is missing (looked in {}); run `cargo xtask provision`, or let TSUMUGI_UNIDIC name the folder that holds its sys.dic",
        list(tried)
    )]
    DictionaryMissing {
        /// The folders that were looked at.
        tried: Vec<PathBuf>,
    },
    /// A dictionary file is not what it should be.
    #[error("{}: not a usable MeCab dictionary: {reason}; run `cargo xtask provision` again", path.display())]
    DictionaryBroken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A benchmark's rows are not as they should be.
    #[error("{}: row {row}: {reason}", path.display())]
    Row {
        /// The benchmark file.
        path: PathBuf,
        /// Row in the file, from 1 (a line number in JSONL).
        row: usize,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A benchmark has no rows, or its files are not where they were looked for.
    #[error("{}: {reason}", path.display())]
    Benchmark {
        /// Folder or file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A benchmark cannot be fetched from the Hugging Face hub.
    #[error(
        "{repository}: cannot be fetched from the hub ({reason}); give the folder of its Parquet files with --data, or check the network, HF_ENDPOINT and, where it asks for a login, HF_TOKEN"
    )]
    Hub {
        /// The repository.
        repository: String,
        /// What went wrong.
        reason: String,
    },
    /// A table of the run cannot be read or written.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
    /// The chat API failed in a way that ends the run.
    #[error(transparent)]
    Chat(#[from] tsumugi_chat::Error),
    /// A configuration value makes no sense.
    #[error("configuration: {0}")]
    Config(String),
    /// A JSON file of this crate cannot be read.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A result file was written by a newer version.
    #[error("{}: results of version {found}, this program reads versions up to {known}; use a newer one", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// The runs to be compared do not answer the same questions.
    #[error("these runs cannot be compared: {0}")]
    Incomparable(String),
    /// The local model failed.
    #[cfg(feature = "local")]
    #[error(transparent)]
    Model(#[from] tsumugi_vlm::Error),
}

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

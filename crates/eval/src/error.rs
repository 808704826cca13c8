//! What can go wrong while evaluating.

use std::path::{Path, PathBuf};

/// The error of another crate that caused one of ours.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Errors of this crate. Failed judgements and unreadable replies of a judge are data, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A dictionary, a language pack or another resource of `tsumugi-text` cannot be used.
    #[error(transparent)]
    Text(#[from] tsumugi_text::Error),
    /// The page of a run or of a comparison could not be made.
    #[error(transparent)]
    Report(#[from] tsumugi_report::Error),
    /// A row of a benchmark file is invalid.
    #[error("{}: row {row}: {reason}", path.display())]
    Row {
        /// The benchmark file.
        path: PathBuf,
        /// Row in the file, from 1 (a line number in JSONL).
        row: usize,
        /// What is wrong, or what was expected.
        reason: String,
        /// The reader's or the system's error, where there was one.
        source: Option<Cause>,
    },
    /// A file is not of the format that its name or its use says.
    #[error("{}: not readable as {format}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The format that was expected.
        format: &'static str,
        /// The reader's error.
        source: Cause,
    },
    /// A file is a Git LFS pointer, as a clone without Git LFS leaves it.
    #[error("{} is a Git LFS pointer and not the file itself; run `git lfs install` and `git lfs pull` in its folder", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A benchmark has no questions, or questions that cannot be used.
    #[error("benchmark {benchmark}: {reason}")]
    Benchmark {
        /// The benchmark, or the folder of its files.
        benchmark: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// No benchmark of this name is registered, and there is no such file.
    #[error(
        "unknown benchmark {name:?}: registered are {known}, and there is no file or folder of this name"
    )]
    UnknownBenchmark {
        /// The name.
        name: String,
        /// The registered names.
        known: String,
    },
    /// No scorer of this name is registered.
    #[error("unknown metric {name:?}; registered are {known}")]
    UnknownScorer {
        /// The name.
        name: String,
        /// The registered names.
        known: String,
    },
    /// A scorer did not give one finite value for each answer.
    #[error("scorer {scorer}: {reason}")]
    Scorer {
        /// The scorer's name.
        scorer: String,
        /// What it did.
        reason: String,
    },
    /// A benchmark cannot be fetched from the Hugging Face hub.
    #[error(
        "cannot load the benchmark {benchmark} from the hub; `data` can name a folder with its Parquet files instead"
    )]
    Hub {
        /// The repository.
        benchmark: String,
        /// What went wrong.
        source: tsumugi_hub::Error,
    },
    /// A table of the run cannot be read or written.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
    /// The chat API failed in a way that ends the run.
    #[error(transparent)]
    Chat(#[from] tsumugi_chat::Error),
    /// A configuration value is invalid.
    #[error("configuration: {0}")]
    Config(String),
    /// A result file was written by a newer version.
    #[error("{}: results of version {found}, but this program reads versions up to {known}; use a newer one", path.display())]
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
    #[cfg(feature = "torch")]
    #[error(transparent)]
    Model(#[from] tsumugi_vlm::Error),
}

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn unreadable(path: &Path, format: &'static str, source: impl Into<Cause>) -> Self {
        if tsumugi_hub::is_lfs_pointer_file(path) {
            return Self::LfsPointer { path: path.to_owned() };
        }
        Self::Unreadable { path: path.to_owned(), format, source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;

    use crate::bench::read_questions;
    use crate::judge::Template;
    use crate::results::Results;

    #[test]
    fn each_cause_is_shown_once() -> Result<(), Box<dyn StdError>> {
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let image = r#"{"question": "q", "answer": "a", "image": "gone.png"}"#;
        for error in [
            read_questions(&[write("a.jsonl", "{")?]).err(),
            read_questions(&[write("b.jsonl", image)?]).err(),
            read_questions(&[write("c.parquet", "PAR")?]).err(),
            read_questions(&[folder.path().join("gone.parquet")]).err(),
            Template::read(&write("judge.toml", "user = 3")?).err(),
            Results::read(&write("results.json", "{}")?).err(),
        ] {
            let error = error.ok_or("it was read")?;
            let mut messages = vec![error.to_string()];
            let mut cause = error.source();
            while let Some(error) = cause {
                messages.push(error.to_string());
                cause = error.source();
            }
            assert!(messages.len() > 1, "{messages:?} has lost its cause");
            for pair in messages.windows(2) {
                assert!(!pair[0].contains(&pair[1]), "{messages:?}");
            }
        }
        Ok(())
    }
}

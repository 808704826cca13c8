//! What can stop a synthesis.

use std::path::{Path, PathBuf};

/// The error of another crate that caused one of ours.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What can stop a synthesis. A fault of one item or one reply is not an error but a row of the exclusion table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint cannot go on: see [`tsumugi_chat::Error::is_fatal`].
    #[error(transparent)]
    Chat(#[from] tsumugi_chat::Error),
    /// A language pack cannot be used.
    #[error(transparent)]
    Text(#[from] tsumugi_text::Error),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file has an invalid format.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
        /// The parser's error, where there was one.
        source: Option<Cause>,
    },
    /// A setting is invalid.
    #[error("{message}")]
    Config {
        /// What is wrong and what would be right.
        message: String,
    },
    /// All of the first replies to a task were dropped, so that nothing more is asked.
    #[error(
        "all of the first {replies} replies to task `{task}` were dropped ({reasons}). One that was dropped for `{reason}`: {example:?}. Replies so far are kept; look at the model, the prompts and the checks, or set `keep_going` to ask on"
    )]
    AllDropped {
        /// The task.
        task: crate::Task,
        /// How many replies that were.
        replies: usize,
        /// How many were dropped for which reason.
        reasons: String,
        /// Why the one that is shown was dropped.
        reason: String,
        /// The beginning of a reply, or what was found wrong where there is none.
        example: String,
    },
    /// A task of the asynchronous runtime panicked or was cancelled.
    #[error("a task ended early")]
    Task {
        /// The runtime's reason.
        source: tokio::task::JoinError,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, message: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), message: message.into(), source: None }
    }

    pub(crate) fn invalid(path: &Path, message: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Format { path: path.to_owned(), message: message.into(), source: Some(source.into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;

    /// The message of an error and those of its causes.
    fn messages(error: &dyn StdError) -> Vec<String> {
        let mut messages = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            messages.push(error.to_string());
            cause = error.source();
        }
        messages
    }

    #[test]
    fn each_cause_is_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.json");
        std::fs::write(&file, "{").unwrap();
        let pack = tsumugi_text::LanguagePack::embedded("en").unwrap();
        std::fs::write(folder.path().join("vqa.toml"), "version = 3").unwrap();
        for error in [
            crate::sources::coco(&file, None).unwrap_err(),
            crate::sources::instructions(&file).unwrap_err(),
            crate::sources::instructions(folder.path()).unwrap_err(),
            crate::TileRules::load(&file).unwrap_err(),
            crate::Prompt::load(crate::Task::Vqa, &pack, Some(folder.path())).unwrap_err(),
        ] {
            let messages = messages(&error);
            assert!(messages.len() > 1, "{messages:?} has lost its cause");
            for pair in messages.windows(2) {
                assert!(!pair[0].contains(&pair[1]), "{messages:?}");
            }
        }
    }
}

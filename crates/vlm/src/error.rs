//! What can go wrong.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of models and checkpoints. A cause is exposed by [`source`](std::error::Error::source) and not repeated in the
/// message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// LibTorch refused an operation.
    #[error("LibTorch refused an operation")]
    Torch(#[from] tch::TchError),
    /// A call to the C++ shim failed.
    #[error(transparent)]
    TorchExt(#[from] tsumugi_torch_ext::Error),
    /// A file could not be read or written.
    #[error("cannot read or write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
    /// A JSON file is malformed or lacks a key.
    #[error("cannot interpret {} as JSON of its kind", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The position and the cause.
        source: serde_json::Error,
    },
    /// A safetensors file is malformed or cannot be written.
    #[error("{} is not a valid safetensors file", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: safetensors::SafeTensorError,
    },
    /// No model can be built from a configuration.
    #[error("invalid configuration: {reason}")]
    Config {
        /// The value, and what is possible.
        reason: String,
    },
    /// No registered model family has this name.
    #[error("there is no model family named \"{name}\"; known: {}", known.join(", "))]
    UnknownFamily {
        /// The name asked for.
        name: String,
        /// The names of all registered families.
        known: Vec<String>,
    },
    /// A folder or file is not a usable checkpoint.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A file is a Git LFS pointer, as a clone without Git LFS leaves it.
    #[error(
        "{} is a Git LFS pointer and not the file itself; run `git lfs install` and `git lfs pull` in its folder, or name the hub's repository instead of the folder", path.display()
    )]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// Tensors of a checkpoint do not fit the model.
    #[error("{}: {}", path.display(), describe_misfit(missing, unexpected, misshapen))]
    Misfit {
        /// The file or folder.
        path: PathBuf,
        /// Parameters that the checkpoint lacks.
        missing: Vec<String>,
        /// Tensors that the model does not have.
        unexpected: Vec<String>,
        /// Name, expected shape, stored shape.
        misshapen: Vec<(String, Vec<i64>, Vec<i64>)>,
    },
    /// A parameter is missing.
    #[error("parameter {name} is missing")]
    MissingParameter {
        /// Its full name.
        name: String,
    },
    /// The numbers of image tokens and of image features differ.
    #[error("the batch has {places} image tokens but its images give {features} features")]
    ImageCount {
        /// Image tokens in the rows.
        places: i64,
        /// Feature vectors from the projector.
        features: i64,
    },
    /// The parts of a batch do not fit each other.
    #[error("invalid batch: {reason}")]
    Batch {
        /// What does not fit.
        reason: String,
    },
    /// An image could not be decoded.
    #[error("cannot decode image {index}")]
    Image {
        /// Its index among the images given, from 0.
        index: usize,
        /// The cause.
        source: tsumugi_images::Error,
    },
    /// A tokenizer lacks something.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// What is missing, and the remedy.
        reason: String,
    },
    /// The tokenizers library refused a file or a text.
    #[error("the tokenizer failed")]
    Tokenize(#[source] tokenizers::Error),
    /// A chat template does not compile or run.
    #[error("invalid chat template")]
    Template(#[from] minijinja::Error),
    /// A chat template raised an exception.
    #[error("the chat template refuses this conversation: {message}")]
    Refused {
        /// The template's own message.
        message: String,
    },
    /// A conversation cannot be expressed in a template.
    #[error("invalid conversation: {reason}")]
    Conversation {
        /// Why.
        reason: String,
    },
    /// A name is neither a folder nor that of a repository.
    #[error(
        "{name}: there is no such folder, and it is not the name of a hub's repository (owner/name or owner/name@revision)"
    )]
    NoFolder {
        /// The name.
        name: String,
    },
    /// A repository of the Hugging Face hub is not to be had.
    #[error(transparent)]
    Hub(#[from] tsumugi_hub::Error),
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn json(path: impl Into<PathBuf>) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.into();
        move |source| Self::Json { path, source }
    }

    pub(crate) fn safetensors(path: impl Into<PathBuf>) -> impl FnOnce(safetensors::SafeTensorError) -> Self {
        let path = path.into();
        move |source| Self::Safetensors { path, source }
    }

    /// The message followed by those of all causes, for places that keep a text only.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    pub(crate) fn conversation(reason: impl Into<String>) -> Self {
        Self::Conversation { reason: reason.into() }
    }

    /// An [`Error::Config`]: what model families answer to sizes that they do not support.
    pub fn config(reason: impl Into<String>) -> Self {
        Self::Config { reason: reason.into() }
    }
}

/// Names the first few of each kind, so that a wrong checkpoint gives one readable line.
fn describe_misfit(
    missing: &[String],
    unexpected: &[String],
    misshapen: &[(String, Vec<i64>, Vec<i64>)],
) -> String {
    const SHOWN: usize = 5;
    let mut parts = Vec::new();
    let mut list = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            let more = names.len().saturating_sub(SHOWN);
            let shown = names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
            let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
            parts.push(format!("{what} {shown}{tail}"));
        }
    };
    list("missing tensors:", missing.to_vec());
    list("unexpected tensors:", unexpected.to_vec());
    list(
        "tensors of another shape:",
        misshapen.iter().map(|(n, want, got)| format!("{n} (expected {want:?}, found {got:?})")).collect(),
    );
    parts.join("; ")
}

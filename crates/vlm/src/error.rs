//! What can go wrong.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with models and checkpoints.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// LibTorch refused an operation.
    #[error("LibTorch: {0}")]
    Torch(#[from] tch::TchError),
    /// A call of the shim below tch failed.
    #[error(transparent)]
    TorchExt(#[from] tsumugi_torch_ext::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A JSON file does not say what it should.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A configuration that no model can be built from.
    #[error("configuration: {reason}")]
    Config {
        /// Which value, and what is possible.
        reason: String,
    },
    /// A file that is not a readable checkpoint.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Tensors of a checkpoint do not fit the model.
    #[error("{}: {}", path.display(), describe_misfit(missing, unexpected, misshapen))]
    Misfit {
        /// The file or folder.
        path: PathBuf,
        /// Parameters the checkpoint lacks.
        missing: Vec<String>,
        /// Tensors the model has no place for.
        unexpected: Vec<String>,
        /// Name, shape expected, shape found.
        misshapen: Vec<(String, Vec<i64>, Vec<i64>)>,
    },
    /// A unit asked for a parameter it was not given.
    #[error("parameter {name} is missing")]
    MissingParameter {
        /// Its full name.
        name: String,
    },
    /// Features and places for them do not agree.
    #[error("the batch has {places} image tokens but the images give {features} features")]
    ImageCount {
        /// Image tokens in the rows.
        places: i64,
        /// Feature vectors from the projector.
        features: i64,
    },
    /// A batch whose parts do not fit each other.
    #[error("batch: {reason}")]
    Batch {
        /// What does not fit.
        reason: String,
    },
    /// A picture that cannot be decoded.
    #[error("image {index}: {reason}")]
    Image {
        /// Which of the pictures given.
        index: usize,
        /// Why.
        reason: String,
    },
    /// The tokenizer refused.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// Why.
        reason: String,
    },
    /// A chat template that does not compile or run.
    #[error("chat template: {0}")]
    Template(#[from] minijinja::Error),
    /// A conversation that a template cannot express.
    #[error("conversation: {reason}")]
    Conversation {
        /// Why.
        reason: String,
    },
    /// A model could not be fetched.
    #[error("{repo}: {reason}")]
    Hub {
        /// The repository.
        repo: String,
        /// Why.
        reason: String,
    },
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

    pub(crate) fn config(reason: impl Into<String>) -> Self {
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

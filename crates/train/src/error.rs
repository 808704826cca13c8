//! What can go wrong.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong while training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe that cannot be followed.
    #[error("recipe{}: {reason}", at(path))]
    Recipe {
        /// The recipe's file, where there is one.
        path: Option<PathBuf>,
        /// The key and what is wrong with it.
        reason: String,
    },
    /// The run page could not be written.
    #[error(transparent)]
    Report(#[from] tsumugi_report::Error),
    /// A name that no component is registered under.
    #[error("there is no {kind} named \"{name}\"; known: {}", known.join(", "))]
    UnknownComponent {
        /// What was looked for: `data source`, `callback`, ...
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The output folder belongs to another recipe.
    #[error("{}: holds a run of another recipe ({difference}); choose another folder for this one", path.display())]
    OtherRun {
        /// The output folder.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A data source that cannot be used at all.
    #[error("{}: {reason}", path.display())]
    Data {
        /// File or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A stage whose samples were all dropped.
    #[error("stage {stage}: no usable sample in {drawn} drawn ({reasons}); look at the data and at `length`")]
    NoSamples {
        /// The stage.
        stage: String,
        /// Samples drawn in vain.
        drawn: u64,
        /// Counts by reason.
        reasons: String,
    },
    /// The loss is not a number, or rose beyond the rule.
    #[error("stage {stage}, step {step}: {reason}")]
    Diverged {
        /// The stage.
        stage: String,
        /// The optimiser step, from 1.
        step: u64,
        /// What was seen and which rule stopped the run.
        reason: String,
    },
    /// A checkpoint of a run that cannot be continued.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// File or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
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
    /// A callback stopped the run.
    #[error("callback {name}: {reason}")]
    Callback {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A table could not be read.
    #[error(transparent)]
    Record(#[from] tsumugi_record::Error),
    /// The model could not be built, run or written.
    #[error(transparent)]
    Model(#[from] tsumugi_vlm::Error),
    /// The shim below tch refused.
    #[error(transparent)]
    TorchExt(#[from] tsumugi_torch_ext::Error),
    /// LibTorch refused an operation.
    #[error("LibTorch: {0}")]
    Torch(#[from] tch::TchError),
}

impl Error {
    /// True where the user's flags or recipe are at fault (exit code 2), false where the run failed (exit code 1).
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Recipe { .. } | Self::UnknownComponent { .. } | Self::OtherRun { .. })
    }

    /// A recipe error without a file, as values built in code give.
    pub fn recipe(reason: impl Into<String>) -> Self {
        Self::Recipe { path: None, reason: reason.into() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn json(path: impl Into<PathBuf>) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.into();
        move |source| Self::Json { path, source }
    }
}

fn at(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|p| format!(" {}", p.display())).unwrap_or_default()
}

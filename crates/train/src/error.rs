//! What can go wrong.

use std::path::PathBuf;

use crate::divergence::Divergence;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of training. A cause is exposed by [`source`](std::error::Error::source) and not repeated in the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe asks for something impossible.
    #[error("recipe{}: {reason}", at(path))]
    Recipe {
        /// The recipe's file, if it has one.
        path: Option<PathBuf>,
        /// The key and what is wrong with it.
        reason: String,
    },
    /// A recipe is not valid TOML, or has an unknown key or a value of the wrong type.
    #[error("cannot read the recipe{}", at(path))]
    RecipeToml {
        /// The recipe's file, if it has one.
        path: Option<PathBuf>,
        /// The position and the cause.
        source: Box<toml::de::Error>,
    },
    /// A recipe's file could not be read.
    #[error("cannot read the recipe {}", path.display())]
    RecipeFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A recipe has a value that TOML cannot express.
    #[error("cannot write the recipe as TOML")]
    RecipeValue(#[source] Box<toml::ser::Error>),
    /// The run page could not be written.
    #[error(transparent)]
    Report(#[from] tsumugi_report::Error),
    /// No component is registered under a name.
    #[error("there is no {kind} named \"{name}\"; known: {}", known.join(", "))]
    UnknownComponent {
        /// The kind of component: `data source`, `callback`, ...
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// All registered names.
        known: Vec<String>,
    },
    /// A key of the recipe names something that cannot be used. This is found before anything is trained.
    #[error("{}{key} cannot be used", of_stage(stage))]
    Unusable {
        /// The stage, if the key is one of a stage.
        stage: Option<String>,
        /// The key, such as `data.0` or `model.checkpoint`.
        key: String,
        /// What is wrong.
        source: Box<Error>,
    },
    /// The output folder belongs to a run of another recipe.
    #[error(
        "{}: holds a run of another recipe ({difference}); choose another folder, or delete the folders of the stages to be trained anew",
        path.display()
    )]
    OtherRun {
        /// The output folder.
        path: PathBuf,
        /// The difference.
        difference: String,
    },
    /// A data source cannot be used.
    #[error("{}: {reason}", path.display())]
    Data {
        /// File or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// All samples of a stage were dropped.
    #[error("stage {stage}: none of {drawn} rows is usable ({reasons}); check the data and `length`")]
    NoSamples {
        /// The stage.
        stage: String,
        /// Rows drawn.
        drawn: u64,
        /// Counts by reason.
        reasons: String,
    },
    /// A sample is longer than a row, and the stage refuses such samples.
    #[error(
        "stage {stage}: sample {id} of {source_name} has {tokens} tokens and `length` is {length}; raise `length`, or set `too_long` to drop or cut"
    )]
    TooLong {
        /// The stage.
        stage: String,
        /// Name of the data source.
        source_name: String,
        /// Identifier of the sample.
        id: String,
        /// Its tokens, including features of images.
        tokens: usize,
        /// Maximum tokens of a row.
        length: usize,
    },
    /// The loss or weights are not finite, or the loss rose beyond the loss rules.
    #[error("stage {stage}, step {step}: {divergence}")]
    Diverged {
        /// The stage.
        stage: String,
        /// The optimiser step, from 1.
        step: u64,
        /// What was observed, the rule that stopped the run, and the remedy.
        divergence: Divergence,
    },
    /// A checkpoint cannot be resumed from.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// File or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot read or write {}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start threads that load data")]
    Threads(#[source] std::io::Error),
    /// A JSON file is malformed or lacks a key.
    #[error("cannot interpret {} as JSON of its kind", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The position and the cause.
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
    /// A call to the C++ shim failed.
    #[error(transparent)]
    TorchExt(#[from] tsumugi_torch_ext::Error),
    /// LibTorch refused an operation.
    #[error("LibTorch refused an operation")]
    Torch(#[from] tch::TchError),
}

impl Error {
    /// True if the configuration, the recipe or what it names is at fault, false if the run failed.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Recipe { .. }
                | Self::RecipeToml { .. }
                | Self::RecipeFile { .. }
                | Self::RecipeValue(_)
                | Self::UnknownComponent { .. }
                | Self::OtherRun { .. }
                | Self::NoSamples { .. }
                | Self::Unusable { .. }
        )
    }

    /// A recipe error without a file, for recipes built in code.
    pub fn recipe(reason: impl Into<String>) -> Self {
        Self::Recipe { path: None, reason: reason.into() }
    }

    /// What is wrong with a key of a stage, or of the whole recipe.
    pub(crate) fn unusable(stage: Option<&str>, key: &str) -> impl FnOnce(Self) -> Self + use<> {
        let (stage, key) = (stage.map(str::to_owned), key.to_owned());
        move |error| match error {
            // A hub that does not answer now may answer later.
            error @ Self::Model(tsumugi_vlm::Error::Hub(tsumugi_vlm::hub::Error::Unreachable { .. })) => {
                error
            }
            source => Self::Unusable { stage, key, source: Box::new(source) },
        }
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

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn json(path: impl Into<PathBuf>) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.into();
        move |source| Self::Json { path, source }
    }

    pub(crate) fn recipe_toml(source: toml::de::Error) -> Self {
        Self::RecipeToml { path: None, source: Box::new(source) }
    }

    /// The same error of a recipe in a file.
    pub(crate) fn in_file(self, file: &std::path::Path) -> Self {
        let path = Some(file.to_owned());
        match self {
            Self::Recipe { reason, .. } => Self::Recipe { path, reason },
            Self::RecipeToml { source, .. } => Self::RecipeToml { path, source },
            other => other,
        }
    }
}

fn of_stage(stage: &Option<String>) -> String {
    stage.as_ref().map(|name| format!("stage {name}: ")).unwrap_or_default()
}

fn at(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|p| format!(" {}", p.display())).unwrap_or_default()
}

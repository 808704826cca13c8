//! What commands and steps share: their group, their settings, and what a run has besides them.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Progress;

/// The part of a project that a command serves; `--help` lists commands by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// From archives to pairs and interleaved documents.
    Data,
    /// Instruction data.
    Instructions,
    /// Training and what is done with a checkpoint.
    Training,
    /// Benchmarks and scores.
    Evaluation,
    /// Looking at data, and whole runs.
    Tools,
}

impl Group {
    /// All groups, in the order of `--help`.
    pub const ALL: [Group; 5] =
        [Group::Data, Group::Instructions, Group::Training, Group::Evaluation, Group::Tools];

    /// The heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Group::Data => "Data",
            Group::Instructions => "Instructions",
            Group::Training => "Training",
            Group::Evaluation => "Evaluation",
            Group::Tools => "Tools",
        }
    }
}

/// Bytes of keys that a comparison holds at a time unless it is told otherwise.
const MEMORY: u64 = 4 << 30;

/// What a run has besides its settings: how it shows progress, whether it accepts empty tables, and how much memory
/// comparisons take. Nothing in it changes a result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Context {
    /// Progress bars and lines.
    pub progress: Progress,
    /// Whether a step may read a table without rows. Such a table mostly says that the step before it was set up wrongly.
    pub allow_empty: bool,
    /// Bytes of keys that a comparison of all rows holds at a time (4 GiB). What is above is sorted on disk, in the step's
    /// output folder.
    pub memory: u64,
}

impl Default for Context {
    fn default() -> Context {
        Context { progress: Progress::default(), allow_empty: false, memory: MEMORY }
    }
}

impl Context {
    /// A context that shows progress on standard error.
    pub fn new() -> Context {
        Context::default()
    }

    /// A context that shows nothing, for tests.
    pub fn hidden() -> Context {
        Context { progress: Progress::hidden(), ..Context::default() }
    }

    /// The context in which empty tables are accepted, or not.
    #[must_use]
    pub fn with_allow_empty(mut self, allow_empty: bool) -> Context {
        self.allow_empty = allow_empty;
        self
    }

    /// The context in which comparisons hold at most so many bytes of keys at a time.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Context {
        self.memory = bytes;
        self
    }

    /// The context with this progress.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Context {
        self.progress = progress;
        self
    }
}

/// The settings of a command. Every field has a default and a description; a description says the meaning, the unit and
/// the source of the default, since `--help`, `--print-config` and the documentation are made from it.
///
/// The schema of a field may carry these extensions (`#[schemars(extend("x-role" = "input"))]`):
/// - `x-role`: `input` for a folder or file that a step reads, whose content the step declares to [`Inputs`](crate::runner::Inputs);
///   `output` for the folder that it writes; `operation` for what changes no result. None of them is part of what tells
///   one run from another;
/// - `x-flag`: the name of the command-line flag where it differs from the field's;
/// - `x-required`: the default is of no use, so an empty value is refused;
/// - `x-bare`: the value that the flag alone stands for;
/// - `x-positional`: the field is given without a flag;
/// - `x-value-name`: what stands for the value in `--help`;
/// - `x-env`: an environment variable that gives the value where no flag does.
///
/// The extension `x-flags` of the whole schema gives flags to nested settings (`"contact": "http.contact"`; `"retry":
/// "http.retries?3"` where the flag alone stands for 3) and makes switches that set a value (`"mask-strict": "mask=strict"`).
pub trait Settings:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static> Settings for T {}

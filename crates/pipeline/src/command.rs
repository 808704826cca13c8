//! What the binary's subcommands have in common: a name, documented settings, and a run that ends with one JSON object.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::runner::{self, Step};
use crate::{Error, Progress};

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

/// What a run has besides its settings: how it shows progress. Nothing in it changes a result.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Context {
    /// Progress bars and lines.
    pub progress: Progress,
}

impl Context {
    /// A context that shows progress on standard error.
    pub fn new() -> Context {
        Context::default()
    }

    /// A context that shows nothing, for tests.
    pub fn hidden() -> Context {
        Context { progress: Progress::hidden() }
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
/// - `x-role`: `input` for a folder or file that a step reads, whose content the step declares to [`runner::Inputs`];
///   `output` for the folder that it writes; `operation` for what changes no result. None of them is part of what tells
///   one run from another;
/// - `x-flag`: the name of the command-line flag where it differs from the field's;
/// - `x-required`: the default is of no use, so an empty value is refused;
/// - `x-bare`: the value that the flag alone stands for;
/// - `x-positional`: the field is given without a flag;
/// - `x-value-name`: what stands for the value in `--help`;
/// - `x-env`: an environment variable that gives the value where no flag does.
///
/// The extension `x-flags` of the whole schema gives flags to nested settings (`"contact": "http.contact"`) and makes switches
/// that set a value (`"mask-strict": "mask=strict"`).
pub trait Settings:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static> Settings for T {}

/// A subcommand as the binary sees it.
pub trait Command: Send + Sync {
    /// Name of the subcommand.
    fn name(&self) -> &'static str;

    /// The group that it is listed in.
    fn group(&self) -> Group;

    /// What it does, in one line.
    fn about(&self) -> &'static str;

    /// The schema of its settings, with the description of each.
    fn schema(&self) -> Schema;

    /// Its settings with every default.
    fn defaults(&self) -> Value;

    /// Runs it with settings that may leave out what has a default. The result is the last line of standard output, or
    /// null where the command has written all its output itself.
    ///
    /// # Errors
    /// Where a setting is unknown or wrong, or the command fails.
    fn run(&self, settings: Value, context: &Context) -> Result<Value, Error>;

    /// Runs one map phase for some shards, for a driver in another process (see [`runner::work`]).
    ///
    /// # Errors
    /// Where the command has no such phase, or it fails.
    fn work(
        &self,
        phase: &str,
        settings: Value,
        shards: &mut dyn Iterator<Item = usize>,
        done: &mut dyn FnMut(runner::Finished),
        context: &Context,
    ) -> Result<(), Error>;
}

/// A command that is no step: it reads and prints, or drives steps.
pub trait Tool: Send + Sync + 'static {
    /// Name of the subcommand.
    const NAME: &'static str;
    /// The group that it is listed in.
    const GROUP: Group;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// Its settings.
    type Settings: Settings;

    /// Runs the command; the result is as that of [`Command::run`].
    ///
    /// # Errors
    /// Where a setting is wrong or the command fails.
    fn run(settings: Self::Settings, context: &Context) -> Result<Value, Error>;
}

/// A [`Step`] as a subcommand.
pub struct StepCommand<S>(PhantomData<fn() -> S>);

impl<S> StepCommand<S> {
    /// The command of the step.
    pub const COMMAND: StepCommand<S> = StepCommand(PhantomData);
}

/// A [`Tool`] as a subcommand.
pub struct ToolCommand<T>(PhantomData<fn() -> T>);

impl<T> ToolCommand<T> {
    /// The command of the tool.
    pub const COMMAND: ToolCommand<T> = ToolCommand(PhantomData);
}

impl<S: Step> Command for StepCommand<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }
    fn group(&self) -> Group {
        S::GROUP
    }
    fn about(&self) -> &'static str {
        S::ABOUT
    }
    fn schema(&self) -> Schema {
        schemars::schema_for!(S::Settings)
    }
    fn defaults(&self) -> Value {
        serde_json::to_value(S::Settings::default()).unwrap_or_default()
    }
    fn run(&self, settings: Value, context: &Context) -> Result<Value, Error> {
        let summary = runner::run::<S>(parse(S::NAME, settings)?, context)?;
        serde_json::to_value(summary).map_err(Error::step(S::NAME, "summary"))
    }
    fn work(
        &self,
        phase: &str,
        settings: Value,
        shards: &mut dyn Iterator<Item = usize>,
        done: &mut dyn FnMut(runner::Finished),
        context: &Context,
    ) -> Result<(), Error> {
        runner::work::<S>(phase, parse(S::NAME, settings)?, shards, done, context)
    }
}

impl<T: Tool> Command for ToolCommand<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }
    fn group(&self) -> Group {
        T::GROUP
    }
    fn about(&self) -> &'static str {
        T::ABOUT
    }
    fn schema(&self) -> Schema {
        schemars::schema_for!(T::Settings)
    }
    fn defaults(&self) -> Value {
        serde_json::to_value(T::Settings::default()).unwrap_or_default()
    }
    fn run(&self, settings: Value, context: &Context) -> Result<Value, Error> {
        T::run(parse(T::NAME, settings)?, context)
    }
    fn work(
        &self,
        phase: &str,
        _: Value,
        _: &mut dyn Iterator<Item = usize>,
        _: &mut dyn FnMut(runner::Finished),
        _: &Context,
    ) -> Result<(), Error> {
        Err(Error::NoPhase { step: T::NAME, phase: phase.to_owned(), phases: String::new() })
    }
}

/// Reads settings; a wrong key or value is an error of the configuration.
fn parse<S: Settings>(command: &'static str, settings: Value) -> Result<S, Error> {
    serde_json::from_value(settings).map_err(|source| Error::Settings { command, source })
}

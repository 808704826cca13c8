//! What the binary's subcommands have in common: a name, documented settings, and a run that ends with one JSON object.

use std::marker::PhantomData;

use schemars::Schema;
use serde_json::Value;

use crate::Error;
use crate::context::{Context, Group, Settings};
use crate::runner::{self, Step};

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

    /// The settings with what they name by a word spelt out, such as the values of a recipe: what `--print-config` shows.
    ///
    /// # Errors
    /// Where a setting is unknown or wrong.
    fn resolve(&self, settings: Value) -> Result<Value, Error>;

    /// A file that the settings name, whose keys `--print-config` explains too.
    ///
    /// # Errors
    /// Where the settings name a file that cannot be read.
    fn file(&self, _settings: &Value) -> Result<Option<ExplainedFile>, Error> {
        Ok(None)
    }

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

/// A file with keys of its own that a command reads.
pub struct ExplainedFile {
    /// What it is, as a sentence.
    pub about: &'static str,
    /// The schema of its keys, with the description of each.
    pub schema: Schema,
    /// Its values, with every default.
    pub values: Value,
}

/// A command that is not a step: it reads and prints, or drives steps.
pub trait Tool: Send + Sync + 'static {
    /// Name of the subcommand.
    const NAME: &'static str;
    /// The group that it is listed in.
    const GROUP: Group;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// Its settings.
    type Settings: Settings;

    /// As [`Command::file`].
    ///
    /// # Errors
    /// As [`Command::file`].
    fn file(_settings: Self::Settings) -> Result<Option<ExplainedFile>, Error> {
        Ok(None)
    }

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
    fn resolve(&self, settings: Value) -> Result<Value, Error> {
        let resolved = S::resolve(parse(S::NAME, settings)?)?;
        serde_json::to_value(resolved).map_err(Error::step(S::NAME, "settings"))
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
    fn resolve(&self, settings: Value) -> Result<Value, Error> {
        Ok(settings)
    }
    fn file(&self, settings: &Value) -> Result<Option<ExplainedFile>, Error> {
        T::file(parse(T::NAME, settings.clone())?)
    }
    fn run(&self, settings: Value, context: &Context) -> Result<Value, Error> {
        runner::refuse_overwrite(&settings)?;
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

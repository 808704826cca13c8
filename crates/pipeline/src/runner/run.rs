//! Runs steps.

use serde_json::{Map, Value};

use super::compare::compare;
use super::folder::{Opened, OutputFolder, Summary, treat_shard, unfinished};
use super::inputs::Inputs;
use super::lookup::{LookupTable, look_up};
use super::places::refuse_overwrite;
use super::step::{Phase, Step, Work};
use crate::Error;
use crate::context::{Context, Settings};

/// Runs a step, or goes on with a run that was stopped. A run that has finished is not done again.
///
/// # Errors
/// Where a setting is wrong, an input is missing, the output folder holds another run, or the step fails.
pub fn run<S: Step>(settings: S::Settings, context: &Context) -> Result<Summary, Error> {
    // Before the inputs are hashed, which may take long.
    check_places::<S>(&settings)?;
    let mut inputs = Inputs::of(context);
    let step = S::open(settings.clone(), &mut inputs, context)?;
    run_checked(&step, &settings, inputs, context)
}

/// Runs a step that the caller has opened, for example with a scorer of its own.
///
/// # Errors
/// As [`run`].
pub fn run_opened<S: Step>(
    step: &S,
    settings: &S::Settings,
    inputs: Inputs,
    context: &Context,
) -> Result<Summary, Error> {
    check_places::<S>(settings)?;
    run_checked(step, settings, inputs, context)
}

fn check_places<S: Step>(settings: &S::Settings) -> Result<(), Error> {
    refuse_overwrite(&serde_json::to_value(settings).map_err(Error::step(S::NAME, "settings"))?)
}

fn run_checked<S: Step>(
    step: &S,
    settings: &S::Settings,
    inputs: Inputs,
    context: &Context,
) -> Result<Summary, Error> {
    let config = identity::<S>(settings, &inputs)?;
    let out = S::out(settings);
    if out.as_os_str().is_empty() {
        return Err(Error::config("out", "is empty; give the output folder"));
    }
    let work = Work::new(out, context);
    let mut summary = match OutputFolder::open(S::NAME, out, &config, inputs.hashes)? {
        Opened::Finished(summary) => summary,
        Opened::Work(folder) => run_phases(step, &work, folder)?,
    };
    step.conclude(&work, &mut summary)?;
    Ok(summary)
}

fn run_phases<S: Step>(step: &S, work: &Work, folder: OutputFolder) -> Result<Summary, Error> {
    for phase in step.phases() {
        match phase {
            Phase::Map { name, shards, treat } => {
                let numbers: Vec<usize> = (0..shards(step, work)?).collect();
                folder.phase(name, &numbers, &work.progress, |_, shard, outputs| {
                    treat(step, work, *shard, outputs)
                })?;
            }
            Phase::Compare { name, keys, shards, rules } => {
                compare(work, name, keys, shards(step, work)?, &rules(step))?;
            }
            Phase::Lookup { name, wanted, links, contents, columns } => {
                let counted =
                    |table: LookupTable<S>| Ok::<_, Error>((table.keys, (table.shards)(step, work)?));
                let tables = [counted(wanted)?, counted(links)?, counted(contents)?];
                look_up(work, name, tables, columns)?;
            }
        }
    }
    folder.finish()
}

/// A shard that [`work`] has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Number of the shard.
    pub shard: usize,
    /// Rows of all files of the shard.
    pub rows: u64,
    /// SHA-256 of its only file, or of the hashes of its files, in hex.
    pub sha256: String,
}

/// Runs one map phase for the shards that come in, from the settings alone: what a worker in another process does. The
/// phases before it must be done, and the driver holds the output folder and finishes the step. A shard that is treated twice
/// gives the same files.
///
/// # Errors
/// Where the step has no such phase, or as [`run`].
pub fn work<S: Step>(
    phase: &str,
    settings: S::Settings,
    shards: &mut dyn Iterator<Item = usize>,
    done: &mut dyn FnMut(Finished),
    context: &Context,
) -> Result<(), Error> {
    let step = S::open(settings.clone(), &mut Inputs::of_worker(), context)?;
    let phases = step.phases();
    let found = phases.iter().find_map(|found| match found {
        Phase::Map { name, treat, .. } if *name == phase => Some((*name, *treat)),
        _ => None,
    });
    let Some((name, treat)) = found else {
        let maps = phases.iter().filter(|phase| matches!(phase, Phase::Map { .. }));
        let phases = maps.map(Phase::name).collect::<Vec<_>>().join(", ");
        return Err(Error::NoPhase { step: S::NAME, phase: phase.to_owned(), phases });
    };
    let work = Work::new(S::out(&settings), context);
    let mut left = Vec::new();
    for shard in shards {
        let treated = treat_shard(&work.out, name, shard, |outputs| treat(&step, &work, shard, outputs))?;
        if treated.unfinished.is_some() {
            left.push(treated);
            continue;
        }
        let rows = treated.marker.files.iter().map(|file| file.rows).sum();
        done(Finished { shard, rows, sha256: treated.marker.hash() });
    }
    unfinished(S::NAME, name, &left)
}

/// What tells one run from another: the settings, without the places of inputs and outputs and what changes no result, and
/// the values that inputs were resolved to.
fn identity<S: Step>(settings: &S::Settings, inputs: &Inputs) -> Result<Value, Error> {
    let value = serde_json::to_value(settings).map_err(Error::step(S::NAME, "settings"))?;
    let Value::Object(mut config) = value else { return Ok(value) };
    let roles = roles::<S::Settings>();
    for (key, role) in &roles {
        let Some(value) = config.remove(key) else { continue };
        let is_given = !matches!(&value, Value::Null) && value != "" && value != Value::Array(Vec::new());
        if role == "input" && is_given && !inputs.declared.contains(key) {
            return Err(Error::UndeclaredInput { step: S::NAME, key: key.clone() });
        }
    }
    config.extend(inputs.resolved.clone());
    Ok(Value::Object(config))
}

/// The settings that have a role, and which.
fn roles<T: Settings>() -> Vec<(String, String)> {
    let schema = schemars::schema_for!(T);
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let role = |(key, of): (&String, &Value)| Some((key.clone(), of.get("x-role")?.as_str()?.to_owned()));
    properties.iter().filter_map(role).collect()
}

//! A step as a value: its settings, its inputs, and its phases.

use std::path::{Path, PathBuf};

use tsumugi_record::{Record, shard_name};

use super::folder::Summary;
use super::inputs::Inputs;
use super::lookup::{LookupColumns, LookupTable};
use super::outputs::Outputs;
use super::rules::{Keys, Rule};
use crate::context::{Context, Group, Settings};
use crate::{Error, Progress};

/// A step of the pipeline: reads tables and files, and writes tables into a folder of its own.
///
/// A step describes itself by its settings, the inputs that it declares when it is opened, and its phases. The runner does
/// the rest: it tells one run from another, resumes, counts, and treats shards in parallel or in other processes.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use std::path::{Path, PathBuf};
/// use tsumugi_pipeline::runner::{self, Inputs, Outputs, Phase, Stage, Step, Work};
/// use tsumugi_pipeline::{Context, Error, Group};
/// use tsumugi_record::Excluded;
///
/// /// Settings of the step.
/// #[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// struct Even {
///     /// Output folder.
///     #[schemars(extend("x-role" = "output"))]
///     out: PathBuf,
///     /// Numbers to treat, one shard each.
///     numbers: Vec<u64>,
/// }
///
/// struct DropEven(Even);
///
/// const NUMBERS: Stage = Stage { name: "numbers", unit: "numbers" };
///
/// impl Step for DropEven {
///     const NAME: &'static str = "drop_even";
///     const GROUP: Group = Group::Tools;
///     const ABOUT: &'static str = "Drops even numbers";
///     type Settings = Even;
///
///     fn out(settings: &Even) -> &Path {
///         &settings.out
///     }
///     fn open(settings: Even, _: &mut Inputs, _: &Context) -> Result<DropEven, Error> {
///         Ok(DropEven(settings))
///     }
///     fn phases(&self) -> Vec<Phase<DropEven>> {
///         vec![Phase::map("numbers", |step, _| Ok(step.0.numbers.len()), DropEven::shard)]
///     }
/// }
///
/// impl DropEven {
///     fn shard(&self, _: &Work, shard: usize, outputs: &mut Outputs) -> Result<(), Error> {
///         outputs.begin::<Excluded>("excluded")?;
///         let number = self.0.numbers[shard];
///         if number % 2 == 1 {
///             outputs.pass(NUMBERS);
///             return Ok(());
///         }
///         let row = Excluded { id: number.to_string(), reason: "even".into(), ..Excluded::default() };
///         outputs.exclude(NUMBERS, row)
///     }
/// }
///
/// let out = tempfile::tempdir()?;
/// let settings = Even { out: out.path().into(), numbers: vec![1, 2, 4] };
/// let summary = runner::run::<DropEven>(settings, &Context::hidden())?;
/// assert_eq!(summary.rows["excluded"], 2);
/// assert_eq!(summary.funnel.stages[0].dropped["even"], 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Step: Sized + Send + Sync + 'static {
    /// Name of the step and of its subcommand.
    const NAME: &'static str;
    /// The group that `--help` lists it in.
    const GROUP: Group;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// Its settings.
    type Settings: Settings;

    /// The output folder that settings name.
    fn out(settings: &Self::Settings) -> &Path;

    /// The settings with what they name by a word spelt out, such as the values of a recipe, so that they can be looked at and
    /// changed. They give the same run.
    ///
    /// # Errors
    /// Where a word names nothing.
    fn resolve(settings: Self::Settings) -> Result<Self::Settings, Error> {
        Ok(settings)
    }

    /// Checks the settings and declares the inputs. What takes long (reading whole tables, loading models) may wait until a
    /// phase needs it.
    ///
    /// # Errors
    /// Where a setting is wrong or an input is missing.
    fn open(settings: Self::Settings, inputs: &mut Inputs, context: &Context) -> Result<Self, Error>;

    /// The phases, in the order in which they run.
    fn phases(&self) -> Vec<Phase<Self>>;

    /// Runs when the step is complete, also where an earlier run has completed it. Makes what follows from the tables alone,
    /// such as a report, and adds to the summary. Doing so again must give the same.
    ///
    /// # Errors
    /// Where the tables cannot be read, or their contents are of no use to anyone.
    fn conclude(&self, work: &Work, summary: &mut Summary) -> Result<(), Error> {
        let _ = (work, summary);
        Ok(())
    }
}

/// How many shards a phase has. It runs before the shards do, alone: it may read what earlier phases left in the output
/// folder, and make what all shards need.
pub type Shards<S> = fn(&S, &Work) -> Result<usize, Error>;
/// How a map phase treats a shard. It must give the same bytes every time, in any process.
pub type Treat<S> = fn(&S, &Work, usize, &mut Outputs) -> Result<(), Error>;
/// The rules of a compare phase.
pub type Rules<S> = fn(&S) -> Vec<Rule>;

/// A part of a step.
#[non_exhaustive]
pub enum Phase<S> {
    /// Treats each shard by itself.
    Map {
        /// Name, unique in the step.
        name: &'static str,
        /// Number of shards.
        shards: Shards<S>,
        /// Treats one.
        treat: Treat<S>,
    },
    /// Compares rows of all shards by key columns that an earlier phase wrote, and leaves a verdict on each row (see
    /// [`Work::verdicts`]).
    Compare {
        /// Name, unique in the step.
        name: &'static str,
        /// Where the keys are: a folder inside the output folder, and the kind of their table.
        keys: Keys,
        /// Number of shards.
        shards: Shards<S>,
        /// What drops a row, in order.
        rules: Rules<S>,
    },
    /// Looks up keys that an earlier phase wrote in tables that earlier phases wrote, and leaves what it finds for each shard
    /// (see [`Work::found`]).
    Lookup {
        /// Name, unique in the step.
        name: &'static str,
        /// The keys that are looked up.
        wanted: LookupTable<S>,
        /// Which content a key leads to.
        links: LookupTable<S>,
        /// The contents.
        contents: LookupTable<S>,
        /// The columns of the tables.
        columns: LookupColumns,
    },
}

impl<S> Phase<S> {
    /// A map phase.
    pub fn map(name: &'static str, shards: Shards<S>, treat: Treat<S>) -> Phase<S> {
        Phase::Map { name, shards, treat }
    }

    /// A compare phase over the keys in table `K` of a folder inside the output folder.
    pub fn compare<K: Record>(
        name: &'static str,
        folder: &'static str,
        shards: Shards<S>,
        rules: Rules<S>,
    ) -> Phase<S> {
        Phase::Compare { name, keys: Keys { folder, kind: K::KIND }, shards, rules }
    }

    /// Name of the phase.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Map { name, .. } | Phase::Compare { name, .. } | Phase::Lookup { name, .. } => name,
        }
    }
}

/// Where a phase works.
#[derive(Debug, Clone)]
pub struct Work {
    pub(super) out: PathBuf,
    pub(super) progress: Progress,
    /// Bytes of keys that a comparison holds at a time.
    pub(super) memory: u64,
}

impl Work {
    pub(super) fn new(out: &Path, context: &Context) -> Work {
        Work { out: out.to_owned(), progress: context.progress.clone(), memory: context.memory }
    }

    /// The output folder.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Progress bars and lines.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A shard that an earlier phase of the step wrote.
    pub fn shard<R: Record>(&self, folder: &str, number: usize) -> PathBuf {
        self.out.join(folder).join(shard_name(R::KIND, number))
    }
}

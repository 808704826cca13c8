//! The step runner: shards, markers, resume, manifest.
//!
//! A [`Step`] owns an output folder and runs in [`Phase`]s; a map phase treats shards, each by itself. The files of a shard are
//! written under temporary names and renamed; then a *marker* with their hashes and counts is written, atomically. A
//! shard that has a marker is not treated again, so a step that was killed goes on where it stopped, and because a
//! shard's files are a function of its input alone, the end is the same to the byte. When the last phase is done the
//! markers are merged into `manifest.json` and removed together with all that is intermediate (names that begin with
//! an underscore). A later step reads only folders that have a manifest.
//!
//! What tells one run from another are the settings of the step, without the places of its inputs and outputs, and the hashes
//! of what its inputs hold. A run with other settings or other input refuses the folder.

mod compare;
mod folder;
mod hash;
mod input;
mod inputs;
mod lookup;
mod outputs;
mod places;
mod rules;
mod run;
mod step;

pub use compare::Verdict;
pub use folder::{Opened, OutputFolder, Summary};
#[cfg(feature = "data")]
pub(crate) use hash::folder_hash;
pub use hash::{content_hash, order_key};
pub use input::{InputTable, each_row, input_table};
pub use inputs::Inputs;
pub use lookup::{FoundContent, LookupColumns, LookupTable};
pub use outputs::Outputs;
pub use places::refuse_overwrite;
pub use rules::{Keys, Rule, Stage};
pub use run::{Finished, run, run_opened, work};
pub use step::{Phase, Rules, Shards, Step, Treat, Work};

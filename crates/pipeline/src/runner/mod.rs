//! The step runner: shards, markers, resume, manifest.
//!
//! A step owns an output folder. It runs in *phases*; a phase treats shards, each on its own. The files of a shard are
//! written under temporary names and renamed; then a *marker* with their hashes and counts is written, atomically. A
//! shard whose marker stands is not treated again, so a step that was killed goes on where it stopped, and because a
//! shard's files are a function of its input alone, the end is the same to the byte. When the last phase is done the
//! markers are merged into `manifest.json` and removed together with all that is intermediate (names that begin with
//! an underscore). A later step reads only folders that have a manifest.

mod input;
mod outputs;
mod step;

pub use input::{InputTable, each_row, file_identity, input_table};
pub use outputs::Outputs;
pub use step::{Opened, Step, Summary};

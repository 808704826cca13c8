//! The VILA trainer: stages, mixtures, packing, optimiser, checkpoints, callbacks.
#![forbid(unsafe_code)]

pub mod callback;
mod checkpoint;
pub mod collate;
pub mod collective;
pub mod data;
pub mod engine;
mod error;
pub mod loader;
pub mod lower;
pub mod metrics;
pub mod objective;
pub mod prepare;
mod progress;
pub mod recipe;
mod registry;
mod run;
mod sample;
pub mod schedule;
mod stage;
mod start;
mod summary;
pub mod watch;

pub use callback::{Callback, Look, Wish};
pub use checkpoint::{Checkpoints, StageState};
pub use error::{Error, Result};
pub use objective::{Objective, SampleMean, TokenMean};
pub use progress::Progress;
pub use recipe::Recipe;
pub use registry::{Registry, SourceRequest};
pub use run::{Trainer, train};
pub use sample::{Drawn, Part, Sample};
pub use summary::{StageSummary, Summary, read_metrics};

//! The VILA trainer: stages, mixtures, packing, optimiser, checkpoints, callbacks.
//!
//! A run is a [`Recipe`]: the initial model, the tokenizer, and stages, each with its data mixture, trained parameters,
//! optimiser, schedule and duration. [`train`] follows it. Killed at any moment and started again, it resumes and gives the
//! same bytes.
//!
//! ```text
//! DataSource --+
//! DataSource --+-> Mixture -> Preparer -> Collator -> steps -> Engine (units, flat buffers) -> AdamW
//! DataSource --+   a function of the seed  packed, padded       |            Objective          MetricSink, Callback
//! ```
//!
//! Everything with a capital letter above can be replaced: put your own [`data::DataSource`], [`collate::Collator`],
//! [`Objective`], [`Callback`], [`metrics::MetricSink`] or [`ModelFamily`](tsumugi_vlm::ModelFamily) into a [`Registry`] and
//! name it in the recipe.
//!
//! ```
//! use tsumugi_train::data::{DataSource, ListSource, Place};
//! use tsumugi_train::{Drawn, Registry, Sample};
//!
//! // A source of your own: each sample is a text with loss and the end token.
//! let mut registry = Registry::default();
//! registry.source("proverbs", |_request| {
//!     let samples = ["Many a little makes a mickle.", "Even monkeys fall from trees."].map(|t| Sample::new(t).text(t, true).end(true));
//!     Ok(Box::new(ListSource::new(samples.into())))
//! });
//!
//! let config = tsumugi_train::recipe::DataConfig { source: "proverbs".into(), ..Default::default() };
//! let request = tsumugi_train::SourceRequest { config: &config, template: Default::default() };
//! let mut source = registry.make_source(&request)?;
//! assert_eq!(source.len(), 2);
//! assert!(matches!(source.draw(Place { seed: 1, epoch: 0, position: 1 })?, Drawn::Sample(_)));
//! # Ok::<(), tsumugi_train::Error>(())
//! ```
//!
//! # Rows that cannot be used
//!
//! A row that is broken, too long, or has images and marks that do not match is dropped: it is counted by source and reason,
//! with its identifier (or line), and told at the end of the stage. [`StageSummary::mixture`] has the mixture that was really
//! trained on. [`dry_run`] tells all of this in advance.
//!
//! # What is exact
//!
//! - The order of data is a function of seed and position. A checkpoint keeps the position, not a generator's state.
//! - Loss and gradients of packed rows equal those of the separate samples.
//! - A step's loss is weighted by tokens over all its batches, so that accumulation does not change it.
//! - The recipe sets the number of threads, since the order of sums affects the last digits. Equal recipe, threads and
//!   processor give equal bytes (on CUDA with `deterministic = true`).
#![forbid(unsafe_code)]

pub mod callback;
mod check;
mod checkpoint;
pub mod collate;
pub mod collective;
mod cut;
pub mod data;
mod device;
mod divergence;
mod dry_run;
pub mod engine;
mod error;
mod evaluate;
mod flops;
mod folder;
mod json;
pub mod loader;
pub mod lower;
pub mod metrics;
pub mod objective;
pub mod page;
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
mod tally;
mod tokens;
mod vocabulary;
pub mod watch;

pub use callback::{Action, Callback, CallbackContext};
pub use checkpoint::{BestSoFar, Checkpoints, StageState};
pub use divergence::Divergence;
pub use dry_run::{DryRun, DryStage, dry_run};
pub use error::{Error, Result};
pub use evaluate::{Answer, read_answers};
pub use objective::{Objective, SampleMean, TokenMean};
pub use progress::Progress;
pub use recipe::Recipe;
pub use registry::{Registry, SourceRequest};
pub use run::{Trainer, train};
pub use sample::{Chat, Drawn, Part, Sample};
pub use summary::{StageSummary, Summary, read_metrics};
pub use tally::{SourceCounts, SourceShare, Tally};

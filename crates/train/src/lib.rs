//! The VILA trainer: stages, mixtures, packing, optimiser, checkpoints, callbacks.
//!
//! A run is a [`Recipe`]: what model to begin with, what tokenizer, and stages, each with its mixture of data, what it tunes,
//! optimiser, schedule, and how long it lasts. [`train`] follows it and, after a kill at any moment, goes on where it was,
//! to the same last byte.
//!
//! ```text
//! DataSource --+
//! DataSource --+-> Mixture -> Preparer -> Collator -> steps -> Engine (units, flat buffers) -> AdamW
//! DataSource --+   a function of the seed  packed, padded       |            Objective          MetricSink, Callback
//! ```
//!
//! Everything with a capital letter above can be replaced: a lab puts its own [`data::DataSource`], [`collate::Collator`],
//! [`Objective`], [`Callback`], [`metrics::MetricSink`] or model into a [`Registry`] and names it in the recipe.
//!
//! ```
//! use tsumugi_train::data::{DataSource, ListSource, Place};
//! use tsumugi_train::{Drawn, Registry, Sample};
//!
//! // A source of one's own: every sample is text with loss, and its end.
//! let mut registry = Registry::default();
//! registry.source("proverbs", |_request| {
//!     let samples = ["塵も積もれば山となる。", "猿も木から落ちる。"].map(|t| Sample::new(t).text(t, true).end(true));
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
//! # What is exact
//!
//! - The order of data is a function of the seed and the place; a checkpoint keeps the place, not a generator's state.
//! - Loss and gradients of packed rows are those of the samples one by one.
//! - A step's loss is weighted by tokens over all its batches, so that accumulation changes nothing.
//! - Threads are set by the recipe, since sums in another order have other last digits. Equal recipe, equal threads and
//!   equal processor give equal bytes (on CUDA with `deterministic = true`).
#![forbid(unsafe_code)]

pub mod callback;
mod checkpoint;
pub mod collate;
pub mod collective;
pub mod data;
pub mod engine;
mod error;
mod evaluate;
mod flops;
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
pub mod watch;

pub use callback::{Callback, Look, Wish};
pub use checkpoint::{BestSoFar, Checkpoints, StageState};
pub use error::{Error, Result};
pub use evaluate::{Answer, read_answers};
pub use objective::{Objective, SampleMean, TokenMean};
pub use progress::Progress;
pub use recipe::Recipe;
pub use registry::{Registry, SourceRequest};
pub use run::{Trainer, train};
pub use sample::{Drawn, Part, Sample};
pub use summary::{StageSummary, Summary, read_metrics};

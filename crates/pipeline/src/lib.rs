//! The steps in a row and their runner: shards, resume, progress, funnel, report.
//!
//! Each step is a value that implements [`runner::Step`]; [`steps()`] lists them all. A step runs from its settings:
//!
//! ```
//! # #[cfg(feature = "data")] {
//! use tsumugi_pipeline::runner;
//! use tsumugi_pipeline::steps::filter_documents::{FilterDocuments, FilterDocumentsConfig};
//! use tsumugi_pipeline::Context;
//! use tsumugi_record::{Document, Node, ShardWriter};
//!
//! let folder = tempfile::tempdir()?;
//! let documents = folder.path().join("documents");
//! let mut writer = ShardWriter::create(documents.join("documents-00000.parquet"))?;
//! let text = Some("too short".to_owned());
//! writer.push(Document { nodes: vec![Node { text, ..Node::default() }], ..Document::default() })?;
//! writer.finish()?;
//!
//! let out = folder.path().join("filtered");
//! let settings = FilterDocumentsConfig { documents, out, ..FilterDocumentsConfig::default() };
//! let summary = runner::run::<FilterDocuments>(settings, &Context::hidden())?;
//! assert_eq!(summary.funnel.stages[0].input, 1);
//! assert_eq!(summary.rows["excluded"], 1);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(all(feature = "train", feature = "eval"))]
pub mod ablation;
#[cfg(feature = "data")]
pub mod archives;
mod command;
mod context;
mod error;
#[cfg(all(feature = "train", feature = "eval"))]
pub mod full_run;
mod progress;
#[cfg(feature = "data")]
pub mod report;
pub mod runner;
pub mod steps;
mod table;
mod threads;
pub mod tools;

pub use command::{Command, ExplainedFile, StepCommand, Tool, ToolCommand};
pub use context::{Context, Group, Settings};
pub use error::{Error, with_causes};
pub use progress::Progress;
pub use table::steps;
pub use threads::with_threads;

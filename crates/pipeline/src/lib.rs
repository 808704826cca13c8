//! The steps in a row and their runner: shards, resume, progress, funnel, report.
//!
//! A step is opened on an output folder, treats its shards in phases, and leaves a manifest:
//!
//! ```
//! use tsumugi_pipeline::{Progress, runner::{Opened, Step}};
//! use tsumugi_record::Excluded;
//!
//! let out = tempfile::tempdir()?;
//! let inputs = Default::default();
//! if let Opened::Work(step) = Step::open("example", out.path(), &"no settings", inputs)? {
//!     step.phase("map", &["a", "b"], &Progress::hidden(), |_, name, outputs| {
//!         outputs.funnel().stage("all", "rows").keep();
//!         outputs.write_all("", &[Excluded { id: name.to_string(), ..Default::default() }])
//!     })?;
//!     let summary = step.finish()?;
//!     assert_eq!(summary.rows["excluded"], 2);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(all(feature = "train", feature = "eval"))]
pub mod ablation;
#[cfg(feature = "data")]
pub mod archives;
pub mod cli;
mod error;
mod progress;
#[cfg(feature = "data")]
pub mod report;
pub mod runner;
pub mod steps;
#[cfg(all(feature = "train", feature = "eval"))]
pub mod whole;

pub use error::Error;
pub use progress::Progress;

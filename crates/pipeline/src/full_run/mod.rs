//! All steps in a row: from an archive to an evaluated model and one report.
//!
//! Each step has a folder of its own inside the output folder and resumes by itself, so that a full run that was
//! stopped anywhere is simply run again.

mod config;
mod endpoints;
mod records;
mod report;
mod run;

pub use config::{Api, FullRunConfig, Until};
pub use run::{FullRunSummary, run};

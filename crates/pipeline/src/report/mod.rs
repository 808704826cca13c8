//! Sections of reports over tables and summaries of the steps, and contact sheets.
//!
//! Each function here gives a part of a [`tsumugi_report::Page`]. `full_run` puts them together.

#[cfg(all(feature = "train", feature = "eval"))]
mod evaluation;
mod funnel;
mod image;
mod samples;
mod sheet;
#[cfg(all(feature = "train", feature = "eval"))]
mod training;

#[cfg(all(feature = "train", feature = "eval"))]
pub use evaluation::evaluation_section;
pub use funnel::funnel_section;
pub use samples::{conversation_samples, interleaved_samples, pair_samples};
pub use sheet::contact_sheet;
#[cfg(all(feature = "train", feature = "eval"))]
pub use training::training_section;

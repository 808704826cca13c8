//! A small web site of our own and a stand-in for an OpenAI-compatible API, to try Tsumugi without downloads or keys.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let archive = folder.path().join("sample.warc.gz");
//! tsumugi_demo::write_sample(&archive, 5, "ja")?;
//! assert!(archive.is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `api`, `StandIn` starts a loopback server that answers requests for chat completions by fixed rules.
#![forbid(unsafe_code)]

mod error;
mod language;
mod sample;
#[cfg(feature = "api")]
mod stand_in;

/// A recipe that trains a tiny model on the sample in a minute and a half of two cores, as TOML.
pub const RECIPE: &str = include_str!("../recipes/tiny.toml");

pub use error::Error;
pub use sample::{PAGES, Resource, site, write_benchmark, write_sample};
#[cfg(feature = "api")]
pub use stand_in::{MODEL, StandIn};

//! Ablations: the same recipe with something changed, trained, evaluated and put side by side as in the paper's table 3.
//!
//! Each run trains and evaluates in a folder of its own and resumes by itself, so that an ablation that was stopped
//! anywhere is simply run again. Stages that runs have in common are trained once.
//!
//! ```
//! let config: tsumugi_pipeline::ablation::AblationConfig = toml::from_str(r#"
//!     recipe = "examples/recipes/tiny.toml"
//!     [sample]
//!     [judge]
//!     stand_in = true
//!     [[runs]]
//!     name = "all"
//!     [[runs]]
//!     name = "without interleaved"
//!     without_sources = ["interleaved"]
//! "#)?;
//! config.validate()?;
//! assert_eq!(config.runs[1].without_sources, ["interleaved"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod run;
mod sample;
mod share;
mod table;

pub use config::{AblationConfig, Asked, Judge, Run, Sample};
pub use run::{AblationSummary, RunSummary, run};

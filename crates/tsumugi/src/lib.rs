//! From web archives to a Japanese vision-language model: the whole of Tsumugi behind one crate.
//!
//! Each part is a crate of its own (`tsumugi-warc`, `tsumugi-text`, ...) and useful alone; this one re-exports them behind
//! features: `data` and `remote` (on by default), `models`, `synth`, `train` and `eval`. Only `train` links LibTorch.
//!
//! ```
//! # #[cfg(feature = "data")] {
//! use tsumugi::record::{Funnel, Role};
//!
//! let mut funnel = Funnel::default();
//! funnel.stage("language", "documents").keep();
//! funnel.stage("language", "documents").drop("language:en");
//! assert_eq!(funnel.stages[0].input, 2);
//! assert_eq!(Role::parse("main"), Some(Role::Main));
//! # }
//! ```
//!
//! The runnable steps are subcommands of the binary `tsumugi`, which the crate `tsumugi-cli` installs.
#![forbid(unsafe_code)]

#[cfg(feature = "synth")]
pub use tsumugi_chat as chat;
#[cfg(feature = "synth")]
pub use tsumugi_demo as demo;
#[cfg(feature = "eval")]
pub use tsumugi_eval as eval;
#[cfg(feature = "data")]
pub use tsumugi_images as images;
#[cfg(feature = "data")]
pub use tsumugi_interleave as interleave;
#[cfg(feature = "data")]
pub use tsumugi_page as page;
pub use tsumugi_pipeline as pipeline;
pub use tsumugi_record as record;
#[cfg(feature = "data")]
pub use tsumugi_report as report;
#[cfg(feature = "data")]
pub use tsumugi_robots as robots;
#[cfg(feature = "synth")]
pub use tsumugi_synth as synth;
#[cfg(feature = "data")]
pub use tsumugi_tables as tables;
#[cfg(feature = "data")]
pub use tsumugi_text as text;
#[cfg(feature = "train")]
pub use tsumugi_train as train;
#[cfg(feature = "train")]
pub use tsumugi_vlm as vlm;
#[cfg(feature = "data")]
pub use tsumugi_warc as warc;
#[cfg(feature = "remote")]
pub use tsumugi_warc_remote as warc_remote;

/// Compiles the example of the README.
#[cfg(all(doctest, feature = "data"))]
#[doc = include_str!("../README.md")]
struct Readme;

//! Benchmarks, scorers and judges for vision-language models, the Japanese ones first.
//!
//! Under a named [`profile::Profile`] scores equal those of the reference tool, digit for digit; each has a confidence
//! interval. The parts are useful alone:
//!
//! - [`Registry`]: the benchmarks and scorers that a configuration can name. A lab adds its own to it.
//! - [`bench`](mod@bench): the benchmarks of the paper, and files of one's own; [`answer`]: models that answer;
//!   [`judge`]: language models that grade answers; [`scorer`]: what makes scores of answers.
//! - [`rouge`]: ROUGE-L over the words of `tsumugi_text::mecab`; [`aggregate`]: the score of Heron Bench;
//!   [`stats`]: intervals and comparisons.
//! - [`results`]: result files and the comparison of runs; [`report`]: an HTML page of a run.
//!
//! ```
//! use tsumugi_eval::judge::{Verdict, parse};
//! use tsumugi_eval::profile::{PointReply, Style};
//!
//! let verdict = parse("理由: ほぼ正しい。\nScore: 4", Style::Point(PointReply::Labelled));
//! assert_eq!(verdict, Verdict::Score { score: 4.0, reference: None });
//! ```
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod answer;
pub mod bench;
pub mod contamination;
mod error;
mod item;
pub mod judge;
mod number;
pub mod profile;
pub mod published;
mod registry;
pub mod report;
pub mod results;
pub mod rouge;
pub mod scorer;
pub mod stats;

pub use error::{Cause, Error};
pub use registry::Registry;

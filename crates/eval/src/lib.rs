//! Benchmarks, scorers and judges for Japanese vision-language models.
//!
//! Scores are what the reference tools give, digit for digit, under a named [`profile::Profile`]; beside each stands
//! how sure it is. The parts are useful alone:
//!
//! - [`rouge`]: ROUGE-L over the words of `tsumugi_text::mecab`.
//! - [`bench`](mod@bench): the benchmarks of the paper and one's own; [`answer`]: who answers; [`judge`]: who gives
//!   points.
//! - [`aggregate`] and [`stats`]: from points to scores with intervals; [`results`]: result files, comparison of runs;
//!   [`report`]: an HTML page.
//!
//! ```
//! use tsumugi_eval::judge::{Verdict, parse};
//! use tsumugi_eval::profile::{PointReply, Style};
//!
//! let verdict = parse("理由: ほぼ正しい。\nScore: 4", Style::Point(PointReply::Labelled));
//! assert_eq!(verdict, Verdict::Score { score: 4.0, reference: None });
//! ```
#![deny(unsafe_code)]

pub mod aggregate;
pub mod answer;
pub mod bench;
pub mod contamination;
mod error;
pub mod judge;
pub mod profile;
pub mod published;
pub mod report;
pub mod results;
pub mod rouge;
pub mod stats;

pub use error::Error;

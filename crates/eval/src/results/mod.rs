//! Result files: the scores of one run, with all that is needed to look at it again and to compare it.
//!
//! There is one writer and one reader; the file states its version, and [`Results::read`] reads all versions up to its
//! own.

mod clean;
mod compare;
mod file;
mod score;

pub use self::clean::set_contamination;
pub use self::compare::{Comparison, Difference, Row, compare};
pub use self::file::{CategoryScore, FILE, JudgeFacts, MetricScore, Results, VERSION};
pub use self::score::{Run, score};
pub use crate::item::Item;

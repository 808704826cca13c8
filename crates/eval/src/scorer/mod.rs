//! Scorers: what makes scores of answers.
//!
//! A [`Scorer`] gives a value to each answer and says how the values become the score of a benchmark. The scorers of
//! this module are registered in [`Registry::default`](crate::Registry); a lab registers its own beside them.

mod contract;
mod exact;
mod judge;
pub mod names;
mod resources;
mod rouge;

pub use self::contract::{Answers, Function, Scorer, Statistic};
pub use self::exact::ExactMatch;
pub use self::judge::{JudgePoints, JudgeRelative, run_score};
pub use self::resources::Resources;
pub use self::rouge::{GatedRougeL, MecabRougeL};

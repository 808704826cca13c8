//! Judges: a language model that gives points to answers.
//!
//! What a judge says is kept with the points that were read from it; what could not be read or was never answered is
//! kept as a failure with its reason, apart from the points.

mod parse;
mod python;
mod python_source;
mod run;
mod template;

pub use self::parse::{Verdict, fallback, parse};
pub(crate) use self::run::is_passing;
pub use self::run::{FailureKind, Judge, JudgeSettings, failure_kind};
pub use self::template::{Rule, Template};

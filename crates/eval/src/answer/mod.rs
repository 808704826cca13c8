//! Who answers the questions: an OpenAI-compatible endpoint, or a local checkpoint (feature `torch`).

mod api;
#[cfg(feature = "torch")]
mod local;
mod outcome;

pub use self::api::ApiAnswerer;
#[cfg(feature = "torch")]
pub use self::local::LocalAnswerer;
pub use self::outcome::Answer;

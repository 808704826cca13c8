//! Who answers the questions: an OpenAI-compatible endpoint, or a local checkpoint (feature `local`).

mod api;
#[cfg(feature = "local")]
mod local;

pub use self::api::ApiAnswerer;
#[cfg(feature = "local")]
pub use self::local::LocalAnswerer;

/// What came back for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The model's words, which may be empty.
    Text(String),
    /// The server refused this question for good.
    Refused(String),
    /// No answer now; asking again may help.
    Unanswered(String),
}

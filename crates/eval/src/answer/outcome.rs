//! What came back for a question.

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

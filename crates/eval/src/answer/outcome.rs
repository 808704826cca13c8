//! What came back for a question.

/// What came back for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The model's words, which may be empty.
    Text(String),
    /// The server refused this question for good.
    Refused(String),
    /// The question's image cannot be read, and why. It was not asked.
    BadImage(String),
    /// No answer now; asking again may help.
    Unanswered(String),
}

/// A question whose image cannot be read.
pub(super) fn bad_image(bytes: &[u8], why: &str) -> Answer {
    let is_pointer = tsumugi_hub::is_lfs_pointer(bytes);
    Answer::BadImage(if is_pointer {
        "it is a Git LFS pointer, not the image itself".to_owned()
    } else {
        why.to_owned()
    })
}

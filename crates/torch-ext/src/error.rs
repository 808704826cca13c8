//! What can go wrong.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong below the bindings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// LibTorch threw an exception.
    #[error("LibTorch, {call}: {message}")]
    Call {
        /// The function.
        call: &'static str,
        /// What the exception said.
        message: String,
    },
    /// A list of tensors does not fit the others.
    #[error("{call}: {reason}")]
    Argument {
        /// The function.
        call: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A CUDA library of LibTorch could not be loaded.
    #[error("libtorch_cuda.so cannot be loaded ({0}); this LibTorch has no CUDA, or its driver is missing")]
    NoCuda(String),
}

//! What can go wrong.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of the shim.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// LibTorch threw an exception.
    #[error("LibTorch refused {call}: {message}")]
    Call {
        /// The function.
        call: &'static str,
        /// The exception's message.
        message: String,
    },
    /// The arguments of a call do not fit each other.
    #[error("{call}: {reason}")]
    Argument {
        /// The function.
        call: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A CUDA library of LibTorch could not be loaded.
    #[error("cannot load libtorch_cuda.so ({0}); this LibTorch has no CUDA, or the driver is missing")]
    NoCuda(String),
}

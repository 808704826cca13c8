//! The runnable steps, one module each: a configuration and a function that runs it on a folder.

#[cfg(feature = "eval")]
pub mod evaluate;
#[cfg(feature = "data")]
pub mod extract_documents;
#[cfg(feature = "data")]
pub mod filter_documents;
#[cfg(feature = "synth")]
pub mod synthesize;
#[cfg(feature = "train")]
pub mod train;

//! The runnable steps, one module each: a configuration and a function that runs it on a folder.

#[cfg(feature = "data")]
pub mod build_interleaved;
#[cfg(feature = "data")]
pub mod build_pairs;
#[cfg(feature = "train")]
mod encoder;
#[cfg(feature = "eval")]
pub mod evaluate;
#[cfg(feature = "data")]
pub mod extract_documents;
#[cfg(feature = "data")]
pub mod fetch_images;
#[cfg(feature = "data")]
pub mod filter_documents;
#[cfg(feature = "data")]
pub(crate) mod images;
#[cfg(feature = "data")]
mod once;
#[cfg(feature = "data")]
pub mod scorers;
#[cfg(feature = "synth")]
pub mod synthesize;
#[cfg(feature = "train")]
pub mod train;

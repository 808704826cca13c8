//! Benchmarks, scorers and judges for Japanese vision-language models.
#![deny(unsafe_code)]

mod error;
pub mod mecab;
pub mod normalize;
pub mod rouge;

pub use error::Error;

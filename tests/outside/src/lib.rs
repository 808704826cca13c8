//! What a lab adds to Tsumugi: a vision encoder with a class token, its own normalisation, pretrained weights and
//! checkpoint layout; a text filter; a metric and a benchmark.

mod data;
mod encoder;
mod family;
mod filter;
mod metric;

pub use data::{image, samples};
pub use encoder::LabVit;
pub use family::LabVlm;
pub use filter::filters;
pub use metric::evaluation;

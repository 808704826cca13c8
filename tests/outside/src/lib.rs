//! What a lab adds to Tsumugi: a vision encoder with a class token, its own normalisation, pretrained weights and
//! checkpoint layout.

mod data;
mod encoder;
mod family;

pub use data::{image, samples};
pub use encoder::LabVit;
pub use family::LabVlm;

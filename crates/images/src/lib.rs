//! Decode, inspect, hash and resample images.

mod decode;
mod error;
mod format;
mod luma;
mod resize;

pub use decode::{Limits, Rgb, decode_rgb};
pub use error::{Error, Result};
pub use format::Format;
pub use resize::{Filter, resize, resize_channels};

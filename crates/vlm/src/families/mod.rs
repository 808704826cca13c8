//! The families of this crate, and the registry of families.

mod hf_config;
mod hf_write;
mod llava;
mod names;
mod registry;
mod vila;

pub use llava::Llava;
pub use registry::Families;
pub use vila::Vila;

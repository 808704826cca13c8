//! Checkpoints: Hugging Face LLaVA, Llama and SigLIP, and VILA's folders, read from memory-mapped safetensors; LLaVA and
//! VILA layouts written.

mod files;
mod hf_config;
mod hub;
mod mapped;
mod names;
mod read;
mod write;

pub(crate) use files::Files;
pub use hub::fetch;
pub use mapped::{read_safetensors, write_safetensors};
pub(crate) use read::read_json;
pub use read::{Checkpoint, Contents};
pub use write::{Layout, SaveOptions, save};

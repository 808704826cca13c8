//! Checkpoints: Hugging Face LLaVA, Llama and SigLIP, and VILA's folders, read from memory-mapped safetensors; LLaVA and
//! VILA layouts written.

mod hf_config;
mod hub;
mod mapped;
mod names;
mod read;
mod write;

pub use hub::fetch;
pub use mapped::{read_safetensors, write_safetensors};
pub use read::{Checkpoint, Contents};
pub use write::{Layout, SaveOptions, save};

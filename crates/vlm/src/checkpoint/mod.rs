//! Checkpoints: opening and saving models, and the safetensors files below them.

mod open;
mod save;

pub use crate::storage::{
    Contents, Opened, Outgoing, StoredTensors, fetch, fetch_tokenizer, read_safetensors, write_safetensors,
};
pub use open::Checkpoint;
pub use save::{SaveOptions, save, save_into};

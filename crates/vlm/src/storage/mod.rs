//! The files of checkpoints: memory-mapped safetensors, JSON, the hub.

mod hub;
mod json;
mod mapped;
mod opened;
mod outgoing;
mod stand_in;
mod tensors;

pub use hub::{fetch, fetch_tokenizer};
pub(crate) use json::{from_value, read_json, write_json};
pub use mapped::{read_safetensors, write_safetensors};
pub use opened::{Contents, Opened};
pub use outgoing::Outgoing;
pub(crate) use stand_in::read_tokenizer;
pub use tensors::StoredTensors;

//! Vision-language models on LibTorch: SigLIP, projector, Llama, generation, Hugging Face checkpoints.
#![forbid(unsafe_code)]

mod attention;
pub mod config;
pub mod context;
mod error;
mod head;
mod init;
mod llama;
mod model;
mod projector;
mod rope;
mod siglip;
mod splice;
pub mod unit;
mod weights;

pub use config::{ImageTokenId, LlamaConfig, ProjectorConfig, ProjectorKind, RopeScaling, SiglipConfig, VlmConfig};
pub use context::{Attention, Batch, Context, IGNORE, Output};
pub use error::{Error, Result};
pub use llama::Llama;
pub use model::{LanguageModel, Part, Projector, VisionTower, Vlm};
pub use projector::VilaProjector;
pub use rope::RopeTables;
pub use siglip::Siglip;
pub use unit::{Acts, Init, ParamDef, ParamSpec, Params, Unit};
pub use weights::Weights;

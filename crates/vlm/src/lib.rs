//! Vision-language models on LibTorch: SigLIP, projector, Llama, generation, Hugging Face checkpoints.
//!
//! A model is a chain of [`Unit`]s (see [`mod@unit`]): pure functions of parameters, input and batch, so that inference, a
//! trainer that cuts the graph between units, and a sharded one all run the same code. [`Vlm`] holds sizes and units,
//! [`Weights`] the tensors; [`Model`] joins them with a [`Tokenizer`] and an [`ImageProcessor`].
//!
//! A [`DualEncoder`] (OpenCLIP with XLM-RoBERTa, SigLIP) tells how well a picture and a text fit, a [`Probe`] what is in a picture.
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use tsumugi_vlm::{Batch, Context, ImageTokenId, LlamaConfig, Output, SiglipConfig, Vlm, VlmConfig};
//!
//! let config = VlmConfig {
//!     vision: SiglipConfig {
//!         hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2, image_size: 28,
//!         ..SiglipConfig::default()
//!     },
//!     language: LlamaConfig {
//!         hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2,
//!         num_key_value_heads: 1, vocab_size: 32, ..LlamaConfig::default()
//!     },
//!     image_token_id: ImageTokenId(31),
//!     ..VlmConfig::default()
//! };
//! let vlm = Vlm::new(config)?;
//! let weights = vlm.init(0, Device::Cpu, Kind::Float)?;
//! // One picture of 2 x 2 patches takes four places in the row.
//! let batch = Batch::of_ids(Tensor::from_slice(&[1_i64, 31, 31, 31, 31, 7, 8]).view([1, 7]));
//! let context = Context::new(vlm.config(), &batch, Output::Logits, Device::Cpu, Kind::Float)?;
//! let picture = Tensor::zeros([1, 3, 28, 28], (Kind::Float, Device::Cpu));
//! let logits = vlm.forward(&weights, Some(&picture), &context)?;
//! assert_eq!(logits.size(), [1, 7, 32]);
//! # Ok::<(), tsumugi_vlm::Error>(())
//! ```
#![deny(unsafe_code)] // one exception, for memory maps: checkpoint/mapped.rs

mod attention;
mod build_tokenizer;
mod chat;
pub mod checkpoint;
pub mod config;
pub mod context;
pub mod dual;
mod error;
mod generate;
mod head;
mod init;
mod llama;
pub mod lora;
mod model;
pub mod parity;
mod processor;
mod projector;
mod rope;
mod siglip;
mod splice;
pub mod template;
mod tokenizer;
pub mod unit;
mod weights;

pub use build_tokenizer::build_tokenizer;
pub use chat::{Model, Question};
pub use checkpoint::{Checkpoint, Contents, Layout, SaveOptions, save};
pub use config::{
    ImageTokenId, LlamaConfig, ProjectorConfig, ProjectorKind, RopeScaling, SiglipConfig, VlmConfig,
};
pub use context::{Attention, Batch, Context, IGNORE, Output};
pub use dual::{DualEncoder, Probe};
pub use error::{Error, Result};
pub use generate::{GenerateOptions, generate};
pub use llama::Llama;
pub use model::{LanguageModel, Part, Projector, VisionTower, Vlm};
pub use processor::ImageProcessor;
pub use projector::VilaProjector;
pub use rope::RopeTables;
pub use siglip::Siglip;
pub use tokenizer::{IMAGE, SpecialIds, Tokenizer};
pub use tsumugi_torch_ext as torch_ext;
pub use unit::{Acts, Init, ParamDef, ParamSpec, Params, Unit, Work};
pub use weights::Weights;

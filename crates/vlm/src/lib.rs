//! Vision-language models on LibTorch: model families, generation, Hugging Face checkpoints, contrastive encoders.
//!
//! A model is a chain of [`Unit`]s (see [`mod@unit`]): pure functions of parameters, input and batch, so that inference, a
//! trainer that cuts the graph between units, and a sharded one all run the same code. A [`ModelFamily`] says which units a
//! model has, how its images are processed, and how it is read and written; [`Families`] is the registry to add your own
//! to. [`Vlm`] holds family, sizes and units, [`Weights`] the tensors, and [`Model`] joins them with a [`Tokenizer`] and an
//! [`ImageProcessor`].
//!
//! A [`ContrastiveEncoder`] (OpenCLIP with XLM-RoBERTa, SigLIP) measures how well an image and a text match, and an
//! [`NsfwClassifier`] scores images by the encoder's vectors.
//!
//! ```
//! use tch::{Device, Kind, Tensor};
//! use tsumugi_vlm::{Batch, Context, ImageTokenId, LlamaConfig, Output, VisionConfig, Vlm, VlmConfig};
//!
//! let config = VlmConfig {
//!     vision: VisionConfig {
//!         hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2, image_size: 28,
//!         ..VisionConfig::default()
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
//! // One image of 2 x 2 patches takes four positions of the row.
//! let batch = Batch::of_ids(Tensor::from_slice(&[1_i64, 31, 31, 31, 31, 7, 8]).view([1, 7]));
//! let context = Context::new(vlm.config(), &batch, Output::Logits, Device::Cpu, Kind::Float)?;
//! let image = Tensor::zeros([1, 3, 28, 28], (Kind::Float, Device::Cpu));
//! let logits = vlm.forward(&weights, Some(&image), &context)?;
//! assert_eq!(logits.size(), [1, 7, 32]);
//! # Ok::<(), tsumugi_vlm::Error>(())
//! ```
#![deny(unsafe_code)] // one exception, for memory maps: storage/mapped.rs

mod attention;
mod build_tokenizer;
mod chat;
mod chat_template;
pub mod checkpoint;
pub mod config;
pub mod context;
pub mod contrastive;
mod conversation;
mod error;
mod families;
mod family;
mod generate;
mod head;
mod init;
mod llama;
pub mod lora;
mod model;
mod norm;
pub mod parity;
mod processor;
mod projector;
mod rope;
mod siglip;
mod special_tokens;
mod splice;
mod storage;
pub mod template;
mod tokenizer;
mod tokenizer_files;
pub mod unit;
mod weights;

pub use build_tokenizer::build_tokenizer;
pub use chat::{Model, Question};
pub use chat_template::{ChatTemplate, Rendered};
pub use checkpoint::{Checkpoint, Contents, Opened, Outgoing, SaveOptions, StoredTensors, save};
pub use config::{
    ImageTokenId, LlamaConfig, ProjectorConfig, ProjectorKind, RopeScaling, VisionConfig, VlmConfig,
};
pub use context::{Attention, Batch, Context, IGNORE, Output};
pub use contrastive::{ContrastiveEncoder, NsfwClassifier};
pub use conversation::{Content, IMAGE, Message, Role, place_images};
pub use error::{Error, Result};
pub use families::{Families, Llava, Vila};
pub use family::{ModelFamily, Units};
pub use generate::{GenerateOptions, GenerationConfig, generate};
pub use llama::Llama;
pub use model::Vlm;
pub use processor::{Fit, ImageProcessor, Normalization, Normalizer};
pub use projector::VilaProjector;
pub use rope::RopeTables;
pub use siglip::Siglip;
pub use special_tokens::SpecialTokens;
pub use tokenizer::{SpecialIds, Tokenizer};
pub use tsumugi_hub as hub;
pub use tsumugi_images as images;
pub use tsumugi_torch_ext as torch_ext;
pub use unit::{Acts, Cache, Init, ParamDef, ParamSpec, Params, Part, Unit, Work};
pub use weights::Weights;

//! Writing checkpoints.

use std::path::Path;
use std::sync::Arc;

use tch::Kind;
use tsumugi_record::write_folder;

use crate::error::Result;
use crate::family::ModelFamily;
use crate::generate::GenerationConfig;
use crate::model::Vlm;
use crate::storage::Outgoing;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

/// How [`save`] writes.
#[derive(Debug, Clone)]
pub struct SaveOptions {
    /// The family whose layout is written; by default the model's own.
    pub family: Option<Arc<dyn ModelFamily>>,
    /// Kind of the tensors in the files; by default the kind they have.
    pub kind: Option<Kind>,
    /// How the model is meant to generate, for `generation_config.json`.
    pub generation: GenerationConfig,
    /// Largest shard in bytes (by default 5 GB, as in transformers 4).
    pub max_shard_bytes: u64,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            family: None,
            kind: None,
            generation: GenerationConfig::default(),
            max_shard_bytes: 5_000_000_000,
        }
    }
}

/// Writes a model with all it needs to be used: configuration, weights and, if a tokenizer is given, the tokenizer, the
/// image processor and the chat template. The folder is complete or absent; an old folder of this name is replaced.
///
/// # Errors
/// Those of [`ModelFamily::write`]; [`Error::Record`](crate::Error::Record) naming the file.
pub fn save(
    folder: impl AsRef<Path>,
    vlm: &Vlm,
    weights: &Weights,
    tokenizer: Option<&Tokenizer>,
    options: &SaveOptions,
) -> Result<()> {
    write_folder(folder.as_ref(), |folder| save_into(folder, vlm, weights, tokenizer, options))
}

/// Writes the files of [`save`] into a folder, beside what it holds. Each file is complete or absent, the folder may hold some of
/// them after a kill.
///
/// # Errors
/// As [`save`].
pub fn save_into(
    folder: impl AsRef<Path>,
    vlm: &Vlm,
    weights: &Weights,
    tokenizer: Option<&Tokenizer>,
    options: &SaveOptions,
) -> Result<()> {
    let tensors = weights.iter().map(|(name, tensor)| {
        let tensor = tensor.f_detach()?.f_to_kind(options.kind.unwrap_or(tensor.kind()))?;
        Ok((name.clone(), tensor))
    });
    let outgoing = Outgoing {
        config: vlm.config(),
        tensors: tensors.collect::<Result<_>>()?,
        tokenizer,
        processor: vlm.image_processor(),
        generation: &options.generation,
        max_shard_bytes: options.max_shard_bytes,
    };
    options.family.as_ref().unwrap_or(vlm.family()).write(folder.as_ref(), &outgoing)
}

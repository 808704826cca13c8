//! Opening checkpoints.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tch::{Device, Kind};

use super::files::Files;
use super::hf_config::{HfLlama, HfLlava, HfSiglip, Vila, VilaProjectorConfig};
use super::names::{self, Source};
use crate::config::{LlamaConfig, SiglipConfig, VlmConfig};
use crate::error::{Error, Result};
use crate::unit::ParamDef;
use crate::weights::Weights;

/// What a checkpoint is of.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// A vision-language model.
    Vlm(VlmConfig),
    /// A language model.
    Llama(LlamaConfig),
    /// A vision tower, all its layers.
    Siglip(SiglipConfig),
}

/// An opened checkpoint: its configuration and where its tensors lie. No weight is read yet.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    contents: Contents,
    files: Files,
}

impl Checkpoint {
    /// Opens a folder with `config.json` and safetensors (one file, or shards): LLaVA with any of the names
    /// transformers has used, Llama, SigLIP, or VILA's folders.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Checkpoint`] naming the file; [`Error::Config`] for a model that cannot be
    /// run here.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let config: Value = read_json(&folder.join("config.json"))?;
        let kind = config.get("model_type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut files = Files::default();
        let mut add = |source, folder: &Path| {
            files.add(folder, "model", |stored| match source {
                Source::VilaProjector => names::vila_projector_names(stored),
                _ => stored.iter().map(|name| (names::canonical(source, name), name.clone())).collect(),
            })
        };
        let path = folder.join("config.json");
        let contents = match kind.as_str() {
            "llava" => {
                add(Source::Llava, folder)?;
                Contents::Vlm(from_value::<HfLlava>(&path, config)?.config()?)
            }
            "llama" => {
                add(Source::Llama, folder)?;
                Contents::Llama(from_value::<HfLlama>(&path, config)?.config()?)
            }
            "siglip" | "siglip_vision_model" => {
                add(Source::Siglip, folder)?;
                let vision = config.get("vision_config").cloned().unwrap_or(config);
                Contents::Siglip(from_value::<HfSiglip>(&path, vision)?.config(-1)?)
            }
            "llava_llama" => {
                add(Source::Llama, &folder.join("llm"))?;
                add(Source::Siglip, &folder.join("vision_tower"))?;
                add(Source::VilaProjector, &folder.join("mm_projector"))?;
                Contents::Vlm(vila_config(folder, config)?)
            }
            other => {
                return Err(Error::Checkpoint {
                    path,
                    reason: format!(
                        "model_type {other:?} is not supported (supported: llava, llama, siglip, siglip_vision_model, llava_llama)"
                    ),
                });
            }
        };
        Ok(Self { path: folder.to_owned(), contents, files })
    }

    /// Sizes of what is in it.
    #[must_use]
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration of a vision-language model.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the checkpoint is of a part only.
    pub fn vlm_config(&self) -> Result<&VlmConfig> {
        match &self.contents {
            Contents::Vlm(config) => Ok(config),
            _ => Err(Error::Checkpoint {
                path: self.path.clone(),
                reason: "this is a part, not a whole vision-language model".to_owned(),
            }),
        }
    }

    /// Reads the parameters `defs`, as `kind`, to `device`. Tensors that this project knows not to need are passed over;
    /// any other tensor that is missing, left over or of another shape is an error which names it.
    ///
    /// # Errors
    /// [`Error::Misfit`] with the names; [`Error::Checkpoint`] for a file that is cut short.
    pub fn load<'a>(
        &self,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        device: Device,
        kind: Kind,
    ) -> Result<Weights> {
        let (layers, tied) = match &self.contents {
            Contents::Vlm(c) => (c.vision.num_hidden_layers, c.language.tie_word_embeddings),
            Contents::Llama(c) => (0, c.tie_word_embeddings),
            Contents::Siglip(c) => (c.num_hidden_layers, false),
        };
        self.files.load(&self.path, defs, device, kind, &|name| names::is_unused(name, layers, tied))
    }
}

pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(Error::json(path))
}

fn from_value<T: DeserializeOwned>(path: &Path, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(Error::json(path))
}

/// The configs of VILA's parts stand in the root config, or in the part's folder.
fn vila_config(folder: &Path, config: Value) -> Result<VlmConfig> {
    let root = folder.join("config.json");
    let vila: Vila = from_value(&root, config)?;
    let part = |inline: &Option<Value>, name: &str| -> Result<Value> {
        match inline {
            Some(value) if value.is_object() => Ok(value.clone()),
            _ => read_json(&folder.join(name).join("config.json")),
        }
    };
    let language: HfLlama = from_value(&root, part(&vila.llm_cfg, "llm")?)?;
    let vision: HfSiglip = from_value(&root, part(&vila.vision_tower_cfg, "vision_tower")?)?;
    let projector: VilaProjectorConfig = from_value(&root, part(&vila.mm_projector_cfg, "mm_projector")?)?;
    vila.config(&language, &vision, &projector)
}

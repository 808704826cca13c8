//! Model families: how a kind of vision-language model is built, prepared for, read and written.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::VlmConfig;
use crate::error::Result;
use crate::llama::Llama;
use crate::processor::ImageProcessor;
use crate::projector::VilaProjector;
use crate::siglip::Siglip;
use crate::storage::{Contents, Opened, Outgoing, StoredTensors, from_value, write_json};
use crate::unit::Unit;

/// The units of a part, first to last.
pub type Units = Vec<Arc<dyn Unit>>;

/// A kind of vision-language model.
///
/// Loading, generation, parity checks, evaluation and the trainer all go through a family. A lab's own vision encoder or
/// checkpoint layout is one implementation, registered in [`Families`](crate::Families). Each method has a default: a
/// SigLIP, VILA's projector, a Llama, and a layout that any family can use (see [`ModelFamily::write`]). Override what
/// differs.
pub trait ModelFamily: Debug + Send + Sync {
    /// Unique name, by which recipes choose the family. Also the `model_type` of checkpoints that the default
    /// [`ModelFamily::write`] writes.
    fn name(&self) -> &str;

    /// Values of `model_type`, or entries of `architectures`, in the `config.json` of checkpoints that this family reads.
    /// Checkpoints of parts, such as a pretrained vision encoder, count too.
    fn architectures(&self) -> Vec<String> {
        vec![self.name().to_owned()]
    }

    /// True if this family reads checkpoints with this `config.json`.
    fn reads(&self, config: &Value) -> bool {
        let known = self.architectures();
        let named = |value: &Value| value.as_str().is_some_and(|name| known.iter().any(|k| k == name));
        let listed = config.get("architectures").and_then(Value::as_array);
        config.get("model_type").is_some_and(named) || listed.is_some_and(|all| all.iter().any(named))
    }

    /// Checks sizes before anything is built or read from them.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) naming the invalid value.
    fn validate(&self, config: &VlmConfig) -> Result<()> {
        config.validate()
    }

    /// The vision tower: pixels `[n,3,h,w]` to features `[n,f,d]`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for sizes that the family does not support.
    fn vision(&self, config: &VlmConfig) -> Result<Units> {
        Ok(Siglip::new(config.vision.clone()).units())
    }

    /// The projector: features of the vision tower to features `[n,f',d]` of the language model's width.
    ///
    /// # Errors
    /// As [`ModelFamily::vision`].
    fn projector(&self, config: &VlmConfig) -> Result<Units> {
        Ok(VilaProjector::new(config).units())
    }

    /// The language model. Its first unit embeds [`Context::input_ids`](crate::Context::input_ids) and splices the
    /// features in; its last one computes what [`Context::output`](crate::Context::output) asks for. Units that mix
    /// positions implement [`Unit::step`], so that the model can generate.
    ///
    /// # Errors
    /// As [`ModelFamily::vision`].
    fn language(&self, config: &VlmConfig) -> Result<Units> {
        Ok(Llama::new(config.language.clone()).units())
    }

    /// Vectors of one image that pass through the vision tower. Only the reported operations per second depend on it.
    fn vision_positions(&self, config: &VlmConfig) -> i64 {
        config.vision.tokens()
    }

    /// Features that the projector gives for one image, which is the number of `<image>` tokens of an image in a row.
    fn image_tokens(&self, config: &VlmConfig) -> i64 {
        config.image_tokens()
    }

    /// Decodes, resizes and normalises images for the vision tower.
    fn image_processor(&self, config: &VlmConfig) -> ImageProcessor {
        ImageProcessor::new(config.vision.image_size)
    }

    /// The Jinja chat template of models whose tokenizer has none. Without one, they chat in `llmjp_v3`.
    fn chat_template(&self) -> Option<&str> {
        None
    }

    /// Opens a folder whose `config.json` is `config`. The default reads what the default [`ModelFamily::write`] writes.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Json`](crate::Error::Json) and
    /// [`Error::Checkpoint`](crate::Error::Checkpoint) naming the file; [`Error::Config`](crate::Error::Config) for a
    /// model that the family does not support.
    fn open(&self, folder: &Path, config: Value) -> Result<Opened> {
        let model = config.get("model").cloned().unwrap_or_default();
        let model: VlmConfig = from_value(&folder.join("config.json"), model)?;
        let mut tensors = StoredTensors::default();
        tensors.add(folder, "model", str::to_owned)?;
        Ok(Opened::new(Contents::Vlm(model), tensors))
    }

    /// Writes a model to an empty folder. The default writes `config.json` (`model_type` is the family's name, `model` the
    /// [`VlmConfig`]), weights under their parameter names, `generation_config.json`, tokenizer, image processor and chat
    /// template.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) naming the file; [`Error::Config`](crate::Error::Config) if the layout cannot
    /// express the model.
    fn write(&self, folder: &Path, model: &Outgoing<'_>) -> Result<()> {
        let path = folder.join("config.json");
        let sizes = serde_json::to_value(model.config).map_err(crate::Error::json(&path))?;
        let config = json!({
            "architectures": self.architectures(),
            "model_type": self.name(),
            "torch_dtype": model.kind_name(),
            "model": sizes,
        });
        model.write_shards(folder, &model.tensors)?;
        write_json(&path, &config)?;
        model.write_generation_config(folder)?;
        model.write_processors(folder, folder)
    }

    /// Name of the family in whose layout a finished model is exported: by default its own. A family may name another one
    /// with the same units whose layout more programs read.
    fn export_as(&self, config: &VlmConfig) -> &str {
        let _ = config;
        self.name()
    }
}

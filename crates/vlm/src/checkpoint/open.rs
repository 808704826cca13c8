//! Opening checkpoints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{Device, Kind};

use crate::config::VlmConfig;
use crate::error::{Error, Result};
use crate::families::Families;
use crate::family::ModelFamily;
use crate::model::Vlm;
use crate::storage::{Contents, Opened};
use crate::unit::ParamDef;
use crate::weights::Weights;

/// An opened checkpoint: its family, its configuration and where its tensors are stored. No weight is read yet.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    family: Arc<dyn ModelFamily>,
    opened: Opened,
}

impl Checkpoint {
    /// Opens a folder with `config.json` and safetensors (one file, or shards): LLaVA with any of the names that
    /// transformers has used, Llama, SigLIP, or VILA's folders.
    ///
    /// # Errors
    /// As [`Checkpoint::open_with`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(&Families::default(), folder, None)
    }

    /// Opens a folder with the family that reads its `config.json`. If several do, `preferred` names one of them; by
    /// default the last one registered opens it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if no family reads it; those of [`ModelFamily::open`].
    pub fn open_with(families: &Families, folder: impl AsRef<Path>, preferred: Option<&str>) -> Result<Self> {
        let path = folder.as_ref().to_owned();
        let (family, opened) = families.open(&path, preferred)?;
        Ok(Self { path, family, opened })
    }

    /// What it holds, with sizes.
    #[must_use]
    pub fn contents(&self) -> &Contents {
        &self.opened.contents
    }

    /// The family that opened it.
    #[must_use]
    pub fn family(&self) -> &Arc<dyn ModelFamily> {
        &self.family
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration of a vision-language model.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the checkpoint holds only a part.
    pub fn vlm_config(&self) -> Result<&VlmConfig> {
        match &self.opened.contents {
            Contents::Vlm(config) => Ok(config),
            part => {
                let (held, key) = part.describe();
                let reason = format!(
                    "holds {held} and not a whole vision-language model; a recipe takes it as `{key}`, and trains one with it"
                );
                Err(Error::Checkpoint { path: self.path.clone(), reason })
            }
        }
    }

    /// The model without its weights; of a part, only the units of that part.
    ///
    /// # Errors
    /// Those of [`Vlm::of_contents`].
    pub fn vlm(&self) -> Result<Vlm> {
        Vlm::of_contents(self.family.clone(), self.contents())
    }

    /// True if the layout stores the id of the image token. Where it does not (VILA's), that of the tokenizer serves.
    #[must_use]
    pub fn stores_image_token(&self) -> bool {
        self.opened.image_token_stored
    }

    /// Reads the parameters `defs`, as `kind`, to `device`. Tensors that the family knows not to need are ignored; any
    /// other tensor that is missing, left over or of another shape is an error which names it.
    ///
    /// A matrix with a row for each id of the vocabulary may be asked for with more rows than are stored, where tokens were
    /// added: the further rows are the mean of the others.
    ///
    /// # Errors
    /// [`Error::Misfit`] with the names; [`Error::Checkpoint`] for a truncated file.
    pub fn load<'a>(
        &self,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        device: Device,
        kind: Kind,
    ) -> Result<Weights> {
        let vocabulary = match self.contents() {
            Contents::Vlm(config) => Some(config.language.vocab_size),
            Contents::Language(config) => Some(config.vocab_size),
            Contents::Vision(_) => None,
        };
        self.opened.tensors.load_growing(
            &self.path,
            defs,
            (device, Some(kind)),
            vocabulary,
            &self.opened.unused,
        )
    }

    /// Like [`Checkpoint::load`], in the kinds that the tensors are stored in.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn load_as_stored<'a>(
        &self,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        device: Device,
    ) -> Result<Weights> {
        self.opened.tensors.load(&self.path, defs, device, None, &self.opened.unused)
    }

    /// Compares names and shapes of the stored tensors with the checkpoint's own configuration. Reads headers only.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], and those of [`Checkpoint::vlm`].
    pub fn check(&self) -> Result<()> {
        let defs: Vec<ParamDef> = self.vlm()?.parameters().into_iter().map(|(.., def)| def).collect();
        self.opened.tensors.check(&self.path, &defs, None, &self.opened.unused)
    }
}

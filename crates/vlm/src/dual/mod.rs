//! Dual encoders: pictures and texts as vectors whose cosine tells how well they fit.
//!
//! Two families are read, told apart by what is in the folder: OpenCLIP's ViT with an XLM-RoBERTa
//! (`open_clip_config.json`), and SigLIP or SigLIP 2 of fixed resolution in Hugging Face's layout (`config.json`).
//! A [`Probe`] judges pictures by their vectors alone.
//!
//! ```no_run
//! use tch::{Device, Kind};
//! use tsumugi_vlm::{DualEncoder, checkpoint};
//!
//! let folder = checkpoint::fetch("google/siglip2-base-patch16-256")?;
//! let encoder = DualEncoder::open(&folder, Device::Cpu, Kind::Float)?;
//! let pictures = encoder.embed_images(&[std::fs::read("sakura.jpg").unwrap()])?;
//! let texts = encoder.embed_texts(&["満開の桜", "夜の駅"])?;
//! // [1, 2] cosines.
//! println!("{}", pictures.matmul(&texts.tr()));
//! # Ok::<(), tsumugi_vlm::Error>(())
//! ```

mod clip;
mod config;
mod ids;
mod parts;
mod pixels;
mod probe;
mod siglip;
mod xlm_roberta;

use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::unit::ParamDef;
use crate::weights::Weights;

use ids::Ids;
use pixels::Pixels;
pub use probe::Probe;

/// Pictures or texts that are embedded at a time. Fixed, so that results do not depend on how many there are.
const TOGETHER: usize = 32;

/// One half of a dual encoder.
trait Tower: Send {
    /// Its parameters.
    fn defs(&self) -> Vec<ParamDef>;

    /// Vectors `[n,d]` of pixels `[n,3,h,w]` or of ids `[n,t]`, not normalised.
    fn embed(&self, weights: &Weights, input: &Tensor) -> Result<Tensor>;
}

/// What a folder holds, before its weights are read.
struct Opened {
    image: Box<dyn Tower>,
    text: Box<dyn Tower>,
    weights: Weights,
    pixels: Pixels,
    ids: Ids,
}

/// An image and a text encoder that were trained together.
pub struct DualEncoder {
    opened: Opened,
    device: Device,
    kind: Kind,
}

impl std::fmt::Debug for DualEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DualEncoder").field("device", &self.device).field("kind", &self.kind).finish()
    }
}

impl DualEncoder {
    /// Reads a checkpoint's folder: its configuration, `tokenizer.json`, and weights as safetensors.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Checkpoint`] and [`Error::Tokenizer`] for what cannot be read;
    /// [`Error::Config`] for an architecture that is not understood, by name and before any weight is read;
    /// [`Error::Misfit`] with the names of tensors that do not fit.
    pub fn open(folder: impl AsRef<Path>, device: Device, kind: Kind) -> Result<Self> {
        let folder = folder.as_ref();
        let opened = if folder.join("open_clip_config.json").exists() {
            clip::open(folder, device, kind)?
        } else {
            siglip::open(folder, device, kind)?
        };
        Ok(Self { opened, device, kind })
    }

    /// Picture files to vectors `[n,d]` of length one, float32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Image`] with the number of the picture that cannot be decoded; [`Error::Torch`].
    pub fn embed_images<B: AsRef<[u8]>>(&self, files: &[B]) -> Result<Tensor> {
        let Opened { image, weights, pixels, .. } = &self.opened;
        let parts = files.chunks(TOGETHER).enumerate().map(|(part, files)| {
            let values = pixels.values(files, part * TOGETHER)?.f_to_kind(self.kind)?;
            unit_vectors(|| image.embed(weights, &values.f_to_device(self.device)?))
        });
        joined(parts)
    }

    /// Texts to vectors `[n,d]` of length one, float32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Tokenizer`], [`Error::Torch`].
    pub fn embed_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let Opened { text, weights, ids, .. } = &self.opened;
        let parts = texts.chunks(TOGETHER).map(|texts| {
            let rows = ids.rows(texts)?;
            unit_vectors(|| text.embed(weights, &rows.f_to_device(self.device)?))
        });
        joined(parts)
    }

    /// Vectors of rows of ids `[n,t]`, filled up as the tokenizer does: what [`DualEncoder::embed_texts`] makes of its ids.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn embed_ids(&self, ids: &Tensor) -> Result<Tensor> {
        unit_vectors(|| self.opened.text.embed(&self.opened.weights, &ids.f_to_device(self.device)?))
    }

    /// Vectors of prepared pictures `[n,3,h,w]`: what [`DualEncoder::embed_images`] makes of their files.
    ///
    /// # Errors
    /// [`Error::Batch`] where the size is another one; [`Error::Torch`].
    pub fn embed_pixels(&self, pixels: &Tensor) -> Result<Tensor> {
        let pixels = pixels.f_to_kind(self.kind)?.f_to_device(self.device)?;
        unit_vectors(|| self.opened.image.embed(&self.opened.weights, &pixels))
    }
}

/// Runs without gradients and scales each row to length one, in float32 on the CPU.
fn unit_vectors(embed: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
    tch::no_grad(|| {
        let rows = embed()?.f_to_kind(Kind::Float)?;
        // The least length of torch.nn.functional.normalize.
        let length = rows.f_norm_scalaropt_dim(2.0, [-1_i64], true)?.f_clamp_min(1e-12)?;
        Ok(rows.f_div(&length)?.f_to_device(Device::Cpu)?)
    })
}

fn joined(parts: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let parts: Vec<Tensor> = parts.collect::<Result<_>>()?;
    if parts.is_empty() {
        return Ok(Tensor::f_zeros([0, 0], (Kind::Float, Device::Cpu))?);
    }
    Ok(Tensor::f_cat(&parts, 0)?)
}

/// A setting that is not understood.
fn unknown(what: &str, found: impl std::fmt::Display, possible: &str) -> Error {
    Error::Config { reason: format!("{what} {found} is not supported (supported: {possible})") }
}

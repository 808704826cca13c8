//! Contrastive encoders: images and texts as vectors whose cosine measures how well they match.
//!
//! Two architectures are supported, distinguished by the files of the folder: OpenCLIP's ViT with an XLM-RoBERTa
//! (`open_clip_config.json`), and SigLIP or SigLIP 2 of fixed resolution in Hugging Face's layout (`config.json`).
//! A [`NsfwClassifier`] scores images by their vectors alone.
//!
//! ```no_run
//! use tch::{Device, Kind};
//! use tsumugi_vlm::{ContrastiveEncoder, checkpoint};
//!
//! let folder = checkpoint::fetch("google/siglip2-base-patch16-256")?;
//! let encoder = ContrastiveEncoder::open(&folder, Device::Cpu, Kind::Float)?;
//! let images = encoder.embed_images(&[std::fs::read("sakura.jpg").unwrap()])?;
//! let texts = encoder.embed_texts(&["cherry trees in bloom", "a station at night"])?;
//! // [1, 2] cosines.
//! println!("{}", images.matmul(&texts.tr()));
//! # Ok::<(), tsumugi_vlm::Error>(())
//! ```

mod clip;
mod config;
mod ids;
mod nsfw;
mod parts;
mod pixels;
mod siglip;
mod tower;
mod xlm_roberta;

use std::path::Path;

use tch::{Device, Kind, Tensor};

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

pub use nsfw::NsfwClassifier;
use tower::Parts;

/// Images or texts embedded at a time. Fixed, so that results do not depend on how many there are.
const TOGETHER: usize = 32;

/// An image and a text encoder that were trained together.
pub struct ContrastiveEncoder {
    parts: Parts,
    device: Device,
    kind: Kind,
}

impl std::fmt::Debug for ContrastiveEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContrastiveEncoder").field("device", &self.device).field("kind", &self.kind).finish()
    }
}

impl ContrastiveEncoder {
    /// Loads a checkpoint's folder: its configuration, `tokenizer.json`, and weights as safetensors.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Checkpoint`] and [`Error::Tokenize`] for files that cannot be read;
    /// [`Error::Config`] naming an unsupported architecture, before any weight is read; [`Error::Misfit`] with the names
    /// of tensors that do not fit.
    pub fn open(folder: impl AsRef<Path>, device: Device, kind: Kind) -> Result<Self> {
        let folder = folder.as_ref();
        let parts = if folder.join("open_clip_config.json").exists() {
            clip::open(folder, device, kind)?
        } else {
            siglip::open(folder, device, kind)?
        };
        Ok(Self { parts, device, kind })
    }

    /// Turns image files into vectors `[n,d]` of length one, float32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Image`] with the index of the image that cannot be decoded; [`Error::Torch`].
    pub fn embed_images<B: AsRef<[u8]>>(&self, files: &[B]) -> Result<Tensor> {
        let Parts { image, weights, processor, .. } = &self.parts;
        let chunks = files.chunks(TOGETHER).enumerate().map(|(part, files)| {
            let values = processor.pixel_values_from(files, part * TOGETHER)?.f_to_kind(self.kind)?;
            unit_vectors(|| image.embed(weights, &values.f_to_device(self.device)?))
        });
        joined(chunks)
    }

    /// Turns texts into vectors `[n,d]` of length one, float32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Tokenize`], [`Error::Torch`].
    pub fn embed_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let Parts { text, weights, ids, .. } = &self.parts;
        let chunks = texts.chunks(TOGETHER).map(|texts| {
            let rows = ids.rows(texts)?;
            unit_vectors(|| text.embed(weights, &rows.f_to_device(self.device)?))
        });
        joined(chunks)
    }

    /// Vectors of rows of ids `[n,t]`, padded as the tokenizer does: what [`ContrastiveEncoder::embed_texts`] computes from
    /// its ids.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn embed_ids(&self, ids: &Tensor) -> Result<Tensor> {
        unit_vectors(|| self.parts.text.embed(&self.parts.weights, &ids.f_to_device(self.device)?))
    }

    /// Vectors of preprocessed images `[n,3,h,w]`: what [`ContrastiveEncoder::embed_images`] computes from their files.
    ///
    /// # Errors
    /// [`Error::Batch`] for images of another size; [`Error::Torch`].
    pub fn embed_pixels(&self, pixels: &Tensor) -> Result<Tensor> {
        let pixels = pixels.f_to_kind(self.kind)?.f_to_device(self.device)?;
        unit_vectors(|| self.parts.image.embed(&self.parts.weights, &pixels))
    }
}

/// Runs without gradients and scales each row to length one, in float32 on the CPU.
fn unit_vectors(embed: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
    tch::no_grad(|| {
        let rows = embed()?.f_to_kind(Kind::Float)?;
        // The minimum length of torch.nn.functional.normalize.
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

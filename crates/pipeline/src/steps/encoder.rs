//! Contrastive encoders as scorers.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tch::{Kind, Tensor};
use tsumugi_interleave::{Error as ScoreError, Matrix, NsfwClassifier, Similarity};
use tsumugi_vlm::{ContrastiveEncoder, checkpoint, torch_ext};

use crate::Error;
use crate::runner::content_hash;

/// Lists of images whose vectors are remembered: the NSFW classifier asks for those that a scorer has just asked for.
const REMEMBERED: usize = 8;

/// A contrastive encoder that many threads use, one after another: LibTorch divides the work of each call among the cores.
pub(super) struct Encoder {
    name: String,
    identity: String,
    model: Mutex<ContrastiveEncoder>,
    remembered: Mutex<VecDeque<(Vec<u8>, Tensor)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Encoder {
    /// Loads a checkpoint: a folder, or a repository at the Hugging Face hub.
    pub(super) fn open(scorer: &str, place: &str) -> Result<Encoder, Error> {
        let setting = || Error::setting(format!("scorer {scorer}"));
        let folder = checkpoint::fetch(place).map_err(setting())?;
        let device = torch_ext::best_device();
        let model = ContrastiveEncoder::open(&folder, device, Kind::Float).map_err(setting())?;
        let kind = scorer.split(':').next().unwrap_or_default();
        let last = place.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = format!("{kind}:{last}");
        let identity = format!("{name} {}", folder_identity(&folder)?);
        Ok(Encoder { name, identity, model: Mutex::new(model), remembered: Mutex::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn fail(&self, error: impl std::error::Error + Send + Sync + 'static) -> ScoreError {
        ScoreError::scorer(&self.name, error)
    }

    /// Vectors `[n,d]` of images, each content embedded once.
    ///
    /// What is remembered is whole lists, never single images: the last bits of a vector may depend on what it is
    /// embedded together with, which must not depend on what other threads have asked for.
    fn vectors(&self, images: &[&[u8]]) -> Result<Tensor, ScoreError> {
        let mut places = HashMap::new();
        let (mut contents, mut rows) = (Vec::new(), Vec::with_capacity(images.len()));
        let mut hash = Sha256::new();
        for image in images {
            let next = places.len() as i64;
            rows.push(*places.entry(*image).or_insert_with(|| {
                contents.push(*image);
                hash.update((image.len() as u64).to_le_bytes());
                hash.update(image);
                next
            }));
        }
        let key = hash.finalize().to_vec();
        let known = locked(&self.remembered).iter().find(|(k, _)| *k == key).map(|(_, v)| v.shallow_clone());
        let vectors = match known {
            Some(vectors) => vectors,
            None => {
                let vectors = locked(&self.model).embed_images(&contents).map_err(|e| self.fail(e))?;
                let mut remembered = locked(&self.remembered);
                remembered.truncate(REMEMBERED - 1);
                remembered.push_front((key, vectors.shallow_clone()));
                vectors
            }
        };
        vectors.f_index_select(0, &Tensor::from_slice(&rows)).map_err(|e| self.fail(e))
    }

    fn texts(&self, texts: &[&str]) -> Result<Tensor, ScoreError> {
        locked(&self.model).embed_texts(texts).map_err(|e| self.fail(e))
    }

    fn values(&self, tensor: Result<Tensor, tch::TchError>) -> Result<Vec<f64>, ScoreError> {
        let flat = tensor.and_then(|tensor| tensor.f_to_kind(Kind::Double)?.f_reshape([-1]));
        flat.and_then(Vec::try_from).map_err(|e| self.fail(e))
    }
}

impl Similarity for Encoder {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn score(&self, images: &[&[u8]], texts: &[&str]) -> Result<Matrix, ScoreError> {
        let values = if images.is_empty() || texts.is_empty() {
            Vec::new()
        } else {
            let (images, texts) = (self.vectors(images)?, self.texts(texts)?);
            self.values(texts.f_tr().and_then(|texts| images.f_matmul(&texts)))?
        };
        Matrix::new(images.len(), texts.len(), values)
    }

    fn score_pairs(&self, images: &[&[u8]], texts: &[&str]) -> Result<Vec<f64>, ScoreError> {
        if images.len() != texts.len() {
            return Err(ScoreError::Shape { rows: images.len(), columns: 1, len: texts.len() });
        }
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let (images, texts) = (self.vectors(images)?, self.texts(texts)?);
        let products = images.f_mul(&texts).and_then(|p| p.f_sum_dim_intlist(1_i64, false, Kind::Float));
        self.values(products)
    }
}

/// A linear classifier over the image vectors of an encoder.
pub(super) struct NsfwScorer {
    name: String,
    identity: String,
    classifier: Mutex<tsumugi_vlm::NsfwClassifier>,
    encoder: Arc<Encoder>,
}

impl NsfwScorer {
    pub(super) fn open(path: &Path, encoder: Arc<Encoder>) -> Result<NsfwScorer, Error> {
        let classifier = tsumugi_vlm::NsfwClassifier::open(path).map_err(Error::setting("nsfw"))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("nsfw:{stem}");
        let identity = format!("{name} {}", content_hash(path)?);
        Ok(NsfwScorer { name, identity, classifier: Mutex::new(classifier), encoder })
    }
}

impl NsfwClassifier for NsfwScorer {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn probabilities(&self, images: &[&[u8]]) -> Result<Vec<f64>, ScoreError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let vectors = self.encoder.vectors(images)?;
        locked(&self.classifier).scores(&vectors).map_err(|error| ScoreError::scorer(&self.name, error))
    }
}

/// What tells a checkpoint from another: the files that are read.
fn folder_identity(folder: &Path) -> Result<String, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("read folder", folder))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "safetensors" || extension == "json")
    });
    paths.sort();
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
        hash.update(content_hash(&path)?);
    }
    Ok(data_encoding::HEXLOWER.encode(&hash.finalize())[..32].to_owned())
}

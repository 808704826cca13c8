//! NSFW classifiers: small networks over an image's vector.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::storage::StoredTensors;
use crate::unit::ParamDef;
use crate::weights::Weights;

/// A multilayer perceptron over vectors of images, read from one safetensors file.
///
/// The file holds `layers.N.weight` `[out,in]` and `layers.N.bias` `[out]` for N from 0, the last with one output. ReLU
/// follows each layer but the last, which the logistic function follows: a score is a probability.
#[derive(Debug)]
pub struct NsfwClassifier {
    path: PathBuf,
    weights: Weights,
    layers: usize,
    inputs: i64,
}

impl NsfwClassifier {
    /// Reads a classifier.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a file of another kind or without layers; [`Error::Misfit`] naming a tensor that is
    /// missing, left over, or does not fit the layer before it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let wrong = |reason: &str| Error::Checkpoint { path: path.to_owned(), reason: reason.to_owned() };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or_else(|| wrong("is not a file"))?;
        if path.extension().is_none_or(|extension| extension != "safetensors") || !path.is_file() {
            return Err(wrong("is not a safetensors file"));
        }
        let mut tensors = StoredTensors::default();
        tensors.add(path.parent().unwrap_or(Path::new(".")), stem, str::to_owned)?;
        let shape = |layer: usize| tensors.shape(&format!("layers.{layer}.weight")).filter(|s| s.len() == 2);
        let shapes: Vec<Vec<i64>> = (0..).map_while(shape).collect();
        let inputs = shapes.first().ok_or_else(|| wrong("has no matrix layers.0.weight"))?[1];
        let mut defs = Vec::new();
        let mut width = inputs;
        for (layer, shape) in shapes.iter().enumerate() {
            let out = if layer + 1 == shapes.len() { 1 } else { shape[0] };
            defs.push(ParamDef::matrix(format!("layers.{layer}.weight"), &[out, width], 0.02));
            defs.push(ParamDef::bias(format!("layers.{layer}.bias"), out));
            width = out;
        }
        let weights = tensors.load(path, &defs, Device::Cpu, Kind::Float, &|_| false)?;
        Ok(Self { path: path.to_owned(), weights, layers: shapes.len(), inputs })
    }

    /// Length of the vectors it classifies.
    #[must_use]
    pub fn inputs(&self) -> i64 {
        self.inputs
    }

    /// Probabilities of vectors `[n,d]`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if `d` is not [`NsfwClassifier::inputs`]: the classifier belongs to another encoder.
    pub fn scores(&self, vectors: &Tensor) -> Result<Vec<f64>> {
        if vectors.size()[0] == 0 {
            return Ok(Vec::new());
        }
        let (_, found) = vectors.size2()?;
        if found != self.inputs {
            let reason = format!(
                "classifies vectors of length {}, but the encoder gives {found}; use a classifier trained on this encoder",
                self.inputs
            );
            return Err(Error::Checkpoint { path: self.path.clone(), reason });
        }
        let mut x = vectors.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?;
        for layer in 0..self.layers {
            x = super::parts::linear(&self.weights, &x, &format!("layers.{layer}"))?;
            x = if layer + 1 < self.layers { x.f_relu()? } else { x.f_sigmoid()? };
        }
        Ok(Vec::try_from(x.f_to_kind(Kind::Double)?.f_view(-1)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::write_safetensors;

    fn write(folder: &Path, tensors: &[(&str, Tensor)]) -> PathBuf {
        let path = folder.join("nsfw.safetensors");
        write_safetensors(&path, tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
        path
    }

    fn layers() -> Vec<(&'static str, Tensor)> {
        vec![
            ("layers.0.weight", Tensor::from_slice(&[1.0_f32, -1.0, 0.0, 2.0]).view([2, 2])),
            ("layers.0.bias", Tensor::from_slice(&[0.0_f32, -1.0])),
            ("layers.1.weight", Tensor::from_slice(&[1.0_f32, -2.0]).view([1, 2])),
            ("layers.1.bias", Tensor::from_slice(&[0.5_f32])),
        ]
    }

    #[test]
    fn scores_are_those_computed_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let classifier = NsfwClassifier::open(write(folder.path(), &layers())).unwrap();
        let scores = classifier.scores(&Tensor::from_slice(&[3.0_f32, 1.0, 0.0, 0.0]).view([2, 2])).unwrap();
        // relu(3 - 1, 2 - 1) = (2, 1), 2 - 2 + 0.5 = 0.5; relu(0, -1) = (0, 0), 0.5.
        let expected = 1.0 / (1.0 + (-0.5_f64).exp());
        assert!(scores.iter().all(|score| (score - expected).abs() < 1e-6), "{scores:?}");
        assert!(classifier.scores(&Tensor::from_slice(&[1.0_f32; 3]).view([1, 3])).is_err());
    }

    #[test]
    fn tensors_that_do_not_fit_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut wrong = layers();
        wrong[2].1 = Tensor::from_slice(&[1.0_f32; 3]).view([1, 3]);
        let error = NsfwClassifier::open(write(folder.path(), &wrong)).unwrap_err().to_string();
        assert!(error.contains("layers.1.weight (expected [1, 2], found [1, 3])"), "{error}");
        let error = NsfwClassifier::open(write(folder.path(), &layers()[1..])).unwrap_err().to_string();
        assert!(error.contains("layers.0.weight"), "{error}");
        assert!(NsfwClassifier::open(folder.path()).is_err());
    }
}

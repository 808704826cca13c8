//! The tensors of a folder's safetensors files, by the names a model has for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::json::read_json;
use super::mapped::Mapped;
use crate::error::{Error, Result};
use crate::unit::ParamDef;
use crate::weights::Weights;

/// Where the tensors of a checkpoint are stored: the parameter's name, the file, and the tensor's name in it. Files are
/// memory-mapped and read when a model is loaded.
///
/// Parameters have the names of Hugging Face's first LLaVA: `vision_tower.*`, `multi_modal_projector.*`,
/// `language_model.*`.
#[derive(Debug, Default)]
pub struct StoredTensors(BTreeMap<String, (Arc<Mapped>, String)>);

impl StoredTensors {
    /// Adds the tensors of a folder's `STEM.safetensors`, or of the shards that its `STEM.safetensors.index.json` lists.
    /// `rename` turns a tensor's name in the file into the parameter's name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::Safetensors`] and [`Error::Checkpoint`] naming the file.
    pub fn add(&mut self, folder: &Path, stem: &str, rename: impl Fn(&str) -> String) -> Result<()> {
        self.add_all(folder, stem, |stored| stored.iter().map(|name| (rename(name), name.clone())).collect())
    }

    /// Like [`StoredTensors::add`], where a name depends on the others: `rename` pairs each parameter's name with that in
    /// the file.
    pub(crate) fn add_all(
        &mut self,
        folder: &Path,
        stem: &str,
        rename: impl Fn(&[String]) -> Vec<(String, String)>,
    ) -> Result<()> {
        for path in files(folder, stem)? {
            let file = Arc::new(Mapped::open(&path)?);
            for (name, stored) in rename(&file.names()) {
                if self.0.insert(name.clone(), (Arc::clone(&file), stored)).is_some() {
                    return Err(Error::Checkpoint { path, reason: format!("tensor {name} is stored twice") });
                }
            }
        }
        Ok(())
    }

    /// The shape of a tensor, if it is stored.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<Vec<i64>> {
        let (file, stored) = self.0.get(name)?;
        file.shape(stored)
    }

    /// Reads the parameters `defs`, as `kind` or in the kind they are stored in, to `device`. A tensor that is missing, of another shape, or left over and
    /// not `unused` is an error that names it in `path`.
    pub(crate) fn load<'a>(
        &self,
        path: &Path,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        device: Device,
        kind: impl Into<Option<Kind>>,
        unused: &dyn Fn(&str) -> bool,
    ) -> Result<Weights> {
        self.load_growing(path, defs, (device, kind.into()), None, unused)
    }

    /// Like [`StoredTensors::load`], but a tensor of `vocabulary` rows may be asked for with more rows: the further ones are
    /// the mean of those that are stored.
    pub(crate) fn load_growing<'a>(
        &self,
        path: &Path,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        (device, kind): (Device, Option<Kind>),
        vocabulary: Option<i64>,
        unused: &dyn Fn(&str) -> bool,
    ) -> Result<Weights> {
        let defs: Vec<&ParamDef> = defs.into_iter().collect();
        self.check(path, defs.iter().copied(), vocabulary, unused)?;
        let mut weights = Weights::default();
        for def in defs {
            let (file, stored) = &self.0[&def.name];
            let tensor = file.tensor(stored)?;
            let tensor = tensor.f_to_kind(kind.unwrap_or(tensor.kind()))?.f_to_device(device)?;
            let grown = self.shape(&def.name).filter(|found| grows(found, &def.shape, vocabulary));
            let tensor = match grown {
                Some(found) => grow(&tensor.f_reshape(&found[..])?, def, path)?,
                None => tensor.f_reshape(&def.shape[..])?,
            };
            weights.insert(&def.name, tensor);
        }
        Ok(weights)
    }

    /// Compares names and shapes with the parameters `defs`. A tensor that is missing, of another shape, or left over and not
    /// `unused` is an error that names it in `path`.
    pub(crate) fn check<'a>(
        &self,
        path: &Path,
        defs: impl IntoIterator<Item = &'a ParamDef>,
        vocabulary: Option<i64>,
        unused: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let defs: BTreeMap<&str, &ParamDef> = defs.into_iter().map(|def| (def.name.as_str(), def)).collect();
        let owned = |name: &&str| (*name).to_owned();
        let missing: Vec<String> =
            defs.keys().filter(|name| !self.0.contains_key(**name)).map(owned).collect();
        let left_over = |name: &&String| !defs.contains_key(name.as_str()) && !unused(name);
        let unexpected: Vec<String> = self.0.keys().filter(left_over).cloned().collect();
        let mut misshapen = Vec::new();
        for (name, def) in &defs {
            let fits = |found: &Vec<i64>| *found == def.shape || grows(found, &def.shape, vocabulary);
            if let Some(found) = self.shape(name).filter(|found| !fits(found)) {
                misshapen.push(((*name).to_owned(), def.shape.clone(), found));
            }
        }
        if missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
            return Ok(());
        }
        Err(Error::Misfit { path: path.to_owned(), missing, unexpected, misshapen })
    }
}

/// Whether a stored matrix with a row for each id of the vocabulary is asked for with more rows.
fn grows(stored: &[i64], wanted: &[i64], vocabulary: Option<i64>) -> bool {
    match (stored, wanted) {
        ([rows, stored @ ..], [more, wanted @ ..]) => {
            Some(*rows) == vocabulary && more > rows && stored == wanted
        }
        _ => false,
    }
}

/// Appends rows to a matrix. The mean of the others is what a new token is most likely to be like, and a head with such a
/// row gives it a middling score.
fn grow(stored: &Tensor, def: &ParamDef, path: &Path) -> Result<Tensor> {
    let (rows, wanted) = (stored.size()[0], def.shape[0]);
    tracing::info!(
        "{}: {} grows from {rows} to {wanted} rows for tokens that were added; the new rows are the mean of the others",
        path.display(),
        def.name
    );
    let mean = stored.f_mean_dim(&[0_i64][..], true, Kind::Float)?.f_to_kind(stored.kind())?;
    let mut shape = def.shape.clone();
    shape[0] = wanted - rows;
    Ok(Tensor::f_cat(&[stored, &mean.f_expand(&shape[..], false)?], 0)?)
}

/// Files of a folder: those that the index lists, else the one file.
fn files(folder: &Path, stem: &str) -> Result<Vec<PathBuf>> {
    let index = folder.join(format!("{stem}.safetensors.index.json"));
    if index.exists() {
        let value = read_json(&index)?;
        let map = value.get("weight_map").and_then(Value::as_object).ok_or_else(|| Error::Checkpoint {
            path: index.clone(),
            reason: "the index has no weight_map".to_owned(),
        })?;
        let mut names: Vec<&str> = map.values().filter_map(Value::as_str).collect();
        names.sort_unstable();
        names.dedup();
        return Ok(names.into_iter().map(|name| folder.join(name)).collect());
    }
    let single = folder.join(format!("{stem}.safetensors"));
    if !single.exists() {
        return Err(Error::Checkpoint {
            path: folder.to_owned(),
            reason: format!(
                "has neither {stem}.safetensors nor {stem}.safetensors.index.json; convert checkpoints in other formats to \
                 safetensors first"
            ),
        });
    }
    Ok(vec![single])
}

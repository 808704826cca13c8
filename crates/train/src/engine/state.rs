//! The engine's state in checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::Tensor;
use tsumugi_vlm::checkpoint::{read_safetensors, write_safetensors};

use super::core::Engine;
use crate::{Error, Result};

/// The small part of an engine's state. The tensors are in a file beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    /// Updates of each trained group.
    pub updates: BTreeMap<String, i64>,
}

impl Engine {
    /// Writes trained weights and moments to a safetensors file, and returns the rest of the state. Frozen parameters are
    /// not written: they are those that the stage began with.
    ///
    /// # Errors
    /// [`Error::Model`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<EngineState> {
        let mut tensors: Vec<(String, Tensor)> = Vec::new();
        let mut updates = BTreeMap::new();
        for group in self.groups().filter(|g| g.treatment.trained) {
            tensors.push((format!("{}/weight", group.name), group.weight.shallow_clone()));
            if let Some((mean, square)) = &group.moments {
                tensors.push((format!("{}/mean", group.name), mean.shallow_clone()));
                tensors.push((format!("{}/square", group.name), square.shallow_clone()));
            }
            updates.insert(group.name.clone(), group.updates);
        }
        write_safetensors(path, tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
        Ok(EngineState { updates })
    }

    /// Restores what [`Engine::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it belongs to another model or stage.
    pub fn load(&mut self, path: &Path, state: &EngineState) -> Result<()> {
        let bad = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
        let mut tensors: BTreeMap<String, Tensor> = read_safetensors(path)?.into_iter().collect();
        let device = self.device;
        for group in self.groups_mut().filter(|g| g.treatment.trained) {
            let mut take = |what: &str| -> Result<Option<Tensor>> {
                let name = format!("{}/{what}", group.name);
                let Some(tensor) = tensors.remove(&name) else { return Ok(None) };
                if tensor.size() != group.weight.size() || tensor.kind() != group.weight.kind() {
                    return Err(bad(format!("{name} differs in size or type from this stage's")));
                }
                Ok(Some(tensor.f_to_device(device)?))
            };
            let weight = take("weight")?;
            let moments = take("mean")?.zip(take("square")?);
            let weight = weight.ok_or_else(|| bad(format!("{} is missing", group.name)))?;
            group.updates = *state
                .updates
                .get(&group.name)
                .ok_or_else(|| bad(format!("{} has no count of updates", group.name)))?;
            if moments.is_some() != (group.updates > 0) {
                return Err(bad(format!("{} lacks its moments", group.name)));
            }
            group.weight.f_copy_(&weight)?;
            if let Some(shadow) = &mut group.shadow {
                shadow.f_copy_(&weight)?;
            }
            group.moments = moments;
            group.grad = None;
        }
        match tensors.keys().next() {
            Some(extra) => Err(bad(format!("{extra} belongs to no group of this stage"))),
            None => Ok(()),
        }
    }
}

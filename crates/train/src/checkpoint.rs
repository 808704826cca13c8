//! Checkpoints of a stage: atomic, few, and enough to continue with the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_record::{write_folder, write_json};

use crate::engine::{Engine, EngineState};
use crate::json::read_json;
use crate::loader::LoaderCursor;
use crate::{Error, Result};

/// Version of the files. Raised when older programs could no longer read them.
const VERSION: u32 = 1;
const STATE: &str = "state.json";
const TENSORS: &str = "engine.safetensors";

/// The small part of a checkpoint, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageState {
    /// Version of the format.
    pub version: u32,
    /// Steps done.
    pub step: u64,
    /// The position in the data.
    pub data: LoaderCursor,
    /// Counts of updates.
    pub engine: EngineState,
    /// State of the loss rules.
    pub watch: crate::watch::Watch,
    /// State of callbacks, by name.
    pub callbacks: BTreeMap<String, serde_json::Value>,
    /// The lowest held-out loss so far.
    #[serde(default)]
    pub best: Option<BestSoFar>,
    /// The step of the last held-out evaluation.
    #[serde(default)]
    pub evaluated: Option<u64>,
}

/// The lowest held-out loss and its step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestSoFar {
    /// Steps done.
    pub step: u64,
    /// Mean loss.
    pub loss: f64,
}

/// The checkpoints of one stage.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

impl Checkpoints {
    /// Checkpoints in a folder, which keeps the last `keep`.
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        Self { folder, keep }
    }

    /// The checkpoints in the folder of a stage.
    pub(crate) fn of_stage(folder: &Path, keep: usize) -> Self {
        Self::new(folder.join("checkpoints"), keep)
    }

    /// Writes a checkpoint atomically. Older ones, and weights that are no longer the best, are removed only after that.
    ///
    /// # Errors
    /// [`Error::Record`] or [`Error::Model`], as on a full disk. The partial checkpoint is removed, and older ones stay.
    pub fn save(&self, engine: &Engine, mut state: StageState) -> Result<PathBuf> {
        let name = format!("step-{:08}", state.step);
        let target = self.folder.join(&name);
        write(&target, engine, &mut state)?;
        let all = self.list("step-")?;
        for old in &all[..all.len().saturating_sub(self.keep)] {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        self.remove_best_except(state.best)?;
        Ok(target)
    }

    /// Writes the weights of the lowest loss so far, which is `state.best`. Earlier ones stay until the next
    /// [`Checkpoints::save`], since a killed run returns to the best of its last checkpoint.
    ///
    /// # Errors
    /// As [`Checkpoints::save`].
    pub fn save_best(&self, engine: &Engine, mut state: StageState) -> Result<()> {
        let Some(best) = state.best else { return Ok(()) };
        write(&self.best_folder(best), engine, &mut state)
    }

    /// Restores an engine to the weights of the lowest loss.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the weights cannot be read or do not fit.
    pub fn load_best(&self, engine: &mut Engine, best: BestSoFar) -> Result<()> {
        read(&self.best_folder(best), engine).map(|_| ())
    }

    fn best_folder(&self, best: BestSoFar) -> PathBuf {
        self.folder.join(format!("best-{:08}", best.step))
    }

    fn remove_best_except(&self, best: Option<BestSoFar>) -> Result<()> {
        let kept = best.map(|best| self.best_folder(best));
        for folder in self.list("best-")?.into_iter().filter(|folder| Some(folder) != kept.as_ref()) {
            fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        Ok(())
    }

    /// Restores an engine to the last checkpoint. None if there is no checkpoint.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it cannot be read or does not fit.
    pub fn resume(&self, engine: &mut Engine) -> Result<Option<StageState>> {
        let Some(folder) = self.list("step-")?.pop() else { return Ok(None) };
        read(&folder, engine).map(Some)
    }

    /// The position in the data of the last checkpoint, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Json`] if it cannot be read.
    pub(crate) fn position(&self) -> Result<Option<LoaderCursor>> {
        let Some(folder) = self.list("step-")?.pop() else { return Ok(None) };
        let state: StageState = read_json(&folder.join(STATE))?;
        Ok(Some(state.data))
    }

    /// Removes all checkpoints, and partial ones of a killed run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&self.folder)(error)),
            _ => Ok(()),
        }
    }

    fn list(&self, kind: &str) -> Result<Vec<PathBuf>> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(kind)) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

fn write(folder: &Path, engine: &Engine, state: &mut StageState) -> Result<()> {
    write_folder(folder, |folder| {
        state.engine = engine.save(&folder.join(TENSORS))?;
        state.version = VERSION;
        Ok(write_json(&folder.join(STATE), &*state)?)
    })
}

fn read(folder: &Path, engine: &mut Engine) -> Result<StageState> {
    let state: StageState = read_json(&folder.join(STATE))?;
    if state.version != VERSION {
        let reason = format!("has version {}, but this program reads version {VERSION}", state.version);
        return Err(Error::Checkpoint { path: folder.to_owned(), reason });
    }
    engine.load(&folder.join(TENSORS), &state.engine)?;
    Ok(state)
}

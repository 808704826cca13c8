//! Checkpoints of a stage: atomic, few, and enough to go on bit by bit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::{Engine, EngineState};
use crate::loader::LoaderCursor;
use crate::{Error, Result};

/// Version of the files. Raised when an older program could no longer read them.
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
    /// Where the data stands.
    pub data: LoaderCursor,
    /// Counts of updates.
    pub engine: EngineState,
    /// What the loss rules remember.
    pub watch: crate::watch::Watch,
    /// What callbacks remember, by name.
    pub callbacks: BTreeMap<String, serde_json::Value>,
    /// The lowest loss on held-out rows so far.
    #[serde(default)]
    pub best: Option<BestSoFar>,
    /// The step of the last measurement on held-out rows.
    #[serde(default)]
    pub evaluated: Option<u64>,
}

/// The lowest loss on held-out rows, and when it was measured.
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
    /// Checkpoints in a folder, of which the last `keep` are kept.
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        Self { folder, keep }
    }

    /// Writes a checkpoint: into a hidden folder first, synced, then renamed. Older ones, and weights that are best no
    /// more, are removed only after that.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Torch`], as on a full disk. What was written is removed, and older checkpoints stay.
    pub fn save(&self, engine: &Engine, mut state: StageState) -> Result<PathBuf> {
        let name = format!("step-{:08}", state.step);
        let target = self.folder.join(&name);
        write(&target, engine, &mut state)?;
        let all = self.list("step-")?;
        for old in &all[..all.len().saturating_sub(self.keep)] {
            fs::remove_dir_all(old).map_err(Error::io(old))?;
        }
        self.forget_best_but(state.best)?;
        Ok(target)
    }

    /// Writes the weights of the lowest loss so far, which `state.best` tells. Earlier ones stay until the next
    /// [`Checkpoints::save`], since a run that is killed goes back to what its last checkpoint knows as best.
    ///
    /// # Errors
    /// As [`Checkpoints::save`].
    pub fn save_best(&self, engine: &Engine, mut state: StageState) -> Result<()> {
        let Some(best) = state.best else { return Ok(()) };
        write(&self.best_folder(best), engine, &mut state)
    }

    /// Puts an engine where the loss was lowest.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if these weights cannot be read or do not fit.
    pub fn load_best(&self, engine: &mut Engine, best: BestSoFar) -> Result<()> {
        read(&self.best_folder(best), engine).map(|_| ())
    }

    fn best_folder(&self, best: BestSoFar) -> PathBuf {
        self.folder.join(format!("best-{:08}", best.step))
    }

    fn forget_best_but(&self, best: Option<BestSoFar>) -> Result<()> {
        let kept = best.map(|best| self.best_folder(best));
        for folder in self.list("best-")?.into_iter().filter(|folder| Some(folder) != kept.as_ref()) {
            fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        Ok(())
    }

    /// Puts an engine where the last checkpoint left it. None where there is no checkpoint.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it cannot be read or does not fit.
    pub fn resume(&self, engine: &mut Engine) -> Result<Option<StageState>> {
        let Some(folder) = self.list("step-")?.pop() else { return Ok(None) };
        read(&folder, engine).map(Some)
    }

    /// Removes all checkpoints, and what a killed run left half-written.
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
    atomic_folder(folder, |folder| {
        state.engine = engine.save(&folder.join(TENSORS))?;
        state.version = VERSION;
        write_json(&folder.join(STATE), &*state)
    })
}

fn read(folder: &Path, engine: &mut Engine) -> Result<StageState> {
    let state: StageState = read_json(&folder.join(STATE))?;
    if state.version != VERSION {
        let reason = format!("is of version {}, this program reads {VERSION}", state.version);
        return Err(Error::Checkpoint { path: folder.to_owned(), reason });
    }
    engine.load(&folder.join(TENSORS), &state.engine)?;
    Ok(state)
}

/// Makes a folder that is there whole or not at all.
pub(crate) fn atomic_folder(target: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let partial = parent.join(format!(".{name}.partial"));
    let cleared = match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&partial)(error)),
        _ => Ok(()),
    };
    cleared?;
    fs::create_dir(&partial).map_err(Error::io(&partial))?;
    let filled = fill(&partial).and_then(|()| sync_all(&partial)).and_then(|()| {
        if target.exists() {
            fs::remove_dir_all(target).map_err(Error::io(target))?;
        }
        fs::rename(&partial, target).map_err(Error::io(target))
    });
    if filled.is_err() {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_dir_all(&partial);
    }
    filled?;
    sync(parent)
}

/// Makes a file that is there whole or not at all.
pub(crate) fn atomic_file(target: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let partial = parent.join(format!(".{name}.partial"));
    let filled = fill(&partial)
        .and_then(|()| sync(&partial))
        .and_then(|()| fs::rename(&partial, target).map_err(Error::io(target)));
    if filled.is_err() {
        let _ = fs::remove_file(&partial);
    }
    filled?;
    sync(parent)
}

fn sync(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|f| f.sync_all()).map_err(Error::io(path))
}

fn sync_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        sync(&entry.map_err(Error::io(folder))?.path())?;
    }
    sync(folder)
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(Error::json(path))?;
    text.push('\n');
    fs::write(path, text).map_err(Error::io(path))
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(Error::json(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_whole_or_absent() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("a/b");
        let fail = atomic_folder(&target, |f| {
            fs::write(f.join("x"), "1").map_err(Error::io(f))?;
            Err(Error::recipe("no space"))
        });
        assert!(fail.is_err() && !target.exists());
        assert_eq!(fs::read_dir(place.path().join("a")).unwrap().count(), 0);
        for text in ["1", "2"] {
            atomic_folder(&target, |f| fs::write(f.join("x"), text).map_err(Error::io(f))).unwrap();
            assert_eq!(fs::read_to_string(target.join("x")).unwrap(), text);
        }
    }
}

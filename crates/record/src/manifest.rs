//! Manifests: what a step made, of what, and how.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::atomic::write_atomic;

/// What went into one part of a step and what came out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelStage {
    /// Name, such as `language`.
    pub name: String,
    /// What is counted, such as `documents`.
    pub unit: String,
    /// How many came in.
    #[serde(rename = "in")]
    pub input: u64,
    /// How many went on.
    pub kept: u64,
    /// How many were dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// The stages of a step, in order. What comes in equals what is kept plus what is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Funnel {
    /// The stages.
    pub stages: Vec<FunnelStage>,
}

impl Funnel {
    /// The stage of this name, made at the end if it is new.
    pub fn stage(&mut self, name: &str, unit: &str) -> &mut FunnelStage {
        let at = self.stages.iter().position(|s| s.name == name).unwrap_or_else(|| {
            let stage = FunnelStage { name: name.to_owned(), unit: unit.to_owned(), ..Default::default() };
            self.stages.push(stage);
            self.stages.len() - 1
        });
        &mut self.stages[at]
    }

    /// Adds the counts of another part of the same step.
    pub fn merge(&mut self, other: &Funnel) {
        for theirs in &other.stages {
            let ours = self.stage(&theirs.name, &theirs.unit);
            ours.input += theirs.input;
            ours.kept += theirs.kept;
            for (reason, count) in &theirs.dropped {
                *ours.dropped.entry(reason.clone()).or_default() += count;
            }
        }
    }
}

impl FunnelStage {
    /// Counts one item that went on.
    pub fn keep(&mut self) {
        self.input += 1;
        self.kept += 1;
    }

    /// Counts one item that was dropped.
    pub fn drop(&mut self, reason: &str) {
        self.input += 1;
        *self.dropped.entry(reason.to_owned()).or_default() += 1;
    }
}

/// A file that a step made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Path relative to the step's folder.
    pub file: String,
    /// The table.
    pub kind: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
}

/// What a finished step leaves beside its shards, as `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Name of the step.
    pub step: String,
    /// Its resolved configuration.
    pub config: serde_json::Value,
    /// The files it read: name and what identifies their content.
    pub inputs: BTreeMap<String, String>,
    /// The files it made.
    pub shards: Vec<ShardEntry>,
    /// Its funnel.
    pub funnel: Funnel,
    /// Further counts, by name.
    pub counts: BTreeMap<String, u64>,
}

/// Version of the manifest's format.
pub const MANIFEST_VERSION: u32 = 1;
/// Name of the manifest in a step's folder.
pub const MANIFEST_FILE: &str = "manifest.json";

impl Manifest {
    /// Reads the manifest of a step's folder; `None` where the step has not finished.
    ///
    /// # Errors
    /// Where the file is there but not readable.
    pub fn read(folder: impl AsRef<Path>) -> Result<Option<Manifest>, Error> {
        read_json(&folder.as_ref().join(MANIFEST_FILE))
    }

    /// Writes the manifest into a step's folder, atomically.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        write_json(&folder.as_ref().join(MANIFEST_FILE), self)
    }
}

/// Reads a JSON file; `None` where it does not exist.
///
/// # Errors
/// Where it cannot be read or is not of this type.
pub fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", path)(e)),
    };
    let manifest_error = |source: serde_json::Error| Error::Json { path: path.to_owned(), source };
    serde_json::from_str(&text).map(Some).map_err(manifest_error)
}

/// Writes a JSON file under a temporary name, syncs it, and renames it into place.
///
/// # Errors
/// Where it cannot be written.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let manifest_error = |source: serde_json::Error| Error::Json { path: path.to_owned(), source };
    let mut text = serde_json::to_string_pretty(value).map_err(manifest_error)?;
    text.push('\n');
    write_atomic(path, |file| file.write_all(text.as_bytes()))
}

//! The output folder of a step: its lock, its identity, its markers, its manifest.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tsumugi_record::{
    Excluded, Funnel, MANIFEST_VERSION, Manifest, Record as _, ShardEntry, read_json, write_json,
};

use super::outputs::{Marker, Outputs};
use crate::{Error, Progress};

/// Folder of the markers inside a step's output folder.
pub(super) const MARKERS: &str = "_shards";

/// What identifies a run: written when a step begins, so that a resumed one can be told from a different one.
#[derive(Serialize, Deserialize, PartialEq)]
struct Identity {
    step: String,
    config: serde_json::Value,
    inputs: BTreeMap<String, String>,
}

/// The output folder of a step that is being run.
pub struct OutputFolder {
    out: PathBuf,
    identity: Identity,
    merged: Mutex<Vec<Marker>>,
    // Held open for its lock.
    _lock: File,
}

/// What opening a step's output folder finds.
pub enum Opened {
    /// There is work to do.
    Work(OutputFolder),
    /// The step was finished by an earlier run of the same configuration and input.
    Finished(Summary),
}

/// What a step did: the last line of standard output of its command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Name of the step.
    pub step: String,
    /// Its output folder.
    pub out: PathBuf,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// What went in, on and out, by reason.
    pub funnel: Funnel,
    /// What the user should look at, such as a table without rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Further counts, by name.
    #[serde(flatten)]
    pub counts: BTreeMap<String, u64>,
    /// What else the step says of its result, by name.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl OutputFolder {
    /// Opens an output folder. `config` is all that decides the result besides the `inputs` (name and content hash of
    /// each). Steps need not call this: [`run`](super::run) does, with what the step declares.
    ///
    /// # Errors
    /// Where the folder cannot be made or written, holds results of another run, or is in use.
    pub fn open<C: Serialize>(
        name: &'static str,
        out: &Path,
        config: &C,
        inputs: BTreeMap<String, String>,
    ) -> Result<Opened, Error> {
        let config = serde_json::to_value(config).map_err(Error::step(name, "configuration"))?;
        let identity = Identity { step: name.to_owned(), config, inputs };
        fs::create_dir_all(out).map_err(Error::io("create folder", out))?;
        let lock = lock_folder(out)?;
        if let Some(manifest) = Manifest::read(out)? {
            let found = Identity {
                step: manifest.step.clone(),
                config: manifest.config.clone(),
                inputs: manifest.inputs.clone(),
            };
            identity.check(&found, out)?;
            clean_intermediate(out)?;
            return Ok(Opened::Finished(Summary::logged(out, &manifest)));
        }
        let identity_file = out.join(MARKERS).join("step.json");
        match read_json::<Identity>(&identity_file)? {
            Some(found) => identity.check(&found, out)?,
            None => write_json(&identity_file, &identity)?,
        }
        Ok(Opened::Work(OutputFolder {
            out: out.to_owned(),
            identity,
            merged: Mutex::default(),
            _lock: lock,
        }))
    }

    /// The output folder.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Treats each shard that has no marker yet; shards run in parallel on rayon's current pool. The phases of a step
    /// must be run in the same order every time.
    ///
    /// # Errors
    /// The first error of a shard; shards that were finished stay finished.
    pub fn phase<T: Sync>(
        &self,
        name: &str,
        shards: &[T],
        progress: &Progress,
        work: impl Fn(usize, &T, &mut Outputs) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let bar =
            progress.bar(&format!("{} {name}", self.identity.step), Some(shards.len() as u64), "shards");
        let treat = |(number, shard): (usize, &T)| {
            let treated = treat_shard(&self.out, name, number, |outputs| work(number, shard, outputs))?;
            bar.inc(1);
            Ok(treated)
        };
        let treated: Result<Vec<Treated>, Error> = shards.par_iter().enumerate().map(treat).collect();
        bar.finish();
        let treated = treated?;
        unfinished(&self.identity.step, name, &treated)?;
        let mut merged = self.merged.lock().unwrap_or_else(|e| e.into_inner());
        merged.extend(treated.into_iter().map(|treated| treated.marker));
        Ok(())
    }

    /// Merges the markers into the manifest and removes what is intermediate.
    ///
    /// # Errors
    /// Where the manifest cannot be written.
    pub fn finish(self) -> Result<Summary, Error> {
        let mut manifest = Manifest {
            version: MANIFEST_VERSION,
            step: self.identity.step,
            config: self.identity.config,
            inputs: self.identity.inputs,
            shards: Vec::new(),
            funnel: Funnel::default(),
            counts: BTreeMap::new(),
        };
        for marker in self.merged.into_inner().unwrap_or_else(|e| e.into_inner()) {
            manifest.shards.extend(marker.files.into_iter().filter(|f| !f.file.starts_with('_')));
            manifest.funnel.merge(&marker.funnel);
            for (name, n) in marker.counts {
                *manifest.counts.entry(name).or_default() += n;
            }
        }
        manifest.write(&self.out)?;
        clean_intermediate(&self.out)?;
        Ok(Summary::logged(&self.out, &manifest))
    }
}

/// A shard that was treated.
pub(super) struct Treated {
    pub(super) marker: Marker,
    /// Why it is left to the next run all the same.
    pub(super) unfinished: Option<String>,
}

/// Fails where shards are left to the next run.
pub(super) fn unfinished(step: &str, phase: &str, treated: &[Treated]) -> Result<(), Error> {
    let reasons: Vec<&String> = treated.iter().filter_map(|treated| treated.unfinished.as_ref()).collect();
    let Some(why) = reasons.last() else { return Ok(()) };
    Err(Error::ShardsUnfinished {
        step: step.to_owned(),
        phase: phase.to_owned(),
        unfinished: reasons.len(),
        shards: treated.len(),
        why: why.to_string(),
    })
}

/// Treats a shard unless its marker and its files are there.
pub(super) fn treat_shard(
    out: &Path,
    phase: &str,
    number: usize,
    treat: impl FnOnce(&mut Outputs) -> Result<(), Error>,
) -> Result<Treated, Error> {
    let marker_file = out.join(MARKERS).join(format!("{phase}-{number:05}.json"));
    let is_complete =
        |file: &ShardEntry| fs::metadata(out.join(&file.file)).is_ok_and(|m| m.len() == file.bytes);
    if let Some(marker) = read_json::<Marker>(&marker_file)?
        && marker.files.iter().all(is_complete)
    {
        return Ok(Treated { marker, unfinished: None });
    }
    let mut outputs = Outputs::new(out, number);
    treat(&mut outputs)?;
    if outputs.unfinished.is_none() {
        outputs.finish()?;
        write_json(&marker_file, &outputs.marker)?;
    }
    Ok(Treated { marker: outputs.marker, unfinished: outputs.unfinished })
}

impl Identity {
    fn check(&self, found: &Identity, out: &Path) -> Result<(), Error> {
        if self == found {
            return Ok(());
        }
        let difference = if self.step != found.step {
            format!("this is step `{}`", self.step)
        } else if self.config != found.config {
            first_difference(&self.config, &found.config, "")
        } else {
            let changed = self.inputs.iter().find(|(k, v)| found.inputs.get(*k) != Some(v));
            let gone = found.inputs.keys().find(|k| !self.inputs.contains_key(*k));
            let name = changed.map(|(k, _)| k).or(gone).cloned().unwrap_or_default();
            format!("input `{name}` differs")
        };
        Err(Error::OtherRun { out: out.to_owned(), step: found.step.clone(), difference })
    }
}

fn first_difference(new: &serde_json::Value, old: &serde_json::Value, path: &str) -> String {
    if let (Some(new), Some(old)) = (new.as_object(), old.as_object()) {
        let keys = new.keys().chain(old.keys());
        let null = serde_json::Value::Null;
        for key in keys {
            let (n, o) = (new.get(key).unwrap_or(&null), old.get(key).unwrap_or(&null));
            if n != o {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                return first_difference(n, o, &path);
            }
        }
    }
    format!("`{path}` was {old} and is now {new}")
}

fn lock_folder(out: &Path) -> Result<File, Error> {
    let folder = File::open(out).map_err(Error::io("open folder", out))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { out: out.to_owned() }),
        // Some network file systems know no locks; the user is then alone responsible, as with any other program.
        Err(TryLockError::Error(_)) => Ok(folder),
    }
}

/// Removes folders whose name begins with an underscore: markers and what one phase left for the next.
fn clean_intermediate(out: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(out).map_err(Error::io("read folder", out))? {
        let path = entry.map_err(Error::io("read folder", out))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('_'));
        if hidden && path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::io("remove folder", &path))?;
        }
    }
    Ok(())
}

impl Summary {
    /// The summary of a finished step. Its warnings are logged.
    fn logged(out: &Path, manifest: &Manifest) -> Summary {
        let summary = Summary::of(out, manifest);
        for warning in &summary.warnings {
            tracing::warn!("{}: {warning}", summary.step);
        }
        summary
    }

    fn of(out: &Path, manifest: &Manifest) -> Summary {
        let mut rows = BTreeMap::new();
        for shard in &manifest.shards {
            *rows.entry(shard.kind.clone()).or_default() += shard.rows;
        }
        let is_empty = |(kind, rows): &(&String, &u64)| **rows == 0 && *kind != Excluded::KIND;
        let warn = |(kind, _)| {
            format!("nothing was kept: the table `{kind}` has no rows{}", main_reason(&manifest.funnel))
        };
        let warnings = rows.iter().filter(is_empty).map(warn).collect();
        Summary {
            step: manifest.step.clone(),
            out: out.to_owned(),
            rows,
            funnel: manifest.funnel.clone(),
            warnings,
            counts: manifest.counts.clone(),
            details: Map::new(),
        }
    }

    /// Adds the fields of a value.
    ///
    /// # Errors
    /// Where it cannot be written as a JSON object.
    pub fn add(&mut self, details: &impl Serialize) -> Result<(), Error> {
        let details = serde_json::to_value(details).and_then(serde_json::from_value::<Map<_, _>>);
        self.details.extend(details.map_err(Error::step("summary", &self.step))?);
        Ok(())
    }
}

/// The reason by which most items were dropped, for messages.
fn main_reason(funnel: &Funnel) -> String {
    let reasons = funnel.stages.iter().flat_map(|stage| stage.dropped.iter().map(move |drop| (stage, drop)));
    match reasons.max_by_key(|(_, (_, count))| **count) {
        Some((stage, (reason, count))) => {
            format!("; most {} were dropped as `{reason}` ({count})", stage.unit)
        }
        None => "; nothing came in".to_owned(),
    }
}

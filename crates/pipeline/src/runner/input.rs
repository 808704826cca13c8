//! The tables that a step reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tsumugi_record::{Manifest, Record, ShardReader, shards};

use super::folder::MARKERS;
use super::hash::content_hash;
use crate::Error;

/// The shards of a table that a step reads.
#[derive(Debug, Clone, Default)]
pub struct InputTable {
    /// The files, in order.
    pub shards: Vec<PathBuf>,
    /// For each file its name and what identifies its content; goes into the manifest of the reading step.
    pub identity: BTreeMap<String, String>,
}

/// Finds the shards of a table in the folder of a finished step, or in a folder of Parquet files made elsewhere.
///
/// # Errors
/// Where the folder cannot be read, the step that writes it has not finished, or it holds no such table.
pub fn input_table(folder: &Path, kind: &str) -> Result<InputTable, Error> {
    if !folder.exists() {
        return Err(Error::Missing { path: folder.to_owned() });
    }
    if let Some(manifest) = Manifest::read(folder)? {
        return from_manifest(folder, kind, &manifest);
    }
    if folder.join(MARKERS).exists() {
        return Err(Error::Unfinished { folder: folder.to_owned() });
    }
    let shards = shards(folder, kind)?;
    if shards.is_empty() {
        return Err(Error::NoTable { folder: folder.to_owned(), kind: kind.to_owned() });
    }
    let mut identity = BTreeMap::new();
    for shard in &shards {
        identity.insert(file_name(shard), content_hash(shard)?);
    }
    Ok(InputTable { shards, identity })
}

fn from_manifest(folder: &Path, kind: &str, manifest: &Manifest) -> Result<InputTable, Error> {
    let mut table = InputTable::default();
    for entry in manifest.shards.iter().filter(|s| s.kind == kind) {
        let path = folder.join(&entry.file);
        let bytes = fs::metadata(&path).map_err(Error::io("open", &path))?.len();
        if bytes != entry.bytes {
            let reason = format!(
                "has {bytes} bytes where the manifest says {}; delete the folder and run the step again",
                entry.bytes
            );
            return Err(Error::config(path.display().to_string(), reason));
        }
        table.identity.insert(entry.file.clone(), entry.sha256.clone());
        table.shards.push(path);
    }
    if table.shards.is_empty() {
        return Err(Error::NoTable { folder: folder.to_owned(), kind: kind.to_owned() });
    }
    Ok(table)
}

/// Calls `each` with every row of a table (or of a projection of it); false where the folder has no such table.
///
/// # Errors
/// Where the table is not finished or cannot be read.
pub fn each_row<R: Record>(folder: &Path, mut each: impl FnMut(R)) -> Result<bool, Error> {
    let table = match input_table(folder, R::KIND) {
        Err(Error::NoTable { .. }) => return Ok(false),
        other => other?,
    };
    for shard in &table.shards {
        for batch in ShardReader::<R>::open(shard)? {
            batch?.into_iter().for_each(&mut each);
        }
    }
    Ok(true)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

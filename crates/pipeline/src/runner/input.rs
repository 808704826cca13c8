use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tsumugi_record::{Manifest, Record, ShardReader, shards};

use super::step::MARKERS;
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
        identity.insert(file_name(shard), file_identity(shard)?);
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

/// Calls `each` with every row of a table, or with `columns` of it alone; false where the folder has no such table.
///
/// # Errors
/// Where the table is not finished or cannot be read.
pub fn each_row<R: Record>(
    folder: &Path,
    columns: Option<&[&str]>,
    mut each: impl FnMut(R),
) -> Result<bool, Error> {
    let table = match input_table(folder, R::KIND) {
        Err(Error::NoTable { .. }) => return Ok(false),
        other => other?,
    };
    for shard in &table.shards {
        let reader = match columns {
            Some(columns) => ShardReader::<R>::open_columns(shard, columns)?,
            None => ShardReader::open(shard)?,
        };
        for batch in reader {
            batch?.into_iter().for_each(&mut each);
        }
    }
    Ok(true)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Bytes at each end of a file that its identity is made of.
const EDGE: u64 = 64 << 10;

/// What identifies a large input file without reading all of it: its length and the SHA-256 of its first and last 64 KiB.
///
/// # Errors
/// Where the file cannot be read.
pub fn file_identity(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if metadata.is_dir() {
        return Err(Error::config(path.display().to_string(), "is a folder, and a file was expected"));
    }
    let length = metadata.len();
    let mut hasher = Sha256::new();
    let mut edge = Vec::new();
    file.by_ref().take(EDGE).read_to_end(&mut edge).map_err(Error::io("read", path))?;
    hasher.update(&edge);
    if length > EDGE {
        edge.clear();
        file.seek(SeekFrom::Start(length.saturating_sub(EDGE).max(EDGE))).map_err(Error::io("read", path))?;
        file.read_to_end(&mut edge).map_err(Error::io("read", path))?;
        hasher.update(&edge);
    }
    Ok(format!("{length}:{}", &data_encoding::HEXLOWER.encode(&hasher.finalize())[..32]))
}

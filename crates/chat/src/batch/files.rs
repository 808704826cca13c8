//! What is on disk of batches: the file being filled, and the state of each that was closed.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tsumugi_record::write_atomic;

use crate::Error;

/// A batch on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) name: String,
    /// The server's id; none while it may not be created yet.
    pub(super) id: Option<String>,
    /// Keys with the model asked for.
    pub(super) keys: Vec<(String, String)>,
    pub(super) most_usd: f64,
    /// Most prompt tokens of each, for replies that do not say what they took.
    #[serde(default)]
    pub(super) prompt_tokens: Vec<u64>,
    /// How often it was refused for want of room.
    #[serde(default)]
    pub(super) refused: u32,
}

impl State {
    /// The states that an earlier run left, by name; what was being written when it ended is passed over.
    pub(super) fn read_all(folder: &Path) -> Result<Vec<Self>, Error> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|source| io(folder, source))? {
            let path = entry.map_err(|source| io(folder, source))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = std::fs::read(&path).map_err(|source| io(&path, source))?;
            serde_json::from_slice(&bytes).map_err(|source| io(&path, source.into()))
        };
        paths.into_iter().map(read).collect()
    }

    /// The file with its requests.
    pub(super) fn requests(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.jsonl", self.name))
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(format!("{}.json", self.name));
        let text = serde_json::to_vec(self).map_err(|source| io(&path, source.into()))?;
        write_atomic(&path, |file| file.write_all(&text)).map_err(|error| match error {
            tsumugi_record::Error::Io { source, .. } => io(&path, source),
            other => io(&path, std::io::Error::other(other)),
        })
    }

    pub(super) fn forget(&self, folder: &Path) -> Result<(), Error> {
        for path in [folder.join(format!("{}.json", self.name)), self.requests(folder)] {
            std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
        }
        Ok(())
    }
}

/// A request for a batch's file.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) model: String,
    pub(super) line: String,
    pub(super) prompt_tokens: u64,
    pub(super) most_usd: f64,
}

/// The file being filled.
#[derive(Debug)]
pub(super) struct Current {
    file: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
    hash: Sha256,
    keys: Vec<(String, String)>,
    prompt_tokens: Vec<u64>,
    most_usd: f64,
}

impl Current {
    pub(super) fn create(folder: &Path) -> Result<Self, Error> {
        // Its name is known only when it is full; one of a run that was killed is written over.
        let path = folder.join("next.part");
        let file = File::create(&path).map_err(|source| io(&path, source))?;
        Ok(Self {
            file: BufWriter::new(file),
            path,
            bytes: 0,
            hash: Sha256::new(),
            keys: Vec::new(),
            prompt_tokens: Vec::new(),
            most_usd: 0.0,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Bytes of the file with a further line of that length.
    pub(super) fn bytes_with(&self, line: usize) -> u64 {
        self.bytes + line as u64 + 1
    }

    /// The most that what is in it may cost.
    pub(super) fn most_usd(&self) -> f64 {
        self.most_usd
    }

    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Error> {
        writeln!(self.file, "{}", entry.line).map_err(|source| io(&self.path, source))?;
        self.bytes = self.bytes_with(entry.line.len());
        self.hash.update(&entry.key);
        self.most_usd += entry.most_usd;
        self.keys.push((entry.key, entry.model));
        self.prompt_tokens.push(entry.prompt_tokens);
        Ok(())
    }

    /// Closes the file under the name that its requests give it.
    pub(super) fn close(mut self, folder: &Path) -> Result<State, Error> {
        self.file.flush().map_err(|source| io(&self.path, source))?;
        self.file.get_ref().sync_all().map_err(|source| io(&self.path, source))?;
        let mut name = data_encoding::HEXLOWER.encode(&self.hash.finalize());
        name.truncate(24);
        let state = State {
            name,
            id: None,
            keys: self.keys,
            prompt_tokens: self.prompt_tokens,
            most_usd: self.most_usd,
            refused: 0,
        };
        let path = state.requests(folder);
        std::fs::rename(&self.path, &path).map_err(|source| io(&path, source))?;
        state.save(folder)?;
        Ok(state)
    }
}

pub(super) fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Cache { path: path.to_owned(), source }
}

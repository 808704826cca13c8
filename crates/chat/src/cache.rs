//! Replies kept on disk, so that nothing is paid for twice.
//!
//! A folder of append-only JSON-lines files `replies-NNNNN.jsonl`. Each client that writes makes a file of its own, so files
//! never have two writers; a line that a killed process left unfinished is invalid JSON at the end of its file, is skipped,
//! and nothing is ever written behind it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::limiter::lock;
use crate::{Error, Reply};

/// How often what was written is synced to the disk.
const SYNC_EVERY: Duration = Duration::from_secs(5);

/// One line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// [`crate::Request::key`].
    pub(crate) key: String,
    /// Seconds since 1970, for the record.
    pub(crate) at: u64,
    /// What it cost.
    pub(crate) usd: f64,
    /// The model asked for.
    pub(crate) asked: String,
    pub(crate) reply: Reply,
}

/// A line for an attempt whose answer never came whole: what it may have cost at the most.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lost {
    pub(crate) lost_usd: f64,
    /// Seconds since 1970, for the record.
    pub(crate) at: u64,
    /// The model asked for.
    pub(crate) asked: String,
}

/// A line for a parameter that a model refused: what is sent instead. Not of the key of any request: what was asked for is the
/// same.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    /// Where the model is served.
    pub(crate) endpoint: String,
    pub(crate) model: String,
    pub(crate) parameter: String,
    /// Another name, or nothing where the parameter is left out.
    pub(crate) instead: Option<String>,
    /// Seconds since 1970, for the record.
    pub(crate) at: u64,
}

/// A line of any kind.
#[derive(Debug)]
pub(crate) enum Line {
    Reply(Entry),
    Lost(Lost),
    Refused(Refused),
}

impl Line {
    fn read(line: &[u8]) -> Option<Self> {
        let lost = || serde_json::from_slice(line).map(Self::Lost);
        let refused = || serde_json::from_slice(line).map(Self::Refused);
        serde_json::from_slice(line).map(Self::Reply).or_else(|_| lost()).or_else(|_| refused()).ok()
    }
}

/// The folder, with an index of what it holds.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<PathBuf>,
    index: HashMap<String, Place>,
    writer: Option<Writer>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
    length: usize,
}

#[derive(Debug)]
struct Writer {
    file: File,
    number: usize,
    offset: u64,
    synced: Instant,
}

impl Cache {
    /// Opens or makes the folder, reads every line once and hands it over.
    pub(crate) fn open(folder: &Path, mut seen: impl FnMut(Line)) -> Result<Self, Error> {
        let cache = Self { folder: folder.to_owned(), state: Mutex::default() };
        std::fs::create_dir_all(folder).map_err(|source| cache.error(folder, source))?;
        let mut state = State::default();
        for path in cache.list()? {
            let file = File::open(&path).map_err(|source| cache.error(&path, source))?;
            let number = state.files.len();
            let damaged = read_lines(file, |line, offset, length| {
                let Some(line) = Line::read(line) else { return false };
                if let Line::Reply(entry) = &line {
                    let place = Place { file: number, offset, length };
                    state.index.entry(entry.key.clone()).or_insert(place);
                }
                seen(line);
                true
            })
            .map_err(|source| cache.error(&path, source))?;
            if damaged > 0 {
                tracing::warn!("{}: {damaged} unfinished or damaged lines skipped", path.display());
            }
            state.files.push(path);
        }
        *lock(&cache.state) = state;
        Ok(cache)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        lock(&self.state).index.contains_key(key)
    }

    /// The reply of that key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Reply>, Error> {
        let (path, place) = {
            let state = lock(&self.state);
            let Some(place) = state.index.get(key).copied() else { return Ok(None) };
            (state.files[place.file].clone(), place)
        };
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(place.offset))?;
            let mut line = vec![0; place.length];
            file.read_exact(&mut line)?;
            Ok(line)
        };
        let line = read().map_err(|source| self.error(&path, source))?;
        let entry: Entry =
            serde_json::from_slice(&line).map_err(|source| self.error(&path, source.into()))?;
        Ok(Some(Reply { cached: true, time: entry.at, usd: entry.usd, ..entry.reply }))
    }

    /// Appends an entry; it survives the death of this process from here on, and that of the machine within [`SYNC_EVERY`].
    pub(crate) fn put(&self, entry: &Entry) -> Result<(), Error> {
        let mut state = lock(&self.state);
        if let Some(place) = self.append(&mut state, entry)? {
            state.index.entry(entry.key.clone()).or_insert(place);
        }
        Ok(())
    }

    /// Appends a line that is no reply, as durably.
    pub(crate) fn note(&self, line: &impl Serialize) -> Result<(), Error> {
        self.append(&mut lock(&self.state), line).map(drop)
    }

    fn append(&self, state: &mut State, line: &impl Serialize) -> Result<Option<Place>, Error> {
        let mut line = serde_json::to_vec(line).map_err(|source| self.error(&self.folder, source.into()))?;
        let length = line.len();
        line.push(b'\n');
        if state.writer.is_none() {
            let (path, file) = self.create(state.files.len())?;
            let number = state.files.len();
            state.writer = Some(Writer { file, number, offset: 0, synced: Instant::now() });
            state.files.push(path);
        }
        let Some(writer) = state.writer.as_mut() else { return Ok(None) };
        let place = Place { file: writer.number, offset: writer.offset, length };
        if let Err(source) = writer.file.write_all(&line) {
            // Part of the line may be on disk: later lines go to a new file, so that only this one is lost.
            state.writer = None;
            return Err(self.error(&self.folder, source));
        }
        writer.offset += line.len() as u64;
        if writer.synced.elapsed() >= SYNC_EVERY {
            writer.synced = Instant::now();
            if let Err(error) = writer.file.sync_data() {
                tracing::warn!("{}: not synced: {error}", self.folder.display());
            }
        }
        Ok(Some(place))
    }

    fn create(&self, from: usize) -> Result<(PathBuf, File), Error> {
        let mut number = from;
        loop {
            let path = self.folder.join(format!("replies-{number:05}.jsonl"));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(self.error(&path, source)),
            }
        }
    }

    fn list(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = Vec::new();
        for item in std::fs::read_dir(&self.folder).map_err(|source| self.error(&self.folder, source))? {
            let path = item.map_err(|source| self.error(&self.folder, source))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("replies-") && name.ends_with(".jsonl") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn error(&self, path: &Path, source: std::io::Error) -> Error {
        Error::Cache { path: path.to_owned(), source }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if let Some(writer) = &lock(&self.state).writer
            && let Err(error) = writer.file.sync_all()
        {
            tracing::warn!("{}: not synced: {error}", self.folder.display());
        }
    }
}

/// Hands over complete lines with their place; gives the number of those that are unfinished or that `each` cannot use.
fn read_lines(file: File, mut each: impl FnMut(&[u8], u64, usize) -> bool) -> std::io::Result<usize> {
    let mut reader = BufReader::new(file);
    let (mut offset, mut damaged, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(damaged);
        }
        let text = line.strip_suffix(b"\n");
        if !text.is_some_and(|text| each(text, offset, read - 1)) {
            damaged += 1;
        }
        offset += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usage;

    fn entry(key: &str) -> Entry {
        let reply = Reply {
            text: "改行\nと\"引用\"".into(),
            reasoning: None,
            refusal: None,
            finish_reason: Some("stop".into()),
            usage: Usage { prompt_tokens: 3, completion_tokens: 4 },
            model: "m".into(),
            time: 0,
            usd: 0.0,
            cached: false,
        };
        Entry { key: key.into(), at: 1, usd: 0.5, asked: "m".into(), reply }
    }

    #[test]
    fn any_cut_of_the_file_loses_only_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), |_| {}).unwrap();
        for key in ["a", "b", "c"] {
            cache.put(&entry(key)).unwrap();
        }
        assert_eq!(cache.get("b").unwrap().unwrap().text, entry("b").reply.text);
        drop(cache);
        let path = folder.path().join("replies-00000.jsonl");
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut seen = 0;
            let cache = Cache::open(folder.path(), |_| seen += 1).unwrap();
            let complete = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(seen, complete);
            cache.put(&entry("d")).unwrap();
            assert!(cache.get("d").unwrap().unwrap().cached);
            drop(cache);
            assert!(Cache::open(folder.path(), |_| {}).unwrap().get("d").unwrap().is_some());
            std::fs::remove_file(folder.path().join("replies-00001.jsonl")).unwrap();
        }
    }

    #[test]
    fn two_clients_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) =
            (Cache::open(folder.path(), |_| {}).unwrap(), Cache::open(folder.path(), |_| {}).unwrap());
        one.put(&entry("a")).unwrap();
        two.put(&entry("b")).unwrap();
        one.put(&entry("c")).unwrap();
        assert!(one.get("c").unwrap().is_some() && two.get("b").unwrap().is_some());
        let again = Cache::open(folder.path(), |_| {}).unwrap();
        for key in ["a", "b", "c"] {
            assert!(again.get(key).unwrap().is_some());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = Cache::open(&file.join("cache"), |_| {}).unwrap_err();
        assert!(error.is_fatal() && error.to_string().contains("file/cache"), "{error}");
    }
}

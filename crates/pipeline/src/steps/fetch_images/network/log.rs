//! Answers on disk, in the order in which they came.
//!
//! An entry is a head of 20 bytes (length of the row, length of the image, XXH3 of both; little-endian), the row as JSON, and
//! the image. What a killed run left half written at the end does not fit its sum, and is cut off.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tsumugi_record::Fetch;
use xxhash_rust::xxh3::Xxh3;

use super::STEP;
use crate::Error;

const HEAD: usize = 20;

/// Where an entry lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    row: u32,
    body: u64,
}

/// The answers of a part.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    end: u64,
    places: HashMap<String, Place>,
}

/// Length of an image that says that there is none.
const NO_BODY: u64 = u64::MAX;

impl Log {
    /// Opens a log and reads what it has.
    pub(super) fn open(path: &Path) -> Result<Log, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
        }
        let mut options = OpenOptions::new();
        let file =
            options.read(true).append(true).create(true).open(path).map_err(Error::io("open", path))?;
        let mut log = Log { path: path.to_owned(), file, end: 0, places: HashMap::new() };
        let length = log.file.metadata().map_err(Error::io("read", path))?.len();
        let reader = log.file.try_clone().map_err(Error::io("read", path))?;
        let mut reader = BufReader::with_capacity(1 << 20, reader);
        while let Some((url, place)) = entry(&mut reader, log.end, length) {
            log.end = place.start + u64::from(place.row) + if place.body == NO_BODY { 0 } else { place.body };
            log.places.insert(url, place);
        }
        if log.end < length {
            log.file.set_len(log.end).map_err(Error::io("shorten", path))?;
        }
        Ok(log)
    }

    pub(super) fn has(&self, url: &str) -> bool {
        self.places.contains_key(url)
    }

    /// Adds an answer.
    pub(super) fn append(&mut self, fetch: &Fetch, body: Option<&[u8]>) -> Result<(), Error> {
        let row = serde_json::to_vec(fetch).map_err(Error::step(STEP, fetch.url.clone()))?;
        let place = Place {
            start: self.end + HEAD as u64,
            row: row.len() as u32,
            body: body.map_or(NO_BODY, |body| body.len() as u64),
        };
        let body = body.unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEAD + row.len() + body.len());
        bytes.extend(place.row.to_le_bytes());
        bytes.extend(place.body.to_le_bytes());
        bytes.extend(sum(&bytes, &row, body).to_le_bytes());
        bytes.extend(&row);
        bytes.extend(body);
        self.file.write_all(&bytes).map_err(Error::io("write", &self.path))?;
        self.end += bytes.len() as u64;
        self.places.insert(fetch.url.clone(), place);
        Ok(())
    }

    /// The answer to an address.
    pub(super) fn read(&self, url: &str) -> Result<(Fetch, Option<Vec<u8>>), Error> {
        let place = *self
            .places
            .get(url)
            .ok_or("no answer was written; run the step again")
            .map_err(Error::step(STEP, url.to_owned()))?;
        let part = |start: u64, length: u64| {
            let mut bytes = vec![0; length as usize];
            self.file.read_exact_at(&mut bytes, start).map_err(Error::io("read", &self.path)).map(|()| bytes)
        };
        let row = part(place.start, u64::from(place.row))?;
        let fetch = serde_json::from_slice(&row).map_err(Error::step(STEP, url.to_owned()))?;
        if place.body == NO_BODY {
            return Ok((fetch, None));
        }
        Ok((fetch, Some(part(place.start + u64::from(place.row), place.body)?)))
    }
}

fn sum(lengths: &[u8], row: &[u8], body: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    [lengths, row, body].into_iter().for_each(|bytes| hash.update(bytes));
    hash.digest()
}

/// The next entry, if it is whole.
fn entry(reader: &mut BufReader<File>, at: u64, length: u64) -> Option<(String, Place)> {
    let mut head = [0; HEAD];
    reader.read_exact(&mut head).ok()?;
    let row = u32::from_le_bytes(head[..4].try_into().ok()?);
    let body = u64::from_le_bytes(head[4..12].try_into().ok()?);
    let bytes = if body == NO_BODY { 0 } else { body };
    let start = at + HEAD as u64;
    // Before anything is read: a broken length must not take memory.
    if start.checked_add(u64::from(row))?.checked_add(bytes)? > length {
        return None;
    }
    let mut read = vec![0; row as usize];
    reader.read_exact(&mut read).ok()?;
    let mut image = vec![0; bytes as usize];
    reader.read_exact(&mut image).ok()?;
    if sum(&head[..12], &read, &image).to_le_bytes() != head[12..] {
        return None;
    }
    let fetch: Fetch = serde_json::from_slice(&read).ok()?;
    Some((fetch.url, Place { start, row, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(n: usize) -> Fetch {
        Fetch { url: format!("http://a.jp/{n}"), status: 200, ..Fetch::default() }
    }

    #[test]
    fn what_was_written_whole_is_there_again_wherever_the_file_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/log");
        let mut log = Log::open(&path).unwrap();
        let mut ends = vec![0];
        for n in 0..4 {
            let body = (n != 2).then(|| vec![n as u8; 10 * n]);
            log.append(&fetch(n), body.as_deref()).unwrap();
            ends.push(log.end);
        }
        let whole = fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut log = Log::open(&path).unwrap();
            let have = ends[1..].iter().filter(|end| **end <= length as u64).count();
            for n in 0..4 {
                assert_eq!(log.has(&format!("http://a.jp/{n}")), n < have, "{length} bytes, entry {n}");
            }
            // It goes on after what is whole.
            log.append(&fetch(9), Some(b"new")).unwrap();
            let log = Log::open(&path).unwrap();
            assert_eq!(log.read("http://a.jp/9").unwrap().1.unwrap(), b"new");
            if have == 4 {
                assert_eq!(log.read("http://a.jp/2").unwrap().1, None);
                assert_eq!(log.read("http://a.jp/3").unwrap(), (fetch(3), Some(vec![3; 30])));
            }
        }
        fs::write(&path, &whole).unwrap();
        let mut broken = whole;
        broken[ends[2] as usize + 25] ^= 1;
        fs::write(&path, &broken).unwrap();
        let log = Log::open(&path).unwrap();
        assert!(log.has("http://a.jp/1") && !log.has("http://a.jp/2"));
        assert!(log.read("http://a.jp/2").is_err());
    }
}

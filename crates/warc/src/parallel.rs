//! Reads one file with several threads and returns results in order.
//!
//! Each thread guesses the offset of a record near the start of its part and reads from there. The thread of the part
//! before it reads on until it reaches exactly that record. Only then was the guess right, and the results are those that
//! a single thread would have read. Guesses that no thread reaches are discarded. So records and faults, their locations
//! and their order equal those of [`ArchiveReader`](crate::ArchiveReader), whatever the damage.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::buffer::Spare;
use crate::decoder::Options;
use crate::decompress::{Form, form_of_start, record_member};
use crate::error::Error;
use crate::reader::{ArchiveReader, Middle, read_dictionary};
use crate::record::Record;
use crate::search::record_in_text;

/// Reads one archive file with several threads.
///
/// ```
/// use std::ops::ControlFlow;
/// use tsumugi_warc::{Options, ParallelReader};
/// # let dir = std::env::temp_dir().join(format!("warc-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("a.warc");
/// # std::fs::write(&path, "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n")?;
///
/// let mut lengths = Vec::new();
/// ParallelReader::new(&path, Options::default(), 2).for_each(
///     // Called for each record on one of the threads.
///     |record| record.map(|record| record.payload(&Default::default()).bytes().len()),
///     // Called with each result, in the order of the file.
///     |length| {
///         lengths.push(length);
///         ControlFlow::Continue(())
///     },
/// )?;
/// assert_eq!(lengths[0].as_ref().ok(), Some(&2));
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ParallelReader {
    path: PathBuf,
    options: Options,
    threads: usize,
    part: Option<u64>,
}

/// Parts per thread, if the file is large enough. With more parts, threads are idle for less time at the end.
const PARTS: u64 = 16;
/// Smallest part in bytes. Each part costs about one record that is read twice.
const SMALLEST_PART: u64 = 512 << 10;
/// Largest part in bytes. Results of a part wait in memory until their turn.
const LARGEST_PART: u64 = 16 << 20;

impl ParallelReader {
    /// Creates a reader of the file at `path` with this number of threads; 0 means one per core.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, options: Options, threads: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores() } else { threads };
        Self { path: path.as_ref().to_path_buf(), options, threads, part: None }
    }

    /// Sets the size of parts in bytes of the file, instead of a size that suits it.
    #[must_use]
    pub fn with_part(mut self, bytes: u64) -> Self {
        self.part = Some(bytes.max(1));
        self
    }

    /// Calls `map` on the threads for each record and fault that [`ArchiveReader::next`] would return, and `sink` on this
    /// thread with the results of `map` in the order of the file. `map` may also be called for records whose result is
    /// discarded. Reading ends when `sink` breaks. Returns the number of records passed to `sink`.
    ///
    /// # Errors
    /// [`Error::Open`] if the file cannot be opened.
    pub fn for_each<T: Send>(
        &self,
        map: impl Fn(Result<Record<'_>, Error>) -> T + Sync,
        mut sink: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<u64, Error> {
        match self.plan()? {
            Some(plan) => Ok(plan.run(&map, &mut sink)),
            None => {
                let mut reader = ArchiveReader::open_with(&self.path, self.options.clone())?;
                let mut records = 0;
                while let Some(item) = reader.next() {
                    records += u64::from(item.is_ok());
                    if sink(map(item)).is_break() {
                        break;
                    }
                }
                Ok(records)
            }
        }
    }

    /// Divides the file into parts. Returns `None` if that is not worthwhile or not possible.
    fn plan(&self) -> Result<Option<Plan>, Error> {
        let failed = |source| Error::Open { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        let total = if meta.is_file() { meta.len() } else { 0 };
        let share = (total / (self.threads as u64 * PARTS)).clamp(SMALLEST_PART, LARGEST_PART);
        let part = self.part.unwrap_or(share);
        if self.threads < 2 || total < 2 * part {
            return Ok(None);
        }
        let mut start = Vec::new();
        file.by_ref().take(64 << 10).read_to_end(&mut start).map_err(failed)?;
        let Some(form) = form_of_start(&start) else { return Ok(None) };
        let dictionary = if form == Form::Zstd { read_dictionary(&mut file).map_err(failed)? } else { None };
        // The first record tells whether it is an ARC file.
        let mut first = ArchiveReader::open_with(&self.path, self.options.clone())?;
        let arc = matches!(first.next(), Some(Ok(_))) && first.is_arc();
        let count = usize::try_from(total.div_ceil(part)).unwrap_or(usize::MAX);
        Ok(Some(Plan {
            path: self.path.clone(),
            options: self.options.clone(),
            threads: self.threads.min(count),
            part,
            middle: Middle { form, arc, dictionary },
            guesses: (0..count).map(|_| OnceLock::new()).collect(),
        }))
    }
}

/// A file in parts.
struct Plan {
    path: PathBuf,
    options: Options,
    threads: usize,
    /// Bytes of a part.
    part: u64,
    middle: Middle,
    /// The offset of a record that seems to start in each part.
    guesses: Vec<OnceLock<Option<u64>>>,
}

/// The results of a part.
struct Part<T> {
    /// Results, and whether each is a record.
    items: Vec<(T, bool)>,
    /// The part whose guess was reached; `None` at the end of the file.
    next: Option<u64>,
    /// Whether the last record was an ARC record.
    arc: bool,
}

impl Plan {
    fn run<T: Send>(
        &self,
        map: &(impl Fn(Result<Record<'_>, Error>) -> T + Sync),
        sink: &mut impl FnMut(T) -> ControlFlow<()>,
    ) -> u64 {
        let shared = Shared::new(self.threads);
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    let _stop = StopOnPanic(&shared);
                    let mut spare = Spare::default();
                    while let Some(index) = shared.take(self.guesses.len()) {
                        let part =
                            self.guess(index).map(|start| self.read(start, self.middle.arc, map, &mut spare));
                        shared.put(index, part);
                    }
                });
            }
            let _stop = Stop(&shared);
            self.merge(&shared, map, sink)
        })
    }

    /// Passes the results of consecutive parts to the sink.
    fn merge<T>(
        &self,
        shared: &Shared<T>,
        map: &impl Fn(Result<Record<'_>, Error>) -> T,
        sink: &mut impl FnMut(T) -> ControlFlow<()>,
    ) -> u64 {
        let (mut index, mut arc, mut records) = (0, self.middle.arc, 0);
        while let Some(part) = shared.wait(index) {
            // Guesses assume that the whole file is of one kind.
            let part = match part {
                Some(part) if arc == self.middle.arc || index == 0 => part,
                _ => self.read(self.guess(index).unwrap_or(0), arc, map, &mut Spare::default()),
            };
            for (item, is_record) in part.items {
                records += u64::from(is_record);
                if sink(item).is_break() {
                    return records;
                }
            }
            let Some(next) = part.next else { break };
            arc = part.arc;
            index = self.index(next);
        }
        records
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset / self.part).unwrap_or(usize::MAX)
    }

    /// Reads from the guess of one part until it reaches the guess of a later one.
    fn read<T>(
        &self,
        start: u64,
        arc: bool,
        map: &impl Fn(Result<Record<'_>, Error>) -> T,
        spare: &mut Spare,
    ) -> Part<T> {
        let mut items = Vec::new();
        let middle = (start > 0).then(|| Middle { arc, ..self.middle.clone() });
        let mut reader = match ArchiveReader::open_middle(&self.path, start, self.options.clone(), middle) {
            Ok(reader) => reader,
            Err(error) => return Part { items: vec![(map(Err(error)), false)], next: None, arc },
        };
        reader.borrow(spare);
        let mut next = None;
        while let Some(item) = reader.next() {
            // Another thread reads the same from there, if the form is still that of the archive's start.
            let place = item.as_ref().ok().filter(|record| record.as_begun).map(Record::location);
            let met = place
                .filter(|place| place.within == 0)
                .filter(|place| self.index(place.offset) > self.index(start))
                .filter(|place| self.guess(self.index(place.offset)) == Some(place.offset));
            if let Some(place) = met {
                next = Some(place.offset);
                break;
            }
            let is_record = item.is_ok();
            items.push((map(item), is_record));
        }
        let arc = reader.is_arc();
        reader.give_back(spare);
        Part { items, next, arc }
    }

    /// Offset of a record that seems to start in the part. The first part starts with the file.
    fn guess(&self, index: usize) -> Option<u64> {
        if index == 0 {
            return Some(0);
        }
        let start = index as u64 * self.part;
        *self.guesses.get(index)?.get_or_init(|| self.find(start).ok().flatten())
    }

    fn find(&self, start: u64) -> std::io::Result<Option<u64>> {
        let mut file = File::open(&self.path)?;
        // A record of a plain file is recognised by the line end before it.
        let plain = self.middle.form == Form::Plain;
        let from = start - u64::from(plain);
        file.seek(SeekFrom::Start(from))?;
        let mut source = file.take(self.part + LOOK_AHEAD);
        let mut bytes = Vec::new();
        // It is usually near: examine few bytes first.
        let mut step = FIRST_LOOK;
        loop {
            let read = source.by_ref().take(step).read_to_end(&mut bytes)?;
            let found = if plain {
                record_in_text(&bytes, 1, self.middle.arc)
            } else {
                record_member(self.middle.form, &bytes)
            };
            match found {
                Some(at) => {
                    let offset = from + at as u64;
                    return Ok((offset < start + self.part).then_some(offset));
                }
                None if read == 0 => return Ok(None),
                None => step *= 4,
            }
        }
    }
}

/// Bytes after a part that are needed to recognise a record that starts in it.
const LOOK_AHEAD: u64 = 128 << 10;
/// Bytes examined first.
const FIRST_LOOK: u64 = 64 << 10;

/// State shared by the threads: the parts that were read and those that may be read.
struct Shared<T> {
    next: AtomicUsize,
    /// Number of parts that may be read ahead of the one that is waited for.
    ahead: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// `None` for a part in which no record seems to start.
    ready: BTreeMap<usize, Option<Part<T>>>,
    waited_for: usize,
    stopped: bool,
}

impl<T> Shared<T> {
    fn new(threads: usize) -> Self {
        let state = State { ready: BTreeMap::new(), waited_for: 0, stopped: false };
        Self {
            next: AtomicUsize::new(0),
            ahead: 2 * threads + 1,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the next part may be read and returns it; `None` if no part is left.
    fn take(&self, count: usize) -> Option<usize> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let too_far = |state: &mut State<T>| !state.stopped && index >= state.waited_for + self.ahead;
        let state = self
            .changed
            .wait_while(self.state(), |state| index < count && too_far(state))
            .unwrap_or_else(PoisonError::into_inner);
        (index < count && !state.stopped).then_some(index)
    }

    fn put(&self, index: usize, part: Option<Part<T>>) {
        let mut state = self.state();
        // Parts that were passed meanwhile are useless.
        if index >= state.waited_for {
            state.ready.insert(index, part);
            self.changed.notify_all();
        }
    }

    /// Waits for a part. Returns `None` if reading was stopped.
    fn wait(&self, index: usize) -> Option<Option<Part<T>>> {
        let mut state = self.state();
        state.waited_for = index;
        state.ready = state.ready.split_off(&index);
        self.changed.notify_all();
        let mut state = self
            .changed
            .wait_while(state, |state| !state.stopped && !state.ready.contains_key(&index))
            .unwrap_or_else(PoisonError::into_inner);
        state.ready.remove(&index)
    }

    fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }
}

/// Stops all threads when dropped.
struct Stop<'a, T>(&'a Shared<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Stops all threads if this one panics, because no thread may wait for it.
struct StopOnPanic<'a, T>(&'a Shared<T>);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

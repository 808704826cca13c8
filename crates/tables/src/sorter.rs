//! Sorting of fixed-width entries within a limit of memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::Error;

/// Bytes that are read ahead of each run while runs are merged.
const AHEAD: usize = 256 << 10;

/// Where comparisons keep what they sort.
///
/// ```
/// let memory = tsumugi_tables::Memory { bytes: 1 << 30, scratch: std::env::temp_dir() };
/// # let _ = memory;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of keys that are held at a time. What is above is sorted in runs on disk.
    pub bytes: u64,
    /// The folder of the runs. They are unnamed temporary files, so nothing of them outlives the process.
    pub scratch: PathBuf,
}

/// Sorts entries of `W` words, compared word by word.
pub(crate) struct Sorter<'a, const W: usize> {
    held: Vec<[u64; W]>,
    most: usize,
    runs: Vec<File>,
    scratch: &'a Path,
}

impl<'a, const W: usize> Sorter<'a, W> {
    /// A sorter for about `expected` entries.
    pub(crate) fn new(memory: &'a Memory, expected: usize) -> Self {
        let most = usize::try_from(memory.bytes / size_of::<[u64; W]>() as u64).unwrap_or(usize::MAX).max(1);
        Sorter {
            held: Vec::with_capacity(expected.min(most)),
            most,
            runs: Vec::new(),
            scratch: &memory.scratch,
        }
    }

    pub(crate) fn extend(&mut self, entries: &[[u64; W]]) -> Result<(), Error> {
        let mut rest = entries;
        while !rest.is_empty() {
            if self.held.len() == self.most {
                self.spill()?;
            }
            let (now, later) = rest.split_at(rest.len().min(self.most - self.held.len()));
            self.held.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// All entries in order.
    pub(crate) fn sorted(mut self) -> Result<Sorted<W>, Error> {
        if self.runs.is_empty() {
            self.held.par_sort_unstable();
            return Ok(Sorted::Held(self.held.into_iter()));
        }
        if !self.held.is_empty() {
            self.spill()?;
        }
        let folder = self.scratch.to_owned();
        let mut runs: Vec<_> =
            self.runs.into_iter().map(|run| BufReader::with_capacity(AHEAD, run)).collect();
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (at, run) in runs.iter_mut().enumerate() {
            let first = next(run).map_err(|source| Error::Scratch { folder: folder.clone(), source })?;
            heads.extend(first.map(|entry| Reverse((entry, at))));
        }
        Ok(Sorted::Runs { runs, heads, folder })
    }

    /// Writes what is held as a sorted run.
    fn spill(&mut self) -> Result<(), Error> {
        self.held.par_sort_unstable();
        let failed = |source| Error::Scratch { folder: self.scratch.to_owned(), source };
        let mut file = tempfile::tempfile_in(self.scratch).map_err(failed)?;
        let mut out = BufWriter::with_capacity(AHEAD, &mut file);
        let written = self.held.iter().flatten().try_for_each(|word| out.write_all(&word.to_le_bytes()));
        written.and_then(|()| out.flush()).map_err(failed)?;
        drop(out);
        file.rewind().map_err(failed)?;
        self.runs.push(file);
        self.held.clear();
        Ok(())
    }
}

/// Entries in order.
pub(crate) enum Sorted<const W: usize> {
    /// All fitted in memory.
    Held(std::vec::IntoIter<[u64; W]>),
    /// Runs on disk, with the smallest entry of each that is not yet given out.
    Runs { runs: Vec<BufReader<File>>, heads: BinaryHeap<Reverse<([u64; W], usize)>>, folder: PathBuf },
}

impl<const W: usize> Iterator for Sorted<W> {
    type Item = Result<[u64; W], Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (runs, heads, folder) = match self {
            Sorted::Held(entries) => return entries.next().map(Ok),
            Sorted::Runs { runs, heads, folder } => (runs, heads, folder),
        };
        let mut head = heads.peek_mut()?;
        let Reverse((entry, at)) = *head;
        match next(&mut runs[at]) {
            Ok(Some(following)) => *head = Reverse((following, at)),
            Ok(None) => drop(PeekMut::pop(head)),
            Err(source) => return Some(Err(Error::Scratch { folder: folder.clone(), source })),
        }
        Some(Ok(entry))
    }
}

fn next<const W: usize>(run: &mut BufReader<File>) -> io::Result<Option<[u64; W]>> {
    let mut entry = [0; W];
    for (at, word) in entry.iter_mut().enumerate() {
        let mut bytes = [0; 8];
        match run.read_exact(&mut bytes) {
            Ok(()) => *word = u64::from_le_bytes(bytes),
            Err(error) if at == 0 && error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(entries: &[[u64; 2]], bytes: u64) -> Vec<[u64; 2]> {
        let memory = Memory { bytes, scratch: std::env::temp_dir() };
        let mut sorter = Sorter::new(&memory, entries.len());
        for part in entries.chunks(7) {
            sorter.extend(part).unwrap();
        }
        sorter.sorted().unwrap().map(Result::unwrap).collect()
    }

    proptest! {
        #[test]
        fn runs_give_what_memory_gives(
            entries in proptest::collection::vec([0..5_u64, 0..u64::MAX], 0..200),
            bytes in 0..600_u64,
        ) {
            let mut expected = entries.clone();
            expected.sort_unstable();
            prop_assert_eq!(sorted(&entries, bytes), expected);
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let memory = Memory { bytes: 16, scratch: "/nowhere/at/all".into() };
        let mut sorter = Sorter::<1>::new(&memory, 9);
        let error = sorter.extend(&[[1]; 9]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}

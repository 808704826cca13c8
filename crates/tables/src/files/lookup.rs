//! Which contents lie behind the keys of files.

use std::path::PathBuf;

use super::rows::Rows;
use crate::Error;
use crate::sorter::{Memory, Sorter};

/// Words of the values of a content.
const VALUES: usize = 3;

/// Finds the content behind each key of some files, by a table of links: a key links to a content by the content's own key.
/// Keys are 16 bytes. Of several links of a key to contents that are there the first counts, in the order of files and rows;
/// of several contents with one key the one of the smallest values.
///
/// `SELECT` text with the same meaning: [`lookup_sql`](crate::lookup_sql).
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    /// The files with the keys that are looked up.
    pub wanted: &'a [PathBuf],
    /// Their column.
    pub key: &'a str,
    /// The files of the links, with the column `key` and the column `target`.
    pub links: &'a [PathBuf],
    /// The column of a link, and of a content, with the content's key.
    pub target: &'a str,
    /// The files of the contents.
    pub contents: &'a [PathBuf],
    /// Columns of 64-bit integers that are found of a content.
    pub values: [&'a str; VALUES],
}

/// A key that has a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number of its file among those that are looked up.
    pub file: usize,
    /// The key.
    pub key: [u8; 16],
    /// The values of the content, in the order of [`Lookup::values`].
    pub values: [i64; VALUES],
}

impl Lookup<'_> {
    /// The keys that have a content, ordered by file and key.
    ///
    /// # Errors
    /// Where a file cannot be read, lacks a column, or a column has another type or a null, or where runs cannot be written.
    pub fn run(&self, memory: &Memory) -> Result<impl Iterator<Item = Result<Found, Error>> + use<>, Error> {
        let linked = self.linked(memory)?;
        let found = self.of_files(linked, memory)?.sorted()?;
        Ok(found.map(|entry| {
            let [file, high, low, a, b, c] = entry?;
            let key = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            Ok(Found {
                file: file as usize,
                key,
                values: [a, b, c].map(|word| (word ^ 1 << 63).cast_signed()),
            })
        }))
    }

    /// The keys of links with the values of their contents, in the order of keys and links.
    fn linked<'m>(&self, memory: &'m Memory) -> Result<Sorter<'m, 6>, Error> {
        let (links, contents) = (Rows::open(self.links)?, Rows::open(self.contents)?);
        let mut linked = Sorter::new(memory, links.len());
        if links.len() == 0 || contents.len() == 0 {
            return Ok(linked);
        }
        let [a, b, c] = self.values;
        let mut contents = contents.sort_as::<6>(&[self.target, a, b, c], &[], memory)?.sorted()?.peekable();
        for link in links.sort_as::<5>(&[self.target, self.key], &[], memory)?.sorted()? {
            let [high, low, key_high, key_low, row] = link?;
            while matches!(contents.peek(), Some(Ok(content)) if content[..2] < [high, low][..]) {
                contents.next();
            }
            match contents.peek() {
                Some(Ok([h, l, a, b, c, _])) if [*h, *l] == [high, low] => {
                    linked.extend(&[[key_high, key_low, row, *a, *b, *c]])?;
                }
                Some(Err(_)) => contents.next().transpose().map(|_| ())?,
                _ => {}
            }
        }
        Ok(linked)
    }

    /// The number of the file, the key and the values for each key that is found.
    fn of_files<'m>(&self, linked: Sorter<'m, 6>, memory: &'m Memory) -> Result<Sorter<'m, 6>, Error> {
        let wanted = Rows::open(self.wanted)?;
        let mut found = Sorter::new(memory, wanted.len());
        if wanted.len() == 0 {
            return Ok(found);
        }
        let mut linked = linked.sorted()?.peekable();
        let mut last = None;
        for entry in wanted.sort_as::<3>(&[self.key], &[], memory)?.sorted()? {
            let [high, low, row] = entry?;
            while matches!(linked.peek(), Some(Ok(link)) if link[..2] < [high, low][..]) {
                linked.next();
            }
            match linked.peek() {
                Some(Ok([h, l, _, a, b, c])) if [*h, *l] == [high, low] => {
                    let file = wanted.file_of(row) as u64;
                    // A key that stands twice in a file is found once.
                    if last != Some([file, high, low]) {
                        found.extend(&[[file, high, low, *a, *b, *c]])?;
                    }
                    last = Some([file, high, low]);
                }
                Some(Err(_)) => linked.next().transpose().map(|_| ())?,
                _ => {}
            }
        }
        Ok(found)
    }
}

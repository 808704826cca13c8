//! The header of KenLM's binary formats.

use super::MAX_ORDER;
use super::bits::Bytes;
use crate::error::Error;

/// First bytes, before the version.
const MAGIC: &[u8] = b"mmap lm http://kheafield.com/code";
/// First bytes of what is understood here, with the test values of a little-endian machine after them.
const MAGIC_5: &[u8] = b"mmap lm http://kheafield.com/code format version 5\n";
/// Test values follow at 56: the floats 0, 1 and -1/2, the words 1 and 2^32 - 1, padding, and 1 in 64 bits.
const TEST_VALUES: usize = 56;
const PARAMETERS: usize = 88;
const COUNTS: usize = 108;

/// Whether a file is in one of KenLM's binary formats.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// How the n-grams are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structure {
    Probing { rest: bool },
    Trie { quantised: bool, array: bool },
}

#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) structure: Structure,
    /// Slots of a hash table for each entry in it.
    pub(super) multiplier: f32,
    /// n-grams by length, from one word on.
    pub(super) counts: Vec<u64>,
    /// Bytes of the header.
    pub(super) len: usize,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |detail: &str| Err(Error::model(format!("not a usable KenLM file: {detail}")));
        if !bytes.starts_with(MAGIC_5) {
            return wrong(
                "it is of another version than 5, or was not finished; build it again with build_binary",
            );
        }
        let Some(fixed) = bytes.get(..COUNTS) else { return wrong("it ends inside its header") };
        let file = Bytes(fixed.to_vec());
        let values = [file.f32(TEST_VALUES), file.f32(TEST_VALUES + 4), file.f32(TEST_VALUES + 8)];
        if values != [0.0, 1.0, -0.5] || file.u32(TEST_VALUES + 12) != 1 || file.u64(80) != 1 {
            return wrong("it was built on another kind of machine; build it again on a little-endian one");
        }
        let order = usize::from(file.byte(PARAMETERS));
        if !(2..=MAX_ORDER).contains(&order) {
            return wrong(&format!("its order is {order}, and 2 to {MAX_ORDER} can be read"));
        }
        let multiplier = file.f32(PARAMETERS + 4);
        let structure = match file.u32(PARAMETERS + 8) {
            0 => Structure::Probing { rest: false },
            1 => Structure::Probing { rest: true },
            2 => Structure::Trie { quantised: false, array: false },
            3 => Structure::Trie { quantised: true, array: false },
            4 => Structure::Trie { quantised: false, array: true },
            5 => Structure::Trie { quantised: true, array: true },
            other => return wrong(&format!("its data structure has the unknown number {other}")),
        };
        let expected = u32::from(matches!(structure, Structure::Trie { .. }));
        let version = file.u32(PARAMETERS + 16);
        if version != expected {
            return wrong(&format!("its data structure is of version {version}, not {expected}"));
        }
        let len = (COUNTS + 8 * order).next_multiple_of(8);
        let Some(rest) = bytes.get(COUNTS..COUNTS + 8 * order) else {
            return wrong("it ends inside its header");
        };
        let counts = rest.as_chunks::<8>().0.iter().map(|count| u64::from_le_bytes(*count)).collect();
        Ok(Self { structure, multiplier, counts, len })
    }
}

/// Computes where the parts of a file lie, and checks that each ends within the file.
pub(super) struct Layout {
    at: u64,
    end: u64,
}

impl Layout {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { at: start as u64, end: end as u64 }
    }

    /// The offset of the next part, of `count` entries of `size` bytes.
    pub(super) fn take(&mut self, count: u64, size: u64) -> Result<usize, Error> {
        let start = self.at;
        let next = count.checked_mul(size).and_then(|bytes| self.at.checked_add(bytes));
        match next.filter(|next| *next <= self.end) {
            Some(next) => self.at = next,
            None => {
                return Err(Error::model(format!(
                    "the file is cut off: the part at byte {start} should have {count} entries of {size} bytes, \
                     and the file has {} bytes in all; copy it again",
                    self.end
                )));
            }
        }
        usize::try_from(start).map_err(|_| Error::model("the file is too large for this machine".into()))
    }

    /// The offset that the next part begins at.
    pub(super) fn here(&self) -> u64 {
        self.at
    }
}

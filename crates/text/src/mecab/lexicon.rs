//! `sys.dic` and `unk.dic`: a double array from word to tokens, the tokens, and their feature strings.

use std::ops::Range;
use std::path::Path;

use super::map::{MappedFile, u16_at, u32_at};
use crate::Error;

/// XOR of this value and the file's length stands in the first four bytes.
const MAGIC: u32 = 0xef71_8f77;
/// Version of the binary format that MeCab 0.996 writes.
const VERSION: u32 = 102;
const HEADER_BYTES: usize = 72;
const TOKEN_BYTES: usize = 16;

/// One reading of a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Context id seen from the left neighbour.
    pub(super) left: u16,
    /// Context id seen from the right neighbour.
    pub(super) right: u16,
    pub(super) cost: i16,
    /// Byte offset of the feature string.
    pub(super) feature: u32,
}

/// Place of the tokens of one word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    first: usize,
    count: usize,
}

/// A compiled dictionary file.
#[derive(Debug)]
pub(super) struct Lexicon {
    file: MappedFile,
    units: Range<usize>,
    tokens: Range<usize>,
    features: Range<usize>,
    /// Numbers of left and right context ids.
    pub(super) contexts: (u32, u32),
}

impl Lexicon {
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, Error> {
        let file = MappedFile::open(dir, name)?;
        let bytes = file.bytes();
        let mut header = [0_u32; 10];
        for (i, field) in header.iter_mut().enumerate() {
            *field = u32_at(bytes, 4 * i).ok_or_else(|| file.broken("it is shorter than its header"))?;
        }
        let [magic, version, _kind, _words, left, right, units, tokens, features, _reserved] = header;
        if (magic ^ MAGIC) as usize != bytes.len() {
            return Err(file.broken("its length is not the one its header names"));
        }
        if version != VERSION {
            return Err(file.broken(format!("its format is version {version}, this reader knows {VERSION}")));
        }
        let charset = bytes.get(40..HEADER_BYTES).unwrap_or_default();
        let charset: String = charset.iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect();
        if !matches!(charset.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "utf_8") {
            return Err(file.broken(format!("its character set is {charset:?}, this reader knows UTF-8")));
        }
        let units = HEADER_BYTES..HEADER_BYTES + units as usize;
        let tokens = units.end..units.end + tokens as usize;
        let features = tokens.end..tokens.end + features as usize;
        if features.end != bytes.len() {
            return Err(file.broken("its parts do not add up to its length"));
        }
        Ok(Self { file, units, tokens, features, contexts: (left, right) })
    }

    fn units(&self) -> &[u8] {
        &self.file.bytes()[self.units.clone()]
    }

    /// Calls `found(length, entry)` for each dictionary word that `text` starts with, shortest first.
    #[inline]
    pub(super) fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, Entry)) {
        let units = self.units();
        let unit = |at: u32| -> Option<(i32, u32)> {
            let unit: &[u8; 8] = units.get(at as usize * 8..)?.first_chunk()?;
            let [a, b, c, d, e, f, g, h] = *unit;
            Some((i32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
        };
        let Some((root, _)) = unit(0) else { return };
        let mut base = root.cast_unsigned();
        for length in 0..=text.len() {
            // A word ends here when the unit at `base` itself belongs to `base`; it then holds -(value + 1).
            if let Some((value, check)) = unit(base)
                && check == base
                && value < 0
            {
                let value = (-(i64::from(value)) - 1) as usize;
                found(length, Entry { first: value >> 8, count: value & 0xff });
            }
            let Some(byte) = text.get(length) else { return };
            match unit(base.wrapping_add(u32::from(*byte)).wrapping_add(1)) {
                Some((next, check)) if check == base => base = next.cast_unsigned(),
                _ => return,
            }
        }
    }

    /// The entry of exactly this word.
    pub(super) fn exact(&self, word: &[u8]) -> Option<Entry> {
        let mut entry = None;
        self.prefixes(word, |length, found| {
            if length == word.len() {
                entry = Some(found);
            }
        });
        entry
    }

    /// The tokens of an entry in the order of the file.
    #[inline]
    pub(super) fn tokens(&self, entry: Entry) -> impl Iterator<Item = Token> + '_ {
        let tokens = &self.file.bytes()[self.tokens.clone()];
        (entry.first..entry.first + entry.count).map_while(move |index| {
            let token: &[u8; TOKEN_BYTES] = tokens.get(index * TOKEN_BYTES..)?.first_chunk()?;
            let at = |i: usize| u16::from_le_bytes([token[i], token[i + 1]]);
            Some(Token {
                left: at(0),
                right: at(2),
                cost: at(6).cast_signed(),
                feature: u32::from_le_bytes([token[8], token[9], token[10], token[11]]),
            })
        })
    }

    /// The feature string at this offset: comma-separated columns.
    pub(super) fn feature(&self, offset: u32) -> &str {
        let features = &self.file.bytes()[self.features.clone()];
        let rest = features.get(offset as usize..).unwrap_or_default();
        let end = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
        std::str::from_utf8(&rest[..end]).unwrap_or_default()
    }
}

/// `matrix.bin`: the cost of one context beside another.
#[derive(Debug)]
pub(super) struct Matrix {
    file: MappedFile,
    left: usize,
    /// Numbers of left and right context ids.
    pub(super) contexts: (u32, u32),
}

impl Matrix {
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let file = MappedFile::open(dir, "matrix.bin")?;
        let (Some(left), Some(right)) = (u16_at(file.bytes(), 0), u16_at(file.bytes(), 2)) else {
            return Err(file.broken("it is shorter than its header"));
        };
        let (left, right) = (usize::from(left), usize::from(right));
        if file.bytes().len() != 4 + 2 * left * right {
            return Err(file.broken(format!("its length does not fit {left} x {right} costs")));
        }
        Ok(Self { file, left, contexts: (left as u32, right as u32) })
    }

    /// The costs of every left neighbour beside a word whose left context is `left`.
    #[inline]
    pub(super) fn row(&self, left: u16) -> &[u8] {
        let start = 4 + 2 * self.left * usize::from(left);
        self.file.bytes().get(start..start + 2 * self.left).unwrap_or_default()
    }
}

/// The cost in a row of a left neighbour with this right context.
#[inline]
pub(super) fn cost_in(row: &[u8], right: u16) -> i64 {
    u16_at(row, 2 * usize::from(right)).map_or(i64::from(i16::MAX), |cost| i64::from(cost.cast_signed()))
}

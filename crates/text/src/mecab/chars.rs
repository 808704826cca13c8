//! `char.bin`: the category of each character, and how unknown words of that category are built.

use std::path::Path;

use super::map::{MappedFile, u32_at};
use crate::Error;

/// What `char.bin` says of one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CharInfo(u32);

impl CharInfo {
    /// Bit set of the categories.
    fn kinds(self) -> u32 {
        self.0 & 0x3_ffff
    }

    /// Do the two share a category?
    pub(super) fn is_kind_of(self, other: Self) -> bool {
        self.kinds() & other.kinds() != 0
    }

    /// Index of the category that names the unknown word.
    pub(super) fn category(self) -> usize {
        (self.0 >> 18 & 0xff) as usize
    }

    /// Unknown words of one up to this many characters are tried.
    pub(super) fn length(self) -> usize {
        (self.0 >> 26 & 0xf) as usize
    }

    /// Is a whole run of one category tried as an unknown word?
    pub(super) fn group(self) -> bool {
        self.0 >> 30 & 1 == 1
    }

    /// Are unknown words tried even where the dictionary has one?
    pub(super) fn invoke(self) -> bool {
        self.0 >> 31 == 1
    }
}

/// The whole table.
#[derive(Debug)]
pub(super) struct CharTable {
    file: MappedFile,
    /// Category names in the order of their indices.
    pub(super) names: Vec<Vec<u8>>,
    map: usize,
}

impl CharTable {
    /// Characters in the table: the basic plane without its last code point.
    const CHARS: usize = 0xffff;

    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let file = MappedFile::open(dir, "char.bin")?;
        let bytes = file.bytes();
        let count = u32_at(bytes, 0).ok_or_else(|| file.broken("it is empty"))? as usize;
        let map = count.saturating_mul(32).saturating_add(4);
        if map.checked_add(4 * Self::CHARS) != Some(bytes.len()) {
            return Err(file.broken(format!("its length does not fit {count} categories")));
        }
        let names = bytes[4..map]
            .chunks(32)
            .map(|name| name.iter().copied().take_while(|b| *b != 0).collect())
            .collect();
        Ok(Self { names, map, file })
    }

    /// The entry of a code point. MeCab reads one place past the end for U+FFFF and finds zeros there; so do we.
    #[inline]
    fn of(&self, code: usize) -> CharInfo {
        CharInfo(u32_at(self.file.bytes(), self.map + 4 * code).unwrap_or(0))
    }

    /// The entry of the space character.
    pub(super) fn space(&self) -> CharInfo {
        self.of(0x20)
    }

    /// The entry and the byte length of the character that `text` starts with. Characters outside the basic plane,
    /// and cut ones, count as U+0000, as in MeCab.
    #[inline]
    pub(super) fn first(&self, text: &[u8]) -> (CharInfo, usize) {
        let low = |i: usize| usize::from(text[i] & 0x3f);
        let (code, length) = match text.first().copied() {
            None => (0, 1),
            Some(a) if a < 0x80 => (usize::from(a), 1),
            Some(a) if text.len() >= 2 && a & 0xe0 == 0xc0 => (usize::from(a & 0x1f) << 6 | low(1), 2),
            Some(a) if text.len() >= 3 && a & 0xf0 == 0xe0 => {
                (usize::from(a & 0x0f) << 12 | low(1) << 6 | low(2), 3)
            }
            Some(a) if text.len() >= 4 && a & 0xf8 == 0xf0 => (0, 4),
            Some(_) => (0, 1),
        };
        (self.of(code), length)
    }

    /// Follows `text` while each character shares a category with the one before it (the first with `start`).
    /// Returns the bytes and characters passed, and the last entry looked at. Stops after `limit` characters.
    #[inline]
    pub(super) fn run(&self, text: &[u8], start: CharInfo, limit: usize) -> Run {
        let (mut bytes, mut chars, mut kind, mut last) = (0, 0, start, None);
        while bytes < text.len() && chars <= limit {
            let (info, length) = self.first(&text[bytes..]);
            last = Some((info, length));
            if !kind.is_kind_of(info) {
                break;
            }
            bytes += length;
            chars += 1;
            kind = info;
        }
        Run { bytes, chars, last }
    }
}

/// A run of characters of one category.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) bytes: usize,
    pub(super) chars: usize,
    /// Entry and byte length of the last character looked at: the first that does not belong, where there is one.
    pub(super) last: Option<(CharInfo, usize)>,
}

//! A reader of MeCab's compiled dictionaries, useful alone.
//!
//! [`Dictionary`] maps `sys.dic`, `unk.dic`, `matrix.bin` and `char.bin` into memory (opening takes well under a
//! millisecond) and [`Tokenizer`] splits Japanese text with them, giving the very words that MeCab 0.996 gives,
//! ties included. Dictionaries must be compiled for UTF-8.
//!
//! ```no_run
//! use tsumugi_text::mecab::{Dictionary, Tokenizer};
//!
//! let dictionary = Dictionary::find(None)?;
//! let mut tokenizer = Tokenizer::new(&dictionary);
//! assert_eq!(tokenizer.tokens("猫が寝ている。"), ["猫", "が", "寝", "て", "いる", "。"]);
//! # Ok::<(), tsumugi_text::Error>(())
//! ```

mod chars;
mod lattice;
mod lexicon;
mod locate;
mod map;

use std::path::{Path, PathBuf};

pub use locate::{ENVIRONMENT, candidates};

use self::chars::{CharInfo, CharTable};
use self::lattice::Lattice;
use self::lexicon::{Entry, Lexicon, Matrix};
use crate::Error;

/// An open dictionary. Cheap to share between threads.
#[derive(Debug)]
pub struct Dictionary {
    path: PathBuf,
    system: Lexicon,
    unknown: Lexicon,
    matrix: Matrix,
    chars: CharTable,
    space: CharInfo,
    /// Unknown words of each category.
    unknown_entries: Vec<Option<Entry>>,
}

impl Dictionary {
    /// Opens the compiled dictionary in the folder `dir`.
    ///
    /// # Errors
    /// [`Error::Read`] where a file cannot be read, [`Error::DictionaryBroken`] where it is not what it should be.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let system = Lexicon::open(dir, "sys.dic")?;
        let unknown = Lexicon::open(dir, "unk.dic")?;
        let matrix = Matrix::open(dir)?;
        let chars = CharTable::open(dir)?;
        if system.contexts != matrix.contexts {
            return Err(Error::DictionaryBroken {
                path: dir.join("matrix.bin"),
                reason: "it belongs to another sys.dic".to_owned(),
            });
        }
        let unknown_entries = chars.names.iter().map(|name| unknown.exact(name)).collect();
        let space = chars.space();
        Ok(Self { path: dir.to_owned(), system, unknown, matrix, chars, space, unknown_entries })
    }

    /// Opens unidic-lite: from `explicit` where given, else from the first of [`candidates`] that has a `sys.dic`.
    ///
    /// # Errors
    /// [`Error::DictionaryMissing`] with the places that were tried and the remedy, or as [`Dictionary::open`].
    pub fn find(explicit: Option<&Path>) -> Result<Self, Error> {
        if let Some(dir) = explicit {
            return Self::open(dir);
        }
        let tried = candidates();
        match tried.iter().find(|dir| dir.join("sys.dic").is_file()) {
            Some(dir) => Self::open(dir),
            None => Err(Error::DictionaryMissing { tried }),
        }
    }

    /// The folder it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// One word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Morpheme<'t, 'd> {
    /// The word as it stands in the text.
    pub surface: &'t str,
    /// The dictionary's columns (part of speech, reading, ...), separated by commas.
    pub feature: &'d str,
    /// Was the word made up, because the dictionary has none that fits?
    pub unknown: bool,
}

/// Splits texts, keeping its buffers between them. One for each thread.
#[derive(Debug)]
pub struct Tokenizer<'d> {
    dictionary: &'d Dictionary,
    lattice: Lattice,
}

impl<'d> Tokenizer<'d> {
    /// A tokenizer over an open dictionary.
    #[must_use]
    pub fn new(dictionary: &'d Dictionary) -> Self {
        Self { dictionary, lattice: Lattice::default() }
    }

    /// The words of `text` in order, spaces left out.
    ///
    /// As in MeCab, a NUL character and what follows it is in no word, though their number may decide where the words before
    /// them end.
    #[must_use]
    pub fn tokens<'t>(&mut self, text: &'t str) -> Vec<&'t str> {
        let mut tokens = Vec::new();
        self.lattice.split(self.dictionary, text, |word| tokens.push(word.surface));
        tokens
    }

    /// The words of `text` with what the dictionary says of them.
    #[must_use]
    pub fn morphemes<'t>(&mut self, text: &'t str) -> Vec<Morpheme<'t, 'd>> {
        let mut words = Vec::new();
        self.lattice.split(self.dictionary, text, |word| words.push(word));
        words
    }
}

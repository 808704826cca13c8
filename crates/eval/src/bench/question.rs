//! One question and its image.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// One question about an image, with its reference answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Identifier within the benchmark; unique.
    pub id: String,
    /// Category such as `conv`; empty where there is none.
    pub category: String,
    /// The question as asked.
    pub question: String,
    /// The reference answer.
    pub reference: String,
    /// A description of the image in words, for the judge only.
    pub context: Option<String>,
    /// The image asked about.
    pub image: Option<Image>,
}

/// An encoded image, shared between the questions about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The file's bytes.
    pub bytes: Arc<[u8]>,
    /// The first 16 hex digits of the SHA-256 of the bytes. Questions with the same id are one cluster in statistics.
    pub id: String,
}

impl Image {
    /// Takes the bytes of an encoded image.
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let id = hex(&Sha256::digest(&bytes)[..8]);
        Self { bytes, id }
    }

    /// Media type and file extension by the first bytes, for the formats that browsers show.
    #[must_use]
    pub fn format(&self) -> (&'static str, &'static str) {
        match &*self.bytes {
            [0xff, 0xd8, ..] => ("image/jpeg", "jpg"),
            [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
            [b'G', b'I', b'F', ..] => ("image/gif", "gif"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("image/webp", "webp"),
            [b'B', b'M', ..] => ("image/bmp", "bmp"),
            _ => ("application/octet-stream", "bin"),
        }
    }
}

/// A row of a benchmark file that is no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedRow {
    /// The file.
    pub path: PathBuf,
    /// Its line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The questions of some files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// The questions in the order of the files.
    pub questions: Vec<Question>,
    /// Rows of JSON files that could not be read.
    pub dropped: Vec<DroppedRow>,
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

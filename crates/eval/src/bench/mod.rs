//! Benchmarks: questions about pictures with reference answers.
//!
//! [`load`] reads the three benchmarks of the paper from the Hugging Face hub or a folder of their Parquet files, and any
//! own one from JSONL or Parquet with the fields of [`Question`].

mod columns;
mod hub;
mod jsonl;
mod parquet;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::hub::Hub;
pub use self::source::{Source, load, load_with};

/// One question.
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
    /// A description of the picture in words, for the judge only.
    pub context: Option<String>,
    /// The picture asked about.
    pub picture: Option<Picture>,
}

/// An encoded picture, shared between the questions about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file's bytes.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the bytes, first 16 hex digits: questions about one picture are one cluster.
    pub id: String,
}

impl Picture {
    /// Takes the bytes of an encoded picture.
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let id = hex(&Sha256::digest(&bytes)[..8]);
        Self { bytes, id }
    }

    /// Media type and file extension by the first bytes, as far as browsers show the format.
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

/// A benchmark in memory.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Its name, such as `heron-bench`; the file's name without ending for own ones.
    pub name: String,
    /// Which of the known benchmarks it is.
    pub source: Source,
    /// The questions in the order of the files.
    pub questions: Vec<Question>,
    /// The files it was read from.
    pub files: Vec<PathBuf>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Benchmark {
    /// What identifies the questions, their pictures included, wherever they were read from.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for question in &self.questions {
            let picture = question.picture.as_ref().map_or("", |picture| &picture.id);
            let context = question.context.as_deref().unwrap_or_default();
            for field in [
                question.id.as_str(),
                &question.category,
                &question.question,
                &question.reference,
                context,
                picture,
            ] {
                hasher.update((field.len() as u64).to_le_bytes());
                hasher.update(field);
            }
        }
        hex(&hasher.finalize()[..16])
    }

    /// Checks what every benchmark must hold: questions with distinct ids, and text in each.
    fn check(self, place: &Path) -> Result<Self, crate::Error> {
        let broken = |reason: String| crate::Error::Benchmark { path: place.to_owned(), reason };
        if self.questions.is_empty() {
            return Err(broken("it holds no questions".to_owned()));
        }
        let mut seen = std::collections::HashSet::new();
        for question in &self.questions {
            if !seen.insert(&question.id) {
                return Err(broken(format!(
                    "the question id {:?} occurs twice; ids must differ",
                    question.id
                )));
            }
            if question.question.is_empty() {
                return Err(broken(format!("question {:?} is empty", question.id)));
            }
        }
        Ok(self)
    }
}

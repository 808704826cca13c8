//! Which benchmark, and where its files are.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Benchmark, Hub, jsonl, parquet};
use crate::Error;
use crate::profile::Profile;

/// A benchmark by name, or a file of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// Japanese Heron Bench, `Silviase/Japanese-Heron-Bench` at Hugging Face, split `train`: 103 questions on 21 pictures.
    HeronBench,
    /// `SakanaAI/JA-VLM-Bench-In-the-Wild`, split `test`: 50 questions on 42 pictures.
    JaVlmBenchInTheWild,
    /// `SakanaAI/JA-VG-VQA-500`, split `test`: 500 pictures with 4,000 questions (one a picture under `sakana`).
    JaVgVqa500,
    /// A JSONL or Parquet file, or a folder of Parquet files, with the fields of [`super::Question`].
    Own(PathBuf),
}

impl From<String> for Source {
    fn from(name: String) -> Self {
        match name.as_str() {
            "heron-bench" => Self::HeronBench,
            "ja-vlm-bench-in-the-wild" => Self::JaVlmBenchInTheWild,
            "ja-vg-vqa-500" => Self::JaVgVqa500,
            _ => Self::Own(PathBuf::from(name)),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeronBench => f.write_str("heron-bench"),
            Self::JaVlmBenchInTheWild => f.write_str("ja-vlm-bench-in-the-wild"),
            Self::JaVgVqa500 => f.write_str("ja-vg-vqa-500"),
            Self::Own(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Source {
    /// Repository at Hugging Face and its split; `None` for own files.
    #[must_use]
    pub fn repository(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::HeronBench => Some(("Silviase/Japanese-Heron-Bench", "train")),
            Self::JaVlmBenchInTheWild => Some(("SakanaAI/JA-VLM-Bench-In-the-Wild", "test")),
            Self::JaVgVqa500 => Some(("SakanaAI/JA-VG-VQA-500", "test")),
            Self::Own(_) => None,
        }
    }
}

/// Reads a benchmark. `data` is the folder (or file) of the Parquet files of a named one, which is fetched from the
/// Hugging Face hub ([`Hub::from_env`]) without it; own ones name their file themselves.
///
/// # Errors
/// Where the files are missing, unreadable or not as the benchmark should be.
pub fn load(source: &Source, data: Option<&Path>, profile: Profile) -> Result<Benchmark, Error> {
    load_with(source, data, profile, &Hub::from_env())
}

/// [`load`] with a hub of one's choice.
///
/// # Errors
/// As [`load`].
pub fn load_with(
    source: &Source,
    data: Option<&Path>,
    profile: Profile,
    hub: &Hub,
) -> Result<Benchmark, Error> {
    let (name, place) = match (source, data) {
        (Source::Own(path), _) => {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            (stem.unwrap_or_else(|| "benchmark".to_owned()), path.clone())
        }
        (named, Some(data)) => (named.to_string(), data.to_owned()),
        (named, None) => {
            let (repository, split) = named.repository().unwrap_or_default();
            let files = hub.parquet(repository, split)?;
            let questions = parquet::read(source, &files, profile)?;
            let benchmark = Benchmark { name: named.to_string(), source: source.clone(), questions, files };
            return benchmark.check(Path::new(repository));
        }
    };
    let is_jsonl = place.extension().is_some_and(|e| e == "jsonl" || e == "json");
    let (questions, files) = if is_jsonl {
        (jsonl::read(&place)?, vec![place.clone()])
    } else {
        let files = files(&place)?;
        (parquet::read(source, &files, profile)?, files)
    };
    Benchmark { name, source: source.clone(), questions, files }.check(&place)
}

/// The Parquet files of a file or folder (with its folders), in the order of their paths.
pub(super) fn files(place: &Path) -> Result<Vec<PathBuf>, Error> {
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let path = entry.map_err(|e| Error::io(&folder, e))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::Benchmark {
            path: place.to_owned(),
            reason: "it holds no .parquet file; give the folder that the benchmark was downloaded to"
                .to_owned(),
        });
    }
    Ok(files)
}

//! Files of questions, whatever their format.

use std::path::{Path, PathBuf};

use super::columns::Layout;
use super::question::Questions;
use super::{json, parquet};
use crate::Error;

/// Reads questions from JSON (an array, or JSON lines) or Parquet files with the fields of [`Question`](super::Question):
/// `question` (or `input_text`, `text`), `reference` (or `answer`), and optionally `question_id` (or `id`; else the row
/// number), `category`, `context` and `image` (or `images` with one image). A row of a JSON file that cannot be read is
/// dropped, and the others keep their row numbers.
///
/// # Errors
/// Where a file cannot be read, no row of a JSON file can, or a Parquet file lacks a column.
pub fn read_questions(files: &[PathBuf]) -> Result<Questions, Error> {
    read_layout(files, &parquet::plain)
}

/// Reads questions from JSON files with the fields of [`Question`](super::Question), or from Parquet files of this layout.
pub(super) fn read_layout(files: &[PathBuf], layout: &Layout<'_>) -> Result<Questions, Error> {
    let (mut found, mut rows) = (Questions::default(), 0);
    for path in files {
        if path.extension().is_some_and(|e| e == "jsonl" || e == "json") {
            rows += json::read(path, rows, &mut found)?;
        } else {
            let before = found.questions.len();
            parquet::read(path, layout, rows, &mut found.questions)?;
            rows += found.questions.len() - before;
        }
    }
    Ok(found)
}

/// The file itself, or the Parquet files of a folder and the folders in it, in the order of their paths.
pub(super) fn parquet_files(place: &Path) -> Result<Vec<PathBuf>, Error> {
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
            benchmark: place.display().to_string(),
            reason: "it holds no .parquet file; give the folder that the benchmark was downloaded to"
                .to_owned(),
        });
    }
    Ok(files)
}

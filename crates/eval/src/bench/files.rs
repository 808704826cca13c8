//! Files of questions, whatever their format.

use std::path::{Path, PathBuf};

use super::columns::Layout;
use super::question::Question;
use super::{jsonl, parquet};
use crate::Error;

/// Reads questions from JSONL or Parquet files with the fields of [`Question`]: `question` (or `input_text`, `text`),
/// `reference` (or `answer`), and optionally `question_id` (or `id`; else the row number), `category`, `context` and
/// `image`.
///
/// # Errors
/// Where a file cannot be read, or a row lacks a field.
pub fn read_questions(files: &[PathBuf]) -> Result<Vec<Question>, Error> {
    read_layout(files, &parquet::plain)
}

/// Reads questions from JSONL files with the fields of [`Question`], or from Parquet files of this layout.
pub(super) fn read_layout(files: &[PathBuf], layout: &Layout<'_>) -> Result<Vec<Question>, Error> {
    let mut questions = Vec::new();
    for path in files {
        if path.extension().is_some_and(|e| e == "jsonl" || e == "json") {
            jsonl::read(path, &mut questions)?;
        } else {
            parquet::read(path, layout, &mut questions)?;
        }
    }
    Ok(questions)
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

//! JSON files of checkpoints.

use std::io::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tsumugi_record::write_atomic;

use super::stand_in::unless_pointer;
use crate::error::{Error, Result};

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(|source| unless_pointer(path, Error::json(path)(source)))
}

/// Interprets a value that was read from `path`.
pub(crate) fn from_value<T: DeserializeOwned>(path: &Path, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(Error::json(path))
}

/// Writes a JSON file with a final newline.
pub(crate) fn write_json(path: &Path, value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(Error::json(path))?;
    write_text(path, &(text + "\n"))
}

/// Writes a text file.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    Ok(write_atomic(path, |file| file.write_all(text.as_bytes()))?)
}

//! Values that all shards of a phase need.

use std::sync::OnceLock;

use crate::Error;

/// The value of a cell, made where there is none yet. Threads that ask at the same time each make one, so a phase asks in
/// its count of shards, before its shards run in parallel.
pub(super) fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

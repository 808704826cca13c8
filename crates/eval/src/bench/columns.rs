//! Reads columns of a Parquet file by name, whatever their exact type.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::question::Question;
use crate::Error;
use crate::error::Cause;

/// What is wrong with a row, and the error that caused it, where there is one.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: String,
    pub(super) source: Option<Cause>,
}

impl Fault {
    pub(super) fn caused(reason: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self { reason: reason.into(), source: Some(source.into()) }
    }

    /// As an error about a row of a file; rows count from 1.
    pub(super) fn at(self, path: &Path, row: usize) -> Error {
        Error::Row { path: path.to_owned(), row, reason: self.reason, source: self.source }
    }
}

impl<S: Into<String>> From<S> for Fault {
    fn from(reason: S) -> Self {
        Self { reason: reason.into(), source: None }
    }
}

/// A value, or what is wrong with it.
pub(super) type Found<T> = Result<T, Fault>;

/// Makes questions of a batch of rows. It gets the file's folder and the number of questions read before.
pub(super) type Layout<'a> = dyn Fn(&RecordBatch, &Path, usize) -> Found<Vec<Question>> + 'a;

/// The first column that the batch has with one of these names.
pub(super) fn column(batch: &RecordBatch, names: &[&str]) -> Option<ArrayRef> {
    names.iter().find_map(|name| batch.column_by_name(name).cloned())
}

/// A field of a struct column.
pub(super) fn field(array: &StructArray, name: &str) -> Option<ArrayRef> {
    array.column_by_name(name).cloned()
}

/// The values of a column as text: strings unchanged, numbers in decimal.
pub(super) fn texts(array: &ArrayRef, name: &str) -> Found<Vec<Option<String>>> {
    let strings =
        cast(array, &DataType::Utf8).map_err(|e| Fault::caused(format!("column `{name}` is not text"), e))?;
    let strings = strings.as_string::<i32>();
    Ok(strings.iter().map(|value| value.map(str::to_owned)).collect())
}

/// The struct column of this name.
pub(super) fn structs(array: &ArrayRef, name: &str) -> Found<StructArray> {
    array
        .as_struct_opt()
        .cloned()
        .ok_or_else(|| format!("column `{name}` is {}, not a struct", array.data_type()).into())
}

/// Byte strings of a column; of Hugging Face's image struct, its field `bytes`.
pub(super) fn bytes(array: &ArrayRef, name: &str) -> Found<Vec<Option<Vec<u8>>>> {
    let inner = match array.as_struct_opt() {
        Some(image) => {
            field(image, "bytes").ok_or_else(|| format!("column `{name}` has no field `bytes`"))?
        }
        None => array.clone(),
    };
    let binary = cast(&inner, &DataType::LargeBinary)
        .map_err(|e| Fault::caused(format!("column `{name}` is not bytes"), e))?;
    Ok(binary.as_binary::<i64>().iter().map(|value| value.map(<[u8]>::to_vec)).collect())
}

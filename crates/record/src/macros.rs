//! What the expansion of `record!` calls. Not part of the public interface.

use std::sync::Arc;

use arrow_array::StructArray;
pub use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
pub use arrow_schema::{ArrowError, DataType};
use arrow_schema::{Field, Fields};
pub use serde_json::{Value, json};

use crate::Error;
use crate::column::{Column, wrong_type};
use crate::layout;

/// The Arrow type of a struct.
pub fn struct_type<const N: usize>(fields: [(&str, DataType); N]) -> DataType {
    DataType::Struct(fields.into_iter().map(|(name, of)| Field::new(name, of, true)).collect())
}

/// The Hugging Face feature of a struct.
pub fn struct_feature<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, feature)| (name.to_owned(), feature)).collect())
}

/// Joins columns to a struct array.
///
/// # Errors
/// Where a column does not have one value for each row.
pub fn struct_array<T>(
    data_type: DataType,
    columns: Vec<ArrayRef>,
    values: &[Option<&T>],
) -> Result<ArrayRef, ArrowError> {
    let fields = match data_type {
        DataType::Struct(fields) => fields,
        _ => Fields::empty(),
    };
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(nulls))?))
}

/// The array as a struct array, in whatever layout it was written.
///
/// # Errors
/// Where it is of another type.
pub fn as_struct<T: Column>(array: &dyn Array) -> Result<StructArray, Error> {
    layout::structs(array, &T::data_type()).ok_or_else(|| wrong_type::<T>(array))
}

/// Rows of a struct array.
pub fn length(array: &StructArray) -> usize {
    array.len()
}

/// Whether a row of a struct array is null.
pub fn is_null(array: &StructArray, row: usize) -> bool {
    array.is_null(row)
}

/// Reads one field of a struct column, or the value that stands for it where the file does not have the field.
///
/// # Errors
/// Where the field is required and missing, or of another type.
pub fn decode_field<T: Column>(parent: &StructArray, name: &str) -> Result<Vec<Option<T>>, Error> {
    if let Some(array) = parent.column_by_name(name) {
        return T::decode(array.as_ref()).map_err(|e| e.within(name));
    }
    // Told before the first row, so that a file without rows is refused too.
    if T::absent().is_none() {
        return Err(Error::ColumnMissing { column: name.to_owned() });
    }
    Ok((0..parent.len()).map(|_| T::absent()).collect())
}

//! Columns of a Parquet file by name, whatever their exact type.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

/// A column, or a message that names what is missing.
pub(super) type Found<T> = Result<T, String>;

/// The first of these columns that the batch has.
pub(super) fn column(batch: &RecordBatch, names: &[&str]) -> Option<ArrayRef> {
    names.iter().find_map(|name| batch.column_by_name(name).cloned())
}

/// A field of a struct column.
pub(super) fn field(array: &StructArray, name: &str) -> Option<ArrayRef> {
    array.column_by_name(name).cloned()
}

/// The values of a column as text: strings as they are, numbers written out.
pub(super) fn texts(array: &ArrayRef, name: &str) -> Found<Vec<Option<String>>> {
    let strings = cast(array, &DataType::Utf8).map_err(|e| format!("column `{name}` is not text: {e}"))?;
    let strings = strings.as_string::<i32>();
    Ok(strings.iter().map(|value| value.map(str::to_owned)).collect())
}

/// The struct column of this name.
pub(super) fn structs(array: &ArrayRef, name: &str) -> Found<StructArray> {
    array
        .as_struct_opt()
        .cloned()
        .ok_or_else(|| format!("column `{name}` is {}, not a struct", array.data_type()))
}

/// Byte strings of a column; a struct's field `bytes` where it is Hugging Face's image struct.
pub(super) fn bytes(array: &ArrayRef, name: &str) -> Found<Vec<Option<Vec<u8>>>> {
    let inner = match array.as_struct_opt() {
        Some(image) => {
            field(image, "bytes").ok_or_else(|| format!("column `{name}` has no field `bytes`"))?
        }
        None => array.clone(),
    };
    let binary =
        cast(&inner, &DataType::LargeBinary).map_err(|e| format!("column `{name}` is not bytes: {e}"))?;
    Ok(binary.as_binary::<i64>().iter().map(|value| value.map(<[u8]>::to_vec)).collect())
}

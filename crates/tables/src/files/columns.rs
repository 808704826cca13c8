//! Key columns out of Parquet files.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::rows::project;
use crate::{Column, Columns, Error};

impl Columns {
    /// Reads columns of a Parquet file: 64-bit integers, 16-byte keys, texts, or lists of 64-bit integers or
    /// doubles.
    ///
    /// # Errors
    /// Where the file cannot be read, lacks a column, or a column has another type or a null.
    pub fn read(path: &Path, names: &[&str]) -> Result<Columns, Error> {
        let mut table = Columns::new();
        for batch in project(path, names)? {
            let batch =
                batch.map_err(|source| Error::Parquet { path: path.to_owned(), source: source.into() })?;
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                table.append(field.name(), column(field.name(), array)?)?;
            }
        }
        Ok(table)
    }
}

fn column(name: &str, array: &ArrayRef) -> Result<Column, Error> {
    if array.null_count() > 0 {
        return Err(Error::Null { name: name.to_owned() });
    }
    let column = match array.data_type() {
        DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(|a| Column::Int(a.values().to_vec())),
        DataType::FixedSizeBinary(16) => array
            .as_fixed_size_binary_opt()
            .and_then(|a| {
                a.iter().flatten().map(|key| key.try_into().ok()).collect::<Option<Vec<[u8; 16]>>>()
            })
            .map(Column::Key),
        DataType::Utf8 => array
            .as_string_opt::<i32>()
            .map(|a| Column::Text(a.iter().flatten().map(str::to_owned).collect())),
        DataType::List(item) if *item.data_type() == DataType::Int64 => {
            lists::<Int64Type>(array).map(Column::List)
        }
        DataType::List(item) if *item.data_type() == DataType::Float64 => {
            lists::<Float64Type>(array).map(Column::Scores)
        }
        _ => None,
    };
    column
        .ok_or_else(|| Error::FileColumnType { name: name.to_owned(), found: array.data_type().to_string() })
}

fn lists<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<Vec<Vec<T::Native>>> {
    let lists = array.as_list_opt::<i32>()?;
    lists.iter().map(|list| Some(list?.as_primitive_opt::<T>()?.values().to_vec())).collect()
}

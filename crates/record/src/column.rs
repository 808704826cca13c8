//! Columns: how a Rust type lies in Arrow. Whole columns are converted at once, so nested rows cost no dynamic dispatch a value.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use serde_json::{Value, json};

use crate::Error;
use crate::layout;

/// A type that can stand in a column of a table.
///
/// Every Arrow field is declared nullable, as Hugging Face and pandas write them; which values are required is said by the
/// Rust type and checked when a column is decoded.
pub trait Column: Sized {
    /// The Arrow type.
    fn data_type() -> DataType;
    /// The feature of Hugging Face's `datasets` that decodes the column.
    fn feature() -> Value;
    /// Builds an array with one place for each value; `None` becomes null.
    ///
    /// # Errors
    /// Where the values do not fit an Arrow array, such as more than 2 GiB of text.
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError>;
    /// Reads an array back; a null is `None`.
    ///
    /// # Errors
    /// [`Error::ColumnType`], [`Error::ColumnMissing`] or [`Error::Null`] where the array is of another table.
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error>;
    /// The value to take where the file has no such column; `None` where that is an error.
    fn absent() -> Option<Self> {
        None
    }
    /// Roughly how many bytes the value takes, to bound the size of a batch.
    fn weight(&self) -> usize {
        std::mem::size_of::<Self>()
    }
}

pub(crate) fn wrong_type<T: Column>(array: &dyn Array) -> Error {
    Error::ColumnType {
        column: String::new(),
        expected: T::data_type().to_string(),
        found: array.data_type().to_string(),
    }
}

/// What the 32-bit offsets of an Arrow array can address, in bytes or items.
#[cfg(not(test))]
const MAX_OFFSET: usize = i32::MAX as usize;
/// Tests reach the limit with a batch of some kilobytes.
#[cfg(test)]
const MAX_OFFSET: usize = 4096;

/// Arrow's builders panic where offsets overflow, so their room is checked before.
fn check_offsets(needed: usize) -> Result<(), ArrowError> {
    if needed > MAX_OFFSET { Err(ArrowError::OffsetOverflowError(needed)) } else { Ok(()) }
}

pub(crate) fn utf8<'a>(
    values: impl Iterator<Item = Option<&'a str>> + Clone,
) -> Result<ArrayRef, ArrowError> {
    check_offsets(values.clone().flatten().map(str::len).sum())?;
    Ok(Arc::new(values.collect::<StringArray>()))
}

pub(crate) fn value_feature(dtype: &str) -> Value {
    json!({ "dtype": dtype, "_type": "Value" })
}

impl Column for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn feature() -> Value {
        value_feature("string")
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        utf8(values.iter().map(|v| v.map(String::as_str)))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        layout::texts(array).ok_or_else(|| wrong_type::<Self>(array))
    }
    fn weight(&self) -> usize {
        self.len() + 4
    }
}

impl Column for Vec<u8> {
    fn data_type() -> DataType {
        DataType::Binary
    }
    fn feature() -> Value {
        value_feature("binary")
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        let bytes: usize = values.iter().flatten().map(|v| v.len()).sum();
        check_offsets(bytes)?;
        Ok(Arc::new(values.iter().map(|v| v.map(Vec::as_slice)).collect::<BinaryArray>()))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        layout::bytes(array).ok_or_else(|| wrong_type::<Self>(array))
    }
    fn weight(&self) -> usize {
        self.len() + 4
    }
}

impl Column for bool {
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn feature() -> Value {
        value_feature("bool")
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(values.iter().map(|v| v.copied()).collect::<BooleanArray>()))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        layout::booleans(array).ok_or_else(|| wrong_type::<Self>(array))
    }
}

fn encode_numbers<A: ArrowPrimitiveType>(values: &[Option<&A::Native>]) -> ArrayRef {
    Arc::new(values.iter().map(|v| v.copied()).collect::<Vec<_>>().into_iter().collect::<PrimitiveArray<A>>())
}

macro_rules! number_column {
    ($($native:ty => $arrow:ty, $dtype:literal;)*) => {$(
        impl Column for $native {
            fn data_type() -> DataType {
                <$arrow>::DATA_TYPE
            }
            fn feature() -> Value {
                value_feature($dtype)
            }
            fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
                Ok(encode_numbers::<$arrow>(values))
            }
            fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
                layout::numbers::<$arrow>(array)
            }
        }
    )*};
}

number_column! {
    i32 => Int32Type, "int32";
    u16 => UInt16Type, "uint16";
    u32 => UInt32Type, "uint32";
    u64 => UInt64Type, "uint64";
    i64 => Int64Type, "int64";
    f64 => Float64Type, "float64";
}

/// A 16-byte key, such as a hash of a text.
impl Column for [u8; 16] {
    fn data_type() -> DataType {
        DataType::FixedSizeBinary(16)
    }
    fn feature() -> Value {
        value_feature("binary")
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.iter().copied(), 16)?))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        let keys = layout::bytes(array).ok_or_else(|| wrong_type::<Self>(array))?;
        let key = |key: Vec<u8>| key.try_into().map_err(|_| wrong_type::<Self>(array));
        keys.into_iter().map(|found| found.map(key).transpose()).collect()
    }
}

impl<T: Column> Column for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }
    fn feature() -> Value {
        T::feature()
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        T::encode(&values.iter().map(|v| v.and_then(Option::as_ref)).collect::<Vec<_>>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        Ok(T::decode(array)?.into_iter().map(Some).collect())
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn weight(&self) -> usize {
        self.as_ref().map_or(1, T::weight)
    }
}

/// The name that Arrow and pyarrow give to the items of a list.
const LIST_ITEM: &str = "item";

impl<T: Column> Column for Vec<T> {
    fn data_type() -> DataType {
        DataType::List(Arc::new(Field::new(LIST_ITEM, T::data_type(), true)))
    }
    fn feature() -> Value {
        json!({ "feature": T::feature(), "_type": "List" })
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        let items: Vec<Option<&T>> =
            values.iter().flat_map(|v| v.map_or(&[][..], Vec::as_slice)).map(Some).collect();
        check_offsets(items.len())?;
        let offsets = OffsetBuffer::from_lengths(values.iter().map(|v| v.map_or(0, Vec::len)));
        let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
        let field = Arc::new(Field::new(LIST_ITEM, T::data_type(), true));
        Ok(Arc::new(ListArray::try_new(field, offsets, T::encode(&items)?, Some(nulls))?))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        let lists = layout::lists(array).ok_or_else(|| wrong_type::<Self>(array))?;
        let mut items = T::decode(lists.items.as_ref())?.into_iter();
        let mut rows = Vec::with_capacity(lists.lengths.len());
        for (row, length) in lists.lengths.iter().enumerate() {
            let list: Option<Vec<T>> = items.by_ref().take(*length).collect();
            rows.push(match list {
                _ if lists.is_null(row) => None,
                Some(list) => Some(list),
                None => return Err(Error::Null { column: LIST_ITEM.into(), row }),
            });
        }
        Ok(rows)
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
    fn weight(&self) -> usize {
        self.iter().map(T::weight).sum::<usize>() + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Excluded, Record, ShardWriter};

    #[test]
    fn a_batch_that_does_not_fit_is_an_error_and_no_empty_batch() {
        let row = |length| Excluded { reason: "x".repeat(length), ..Excluded::default() };
        assert_eq!(Excluded::to_batch(&[row(MAX_OFFSET)]).unwrap().num_rows(), 1);
        let rows = [row(MAX_OFFSET), row(1)];
        assert!(
            matches!(Excluded::to_batch(&rows), Err(ArrowError::OffsetOverflowError(n)) if n == MAX_OFFSET + 1)
        );
        assert!(Vec::<u16>::encode(&[Some(&vec![0; MAX_OFFSET + 1])]).is_err());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("excluded-00000.parquet");
        let mut writer = ShardWriter::create(&path).unwrap();
        let written = writer.write(&rows).and_then(|()| writer.finish());
        assert!(matches!(written, Err(Error::Arrow { .. })));
        assert!(!path.exists());
    }
}

//! The layouts in which writers store a column.
//!
//! Arrow has several layouts for one kind of value, and pandas, polars, DuckDB, pyarrow and `datasets` choose differently among
//! them: 32-bit or 64-bit offsets, views, dictionaries, runs, fixed-size lists, and the type Null for a column without values.
//! Each function here reads all layouts of one kind and returns nothing where the column is of another kind.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt8Type};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_buffer::NullBuffer;
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{DataType, Field, Fields};

use crate::Error;

/// A column whose values are stored once and referred to, as a column of values; none where it is another kind of column.
fn unpacked(array: &dyn Array) -> Option<ArrayRef> {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        _ => return None,
    };
    cast(array, &values).ok()
}

/// Texts: strings of any layout, and byte strings that are UTF-8.
pub(crate) fn texts(array: &dyn Array) -> Option<Vec<Option<String>>> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    match array.data_type() {
        DataType::Null => Some(vec![None; array.len()]),
        DataType::Utf8 => Some(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().iter().map(|v| v.map(str::to_owned)).collect()),
        DataType::Utf8View => Some(array.as_string_view().iter().map(|v| v.map(str::to_owned)).collect()),
        // Parquet files of some writers do not say that a byte array is text.
        DataType::Binary => texts(&cast_with_options(array, &DataType::Utf8, &strict).ok()?),
        DataType::LargeBinary => texts(&cast_with_options(array, &DataType::LargeUtf8, &strict).ok()?),
        DataType::BinaryView => texts(&cast_with_options(array, &DataType::Utf8View, &strict).ok()?),
        _ => texts(unpacked(array)?.as_ref()),
    }
}

/// Texts, and whole numbers in decimal.
pub(crate) fn names(array: &dyn Array) -> Option<Vec<Option<String>>> {
    if let Some(values) = unpacked(array) {
        return names(values.as_ref());
    }
    if array.data_type().is_integer() {
        return texts(&cast(array, &DataType::Utf8).ok()?);
    }
    texts(array)
}

/// Byte strings of any layout, and lists of bytes.
pub(crate) fn bytes(array: &dyn Array) -> Option<Vec<Option<Vec<u8>>>> {
    match array.data_type() {
        DataType::Null => Some(vec![None; array.len()]),
        DataType::Binary => Some(array.as_binary::<i32>().iter().map(|v| v.map(<[u8]>::to_vec)).collect()),
        DataType::LargeBinary => {
            Some(array.as_binary::<i64>().iter().map(|v| v.map(<[u8]>::to_vec)).collect())
        }
        DataType::BinaryView => Some(array.as_binary_view().iter().map(|v| v.map(<[u8]>::to_vec)).collect()),
        DataType::FixedSizeBinary(_) => {
            Some(array.as_fixed_size_binary().iter().map(|v| v.map(<[u8]>::to_vec)).collect())
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
            let lists = lists(array)?;
            let mut items = lists.items.as_primitive_opt::<UInt8Type>()?.values().iter().copied();
            let mut row = |(row, length): (usize, &usize)| {
                let found: Vec<u8> = items.by_ref().take(*length).collect();
                (!lists.is_null(row)).then_some(found)
            };
            Some(lists.lengths.iter().enumerate().map(&mut row).collect())
        }
        _ => bytes(unpacked(array)?.as_ref()),
    }
}

/// Booleans.
pub(crate) fn booleans(array: &dyn Array) -> Option<Vec<Option<bool>>> {
    match array.data_type() {
        DataType::Null => Some(vec![None; array.len()]),
        DataType::Boolean => Some(array.as_boolean().iter().collect()),
        _ => booleans(unpacked(array)?.as_ref()),
    }
}

/// Numbers of any width. pandas stores whole numbers with gaps as floats and writes NaN into the gaps, so NaN is null where
/// whole numbers are asked for.
///
/// # Errors
/// [`Error::ColumnType`] where the column holds no numbers, [`Error::Number`] where one does not fit.
pub(crate) fn numbers<A: ArrowPrimitiveType>(array: &dyn Array) -> Result<Vec<Option<A::Native>>, Error> {
    if let Some(values) = unpacked(array) {
        return numbers::<A>(values.as_ref());
    }
    if let Some(numbers) = array.as_primitive_opt::<A>() {
        return Ok(numbers.iter().collect());
    }
    let found = array.data_type();
    let expected = A::DATA_TYPE.to_string();
    let fault = || Error::ColumnType {
        column: String::new(),
        expected: A::DATA_TYPE.to_string(),
        found: found.to_string(),
    };
    if found.is_null() {
        return Ok(vec![None; array.len()]);
    }
    if !found.is_integer() && !found.is_floating() {
        return Err(fault());
    }
    let converted = cast(array, &A::DATA_TYPE).map_err(|_| fault())?;
    let converted = converted.as_primitive_opt::<A>().ok_or_else(fault)?;
    let floats = match found.is_floating() && A::DATA_TYPE.is_integer() {
        true => Some(cast(array, &DataType::Float64).map_err(|_| fault())?),
        false => None,
    };
    let floats = floats.as_ref().map(|array| array.as_primitive::<Float64Type>());
    for row in 0..array.len() {
        let float = floats.filter(|floats| floats.is_valid(row)).map(|floats| floats.value(row));
        let lost = array.is_valid(row) && converted.is_null(row) && !float.is_some_and(f64::is_nan);
        if lost || float.is_some_and(|float| float.is_finite() && float.fract() != 0.0) {
            return Err(Error::Number { column: String::new(), row, expected });
        }
    }
    Ok(converted.iter().collect())
}

/// Lists as the lengths of their rows (of a null row: what it covers) and the items of all of them.
pub(crate) struct Lists {
    pub(crate) lengths: Vec<usize>,
    pub(crate) items: ArrayRef,
    nulls: Option<NullBuffer>,
}

impl Lists {
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

/// Lists of any layout.
pub(crate) fn lists(array: &dyn Array) -> Option<Lists> {
    let nulls = array.logical_nulls();
    match array.data_type() {
        DataType::Null => {
            let items = arrow_array::new_empty_array(&DataType::Null);
            Some(Lists { lengths: vec![0; array.len()], items, nulls })
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets: Vec<usize> = list.value_offsets().iter().map(|&at| at as usize).collect();
            Some(between(&offsets, list.values(), nulls))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets: Vec<usize> = list.value_offsets().iter().map(|&at| at as usize).collect();
            Some(between(&offsets, list.values(), nulls))
        }
        DataType::FixedSizeList(_, size) => {
            let list = array.as_fixed_size_list();
            let size = usize::try_from(*size).ok()?;
            Some(Lists { lengths: vec![size; list.len()], items: list.values().clone(), nulls })
        }
        DataType::ListView(item) => lists(&cast(array, &DataType::List(item.clone())).ok()?),
        DataType::LargeListView(item) => lists(&cast(array, &DataType::LargeList(item.clone())).ok()?),
        _ => None,
    }
}

fn between(offsets: &[usize], values: &ArrayRef, nulls: Option<NullBuffer>) -> Lists {
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    Lists {
        lengths: offsets.windows(2).map(|pair| pair[1] - pair[0]).collect(),
        items: values.slice(first, last - first),
        nulls,
    }
}

/// Structs. Where a struct of `bytes` and `path` is asked for (an image), a column of bytes is read as its bytes, and a
/// column of texts as its paths.
pub(crate) fn structs(array: &dyn Array, expected: &DataType) -> Option<StructArray> {
    let DataType::Struct(fields) = expected else { return None };
    let image = fields.len() == 2 && fields[0].name() == "bytes" && fields[1].name() == "path";
    match array.data_type() {
        DataType::Struct(_) => Some(array.as_struct().clone()),
        DataType::Null => Some(StructArray::new_null(fields.clone(), array.len())),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView if image => one_field("bytes", array),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if image => one_field("path", array),
        _ => structs(unpacked(array)?.as_ref(), expected),
    }
}

fn one_field(name: &str, array: &dyn Array) -> Option<StructArray> {
    let field = Field::new(name, array.data_type().clone(), true);
    let columns = vec![array.slice(0, array.len())];
    StructArray::try_new(Fields::from(vec![Arc::new(field)]), columns, array.nulls().cloned()).ok()
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Int32Type, Int64Type, UInt32Type};
    use arrow_array::*;
    use proptest::prelude::*;

    use super::*;
    use crate::{Column, Content, Image};

    fn cast_to(array: &dyn Array, to: &DataType) -> ArrayRef {
        cast(array, to).unwrap()
    }

    fn dictionary(values: DataType) -> DataType {
        DataType::Dictionary(Box::new(DataType::Int16), Box::new(values))
    }

    proptest! {
        #[test]
        fn every_layout_of_texts_and_bytes_is_read(values in prop::collection::vec(any::<Option<String>>(), 0..20)) {
            let array: ArrayRef = Arc::new(values.iter().cloned().collect::<StringArray>());
            for to in [DataType::LargeUtf8, DataType::Utf8View, DataType::Binary, DataType::BinaryView, dictionary(DataType::Utf8)] {
                prop_assert_eq!(String::decode(&cast_to(&array, &to)).unwrap(), values.clone(), "{}", to);
            }
            let bytes: Vec<Option<Vec<u8>>> = values.iter().map(|v| v.clone().map(String::into_bytes)).collect();
            for to in [DataType::LargeBinary, DataType::BinaryView, dictionary(DataType::Binary)] {
                let array = cast_to(&cast_to(&array, &DataType::Binary), &to);
                prop_assert_eq!(Vec::<u8>::decode(&array).unwrap(), bytes.clone(), "{}", to);
            }
        }

        #[test]
        fn every_width_of_numbers_is_read(values in prop::collection::vec(any::<Option<u8>>(), 0..20)) {
            let array: ArrayRef = Arc::new(values.iter().copied().collect::<UInt8Array>());
            let wanted: Vec<Option<u32>> = values.iter().map(|v| v.map(u32::from)).collect();
            for to in [DataType::UInt8, DataType::Int16, DataType::UInt16, DataType::Int32, DataType::Int64, DataType::UInt64, DataType::Float32, DataType::Float64, dictionary(DataType::Int64)] {
                prop_assert_eq!(u32::decode(&cast_to(&array, &to)).unwrap(), wanted.clone(), "{}", to);
            }
        }

        #[test]
        fn every_layout_of_lists_is_read(values in prop::collection::vec(prop::collection::vec(any::<Option<i32>>(), 3), 0..8), from in 0usize..4) {
            let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(values.iter().map(|v| Some(v.clone())), 3);
            let item = Arc::new(Field::new("element", DataType::Int64, true));
            for to in [DataType::List(item.clone()), DataType::LargeList(item.clone()), DataType::FixedSizeList(item.clone(), 3)] {
                let array = cast_to(&fixed, &to);
                let from = from.min(array.len());
                let array = array.slice(from, array.len() - from);
                let read: Vec<Vec<Option<i32>>> = Vec::<Option<i32>>::decode(&array).unwrap().into_iter().flatten().collect();
                prop_assert_eq!(&read, &values[from..], "{}", to);
            }
        }
    }

    #[test]
    fn a_column_of_type_null_is_null_in_every_row() {
        let array = NullArray::new(2);
        assert_eq!(String::decode(&array).unwrap(), [None, None]);
        assert_eq!(u32::decode(&array).unwrap(), [None, None]);
        assert_eq!(bool::decode(&array).unwrap(), [None, None]);
        assert_eq!(Vec::<Content>::decode(&array).unwrap(), [None, None]);
        assert_eq!(Image::decode(&array).unwrap(), [None, None]);
    }

    #[test]
    fn whole_numbers_may_be_floats_with_gaps() {
        let gaps = Float64Array::from(vec![Some(3.0), Some(f64::NAN), None]);
        assert_eq!(numbers::<UInt32Type>(&gaps).unwrap(), [Some(3), None, None]);
        assert_eq!(f64::decode(&Float32Array::from(vec![0.5])).unwrap(), [Some(0.5)]);
        for array in [&Float64Array::from(vec![1.5]) as &dyn Array, &Int64Array::from(vec![-1])] {
            assert!(matches!(numbers::<UInt32Type>(array), Err(Error::Number { row: 0, .. })));
        }
        let large = Float64Array::from(vec![0.0, 1e300]);
        assert!(matches!(numbers::<Int64Type>(&large), Err(Error::Number { row: 1, .. })));
    }

    #[test]
    fn an_image_may_be_bytes_or_a_path_alone() {
        let bytes = BinaryArray::from_opt_vec(vec![Some(b"x"), None]);
        assert_eq!(
            Image::decode(&bytes).unwrap(),
            [Some(Image { bytes: Some(b"x".to_vec()), path: None }), None]
        );
        let paths = LargeStringArray::from(vec!["a.png"]);
        assert_eq!(Image::decode(&paths).unwrap(), [Some(Image { bytes: None, path: Some("a.png".into()) })]);
        assert!(Content::decode(&paths).is_err(), "only images stand for a struct");
        let list = FixedSizeListArray::from_iter_primitive::<UInt8Type, _, _>([Some([Some(1), Some(2)])], 2);
        assert_eq!(Vec::<u8>::decode(&list).unwrap(), [Some(vec![1, 2])]);
    }

    #[test]
    fn other_kinds_are_refused_by_name() {
        let times = TimestampMillisecondArray::from(vec![1]);
        let error = String::decode(&times).unwrap_err().to_string();
        assert!(error.contains("Timestamp") && error.contains("Utf8"), "{error}");
        assert!(u32::decode(&StringArray::from(vec!["3"])).is_err());
        assert!(String::decode(&Int64Array::from(vec![3])).is_err());
        assert!(String::decode(&BinaryArray::from_vec(vec![&[0xff, 0xfe]])).is_err());
        assert!(Vec::<String>::decode(&StringArray::from(vec!["a"])).is_err());
        assert!(Image::decode(&times).is_err());
    }
}

//! Columns: how a Rust type lies in Arrow. Whole columns are converted at once, so nested rows cost no dynamic dispatch a value.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, ListArray, PrimitiveArray, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use serde_json::{Value, json};

use crate::Error;
use crate::rows::*;

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
    fn encode(values: &[Option<&Self>]) -> ArrayRef;
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

fn wrong_type<T: Column>(array: &dyn Array) -> Error {
    Error::ColumnType {
        column: String::new(),
        expected: T::data_type().to_string(),
        found: array.data_type().to_string(),
    }
}

fn value_feature(dtype: &str) -> Value {
    json!({ "dtype": dtype, "_type": "Value" })
}

impl Column for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn feature() -> Value {
        value_feature("string")
    }
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.map(String::as_str)).collect::<StringArray>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        // Other writers of the same table may choose the large or the view layout.
        if let Some(strings) = array.as_string_opt::<i32>() {
            return Ok(strings.iter().map(|v| v.map(str::to_owned)).collect());
        }
        if let Some(strings) = array.as_string_opt::<i64>() {
            return Ok(strings.iter().map(|v| v.map(str::to_owned)).collect());
        }
        let strings = array.as_string_view_opt().ok_or_else(|| wrong_type::<Self>(array))?;
        Ok(strings.iter().map(|v| v.map(str::to_owned)).collect())
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
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.map(Vec::as_slice)).collect::<BinaryArray>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        if let Some(bytes) = array.as_binary_opt::<i32>() {
            return Ok(bytes.iter().map(|v| v.map(<[u8]>::to_vec)).collect());
        }
        let bytes = array.as_binary_opt::<i64>().ok_or_else(|| wrong_type::<Self>(array))?;
        Ok(bytes.iter().map(|v| v.map(<[u8]>::to_vec)).collect())
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
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.copied()).collect::<BooleanArray>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        Ok(array.as_boolean_opt().ok_or_else(|| wrong_type::<Self>(array))?.iter().collect())
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
            fn encode(values: &[Option<&Self>]) -> ArrayRef {
                encode_numbers::<$arrow>(values)
            }
            fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
                let numbers = array.as_primitive_opt::<$arrow>().ok_or_else(|| wrong_type::<Self>(array))?;
                Ok(numbers.iter().collect())
            }
        }
    )*};
}

number_column! {
    u16 => UInt16Type, "uint16";
    u32 => UInt32Type, "uint32";
    u64 => UInt64Type, "uint64";
    i64 => Int64Type, "int64";
    f64 => Float64Type, "float64";
}

impl<T: Column> Column for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }
    fn feature() -> Value {
        T::feature()
    }
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
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
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
        let items: Vec<Option<&T>> =
            values.iter().flat_map(|v| v.map_or(&[][..], Vec::as_slice)).map(Some).collect();
        let offsets = OffsetBuffer::from_lengths(values.iter().map(|v| v.map_or(0, Vec::len)));
        let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
        let field = Arc::new(Field::new(LIST_ITEM, T::data_type(), true));
        Arc::new(ListArray::new(field, offsets, T::encode(&items), Some(nulls)))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        let lists = array.as_list_opt::<i32>().ok_or_else(|| wrong_type::<Self>(array))?;
        let offsets = lists.value_offsets();
        let first = offsets[0] as usize;
        let last = offsets[lists.len()] as usize;
        let mut items = T::decode(&lists.values().slice(first, last - first))?.into_iter();
        let mut rows = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let length = (offsets[row + 1] - offsets[row]) as usize;
            let list: Option<Vec<T>> = items.by_ref().take(length).collect();
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

impl Column for Role {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn feature() -> Value {
        value_feature("string")
    }
    fn encode(values: &[Option<&Self>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.map(|role| role.as_str())).collect::<StringArray>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        let read = |(row, word): (usize, Option<String>)| match word {
            None => Ok(None),
            Some(word) => match Role::parse(&word) {
                Some(role) => Ok(Some(role)),
                None => Err(Error::Word { column: String::new(), row, value: word }),
            },
        };
        String::decode(array)?.into_iter().enumerate().map(read).collect()
    }
}

/// Reads one field of a struct column, or its stand-in where the file does not have the field.
pub(crate) fn decode_field<T: Column>(parent: &StructArray, name: &str) -> Result<Vec<Option<T>>, Error> {
    match parent.column_by_name(name) {
        Some(array) => T::decode(array.as_ref()).map_err(|e| e.within(name)),
        None => {
            let absent = || T::absent().ok_or(Error::ColumnMissing { column: name.to_owned() });
            (0..parent.len()).map(|_| absent().map(Some)).collect()
        }
    }
}

/// Declares a struct's columns: `Type { field, field => "column name", ... }`, with an optional Hugging Face feature.
macro_rules! struct_column {
    ($type:ident $(as $feature:expr;)? { $($field:ident : $field_type:ty $(=> $name:literal)?),* $(,)? }) => {
        impl $type {
            fn fields() -> Fields {
                Fields::from(vec![$(
                    Field::new(struct_column!(@name $field $($name)?), <$field_type as Column>::data_type(), true),
                )*])
            }
        }
        impl Column for $type {
            fn data_type() -> DataType {
                DataType::Struct(Self::fields())
            }
            #[allow(unreachable_code)]
            fn feature() -> Value {
                $(return $feature;)?
                let mut features = serde_json::Map::new();
                $(features.insert(
                    struct_column!(@name $field $($name)?).to_owned(),
                    <$field_type as Column>::feature(),
                );)*
                Value::Object(features)
            }
            fn encode(values: &[Option<&Self>]) -> ArrayRef {
                let columns: Vec<ArrayRef> = vec![$(
                    <$field_type as Column>::encode(
                        &values.iter().map(|v| v.map(|v| &v.$field)).collect::<Vec<_>>()
                    ),
                )*];
                let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
                Arc::new(StructArray::new(Self::fields(), columns, Some(nulls)))
            }
            fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
                let parent = array.as_struct_opt().ok_or_else(|| wrong_type::<Self>(array))?;
                $(let mut $field = decode_field::<$field_type>(
                    parent, struct_column!(@name $field $($name)?))?.into_iter();)*
                let mut rows = Vec::with_capacity(parent.len());
                for row in 0..parent.len() {
                    $(let $field = $field.next().flatten();)*
                    if parent.is_null(row) {
                        rows.push(None);
                        continue;
                    }
                    rows.push(Some($type {$(
                        $field: $field.ok_or(Error::Null {
                            column: struct_column!(@name $field $($name)?).to_owned(),
                            row,
                        })?,
                    )*}));
                }
                Ok(rows)
            }
            fn weight(&self) -> usize {
                0 $(+ self.$field.weight())*
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}

struct_column!(Provenance { warc: String, offset: u64, length: u64, record_id: String, date: String });
struct_column!(Image as json!({ "_type": "Image" }); { bytes: Option<Vec<u8>>, path: Option<String> });
struct_column!(ImageSlot {
    url: String,
    alt: Option<String>,
    caption: Option<String>,
    link_text: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    opt_out: bool,
});
struct_column!(Node { text: Option<String>, role: Role, image: Option<ImageSlot> });
struct_column!(Statistic { name: String, value: f64 });
struct_column!(Document {
    id: String,
    url: String,
    title: Option<String>,
    language: Option<String>,
    language_score: Option<f64>,
    charset: String,
    nodes: Vec<Node>,
    opt_out: bool,
    opt_out_signals: Vec<String>,
    provenance: Provenance,
    statistics: Vec<Statistic>,
    signature: Vec<u32>,
    bands: Vec<i64>,
});
struct_column!(ImageRow { id: String, image: Image, width: u32, height: u32, format: String, phash: String });
struct_column!(Fetch {
    url: String,
    final_url: String,
    page_url: String,
    image_id: Option<String>,
    status: u16,
    reason: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    date: String,
    provenance: Provenance,
});
struct_column!(Similarity { scorer: String, value: f64 });
struct_column!(Pair {
    id: String,
    image: Image,
    text: String,
    text_source: String,
    image_url: String,
    page_url: String,
    width: u32,
    height: u32,
    phash: String,
    similarities: Vec<Similarity>,
    provenance: Provenance,
});
struct_column!(ImageInfo { url: String, width: u32, height: u32, phash: String, similarity: Option<f64> });
struct_column!(Interleaved {
    id: String,
    texts: Vec<Option<String>>,
    images: Vec<Option<Image>>,
    image_info: Vec<ImageInfo>,
    page_url: String,
    provenance: Provenance,
});
struct_column!(Content { kind: String => "type", text: Option<String> });
struct_column!(Message { role: String, content: Vec<Content> });
struct_column!(Generator {
    model: String,
    prompt_version: String,
    prompt_tokens: u64,
    completion_tokens: u64,
});
struct_column!(Conversation {
    id: String,
    images: Vec<Image>,
    messages: Vec<Message>,
    task: String,
    generator: Generator,
});
struct_column!(Excluded {
    id: String,
    step: String,
    reason: String,
    value: Option<String>,
    provenance: Provenance,
});
struct_column!(Prediction {
    benchmark: String,
    question_id: String,
    category: String,
    question: String,
    reference: String,
    answer: String,
    model: String,
    settings: String,
});
struct_column!(Judgement {
    benchmark: String,
    question_id: String,
    run: u32,
    judge: String,
    profile: String,
    reply: String,
    score: Option<f64>,
    reference_score: Option<f64>,
    error: Option<String>,
});

//! Column types for files of other writers, in which values may be missing where the project's own tables have them.

use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType};
use serde_json::Value;

use crate::column::{Column, utf8, value_feature, wrong_type};
use crate::{Content, Error, layout};

/// The identifier of a row: a text, or a whole number in decimal. It is empty where the file has no such column or the row
/// no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowId(pub String);

impl Column for RowId {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn feature() -> Value {
        value_feature("string")
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        utf8(values.iter().map(|value| value.map(|id| id.0.as_str())))
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        let names = layout::names(array).ok_or_else(|| wrong_type::<Self>(array))?;
        Ok(names.into_iter().map(|name| Some(RowId(name.unwrap_or_default()))).collect())
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// A column that the file must have, whose values may be null. (An `Option` is a column that the file may lack.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Column> Column for Nullable<T> {
    fn data_type() -> DataType {
        T::data_type()
    }
    fn feature() -> Value {
        T::feature()
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        T::encode(&values.iter().map(|value| value.and_then(|inner| inner.0.as_ref())).collect::<Vec<_>>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        Ok(T::decode(array)?.into_iter().map(|value| Some(Nullable(value))).collect())
    }
}

/// What a message says: its parts, or one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// A text, in which `<image>` stands for an image.
    Text(String),
    /// Texts and places of images.
    List(Vec<Option<Content>>),
}

impl Column for Parts {
    fn data_type() -> DataType {
        Vec::<Content>::data_type()
    }
    fn feature() -> Value {
        Vec::<Content>::feature()
    }
    fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
        let list = |parts: &Self| match parts {
            Self::Text(text) => vec![Some(Content { kind: "text".to_owned(), text: Some(text.clone()) })],
            Self::List(parts) => parts.clone(),
        };
        let lists: Vec<Option<Vec<Option<Content>>>> = values.iter().map(|value| value.map(list)).collect();
        Vec::encode(&lists.iter().map(Option::as_ref).collect::<Vec<_>>())
    }
    fn decode(array: &dyn Array) -> Result<Vec<Option<Self>>, Error> {
        if let Some(texts) = layout::texts(array) {
            return Ok(texts.into_iter().map(|text| text.map(Self::Text)).collect());
        }
        Ok(Vec::decode(array)?.into_iter().map(|parts| parts.map(Self::List)).collect())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn identifiers_are_texts_or_whole_numbers() {
        let ids = |array: &dyn Array| -> Vec<String> {
            RowId::decode(array).unwrap().into_iter().flatten().map(|id| id.0).collect()
        };
        assert_eq!(ids(&StringArray::from(vec![Some("a"), None])), ["a", ""]);
        assert_eq!(ids(&Int64Array::from(vec![Some(-7), None])), ["-7", ""]);
        assert!(RowId::decode(&arrow_array::Float64Array::from(vec![0.5])).is_err());
    }

    #[test]
    fn content_is_a_text_or_a_list_of_parts() {
        let texts = StringArray::from(vec![Some("<image>\nx"), None]);
        assert_eq!(Parts::decode(&texts).unwrap(), [Some(Parts::Text("<image>\nx".into())), None]);
        let parts = Parts::List(vec![Some(Content { kind: "image".into(), text: None }), None]);
        let array = Parts::encode(&[Some(&parts), None]).unwrap();
        assert_eq!(Parts::decode(&array).unwrap(), [Some(parts), None]);
    }
}

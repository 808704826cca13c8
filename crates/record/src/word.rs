//! Columns whose values are a few fixed words.

/// Lays an enum out as a column of strings, by its `as_str` and `parse`.
macro_rules! word_column {
    ($name:ty) => {
        impl $crate::Column for $name {
            fn data_type() -> arrow_schema::DataType {
                arrow_schema::DataType::Utf8
            }
            fn feature() -> serde_json::Value {
                $crate::column::value_feature("string")
            }
            fn encode(values: &[Option<&Self>]) -> Result<arrow_array::ArrayRef, arrow_schema::ArrowError> {
                $crate::column::utf8(values.iter().map(|value| value.map(|word| word.as_str())))
            }
            fn decode(array: &dyn arrow_array::Array) -> Result<Vec<Option<Self>>, $crate::Error> {
                let read = |(row, word): (usize, Option<String>)| match word {
                    None => Ok(None),
                    Some(word) => match Self::parse(&word) {
                        Some(known) => Ok(Some(known)),
                        None => Err($crate::Error::Word { column: String::new(), row, value: word }),
                    },
                };
                <String as $crate::Column>::decode(array)?.into_iter().enumerate().map(read).collect()
            }
        }
    };
}
pub(crate) use word_column;

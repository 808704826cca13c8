//! The role of a text on its page.

use serde::{Deserialize, Serialize};

/// What a text node is on its page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Part of the main text.
    #[default]
    Main,
    /// A heading of the main text.
    Heading,
    /// A caption of a figure or table.
    Caption,
    /// Menu, footer, share button, cookie banner and the like.
    Boilerplate,
}

impl Role {
    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Main => "main",
            Role::Heading => "heading",
            Role::Caption => "caption",
            Role::Boilerplate => "boilerplate",
        }
    }

    /// The role that a table's word names.
    pub fn parse(word: &str) -> Option<Role> {
        [Role::Main, Role::Heading, Role::Caption, Role::Boilerplate].into_iter().find(|r| r.as_str() == word)
    }
}

#[cfg(feature = "parquet")]
mod column {
    use arrow_array::{Array, ArrayRef};
    use arrow_schema::{ArrowError, DataType};
    use serde_json::Value;

    use super::Role;
    use crate::Error;
    use crate::column::{Column, utf8, value_feature};

    impl Column for Role {
        fn data_type() -> DataType {
            DataType::Utf8
        }
        fn feature() -> Value {
            value_feature("string")
        }
        fn encode(values: &[Option<&Self>]) -> Result<ArrayRef, ArrowError> {
            utf8(values.iter().map(|v| v.map(|role| role.as_str())))
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
}

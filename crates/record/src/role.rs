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
crate::word::word_column!(Role);

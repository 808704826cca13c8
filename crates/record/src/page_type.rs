//! The type of a page.

use serde::{Deserialize, Serialize};

/// What kind of page a document was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageType {
    /// A text by an author: news, blog posts, encyclopedias.
    Article,
    /// Several people's posts: threads, questions with their answers.
    Forum,
    /// One thing to buy or use.
    Product,
    /// Things of one kind side by side, such as a shop's category.
    Collection,
    /// Teasers of other pages: a portal, an archive, search results.
    Listing,
    /// Reference and instructions.
    Documentation,
    /// What a company or institution offers and who it is.
    Service,
}

impl PageType {
    /// All types.
    pub const ALL: [PageType; 7] = [
        PageType::Article,
        PageType::Forum,
        PageType::Product,
        PageType::Collection,
        PageType::Listing,
        PageType::Documentation,
        PageType::Service,
    ];

    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            PageType::Article => "article",
            PageType::Forum => "forum",
            PageType::Product => "product",
            PageType::Collection => "collection",
            PageType::Listing => "listing",
            PageType::Documentation => "documentation",
            PageType::Service => "service",
        }
    }

    /// The type that a table's word names.
    pub fn parse(word: &str) -> Option<PageType> {
        PageType::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[cfg(feature = "parquet")]
crate::word::word_column!(PageType);

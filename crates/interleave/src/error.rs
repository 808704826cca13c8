//! Errors of the builders. Unusable pages, images and texts are not errors: they are dropped with a reason.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The values of a matrix do not fill its shape.
    #[error("a matrix of {rows} x {columns} needs {} values and has {len}", rows * columns)]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Number of values.
        len: usize,
    },
    /// A score is infinite or NaN.
    #[error("the score of row {row}, column {column} is {value}; scores must be finite")]
    NotFinite {
        /// Row (image).
        row: usize,
        /// Column (text).
        column: usize,
        /// The value.
        value: f64,
    },
    /// A scorer or the NSFW classifier failed.
    #[error("scorer {scorer} failed")]
    Scorer {
        /// Name of the scorer.
        scorer: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no recipe of this name.
    #[error("there is no recipe `{name}`; choose paper, mmc4, obelics, waon, or a file that ends in .toml")]
    UnknownProfile {
        /// The name given.
        name: String,
    },
    /// The file of a recipe cannot be read.
    #[error("cannot read the recipe {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of a recipe has a wrong field.
    #[error("cannot parse the recipe {}", path.display())]
    Recipe {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and field.
        source: Box<toml::de::Error>,
    },
    /// A word list or language pack cannot be used.
    #[error(transparent)]
    Text(#[from] tsumugi_text::Error),
    /// A regular expression of the recipe is wrong.
    #[error("`{field}` is not a regular expression")]
    Pattern {
        /// Field of the recipe.
        field: &'static str,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
}

impl Error {
    /// A scorer's failure: its own error, or a message.
    pub fn scorer(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Scorer { scorer: name.to_owned(), source: source.into() }
    }
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

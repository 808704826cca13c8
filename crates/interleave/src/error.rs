//! What the builders can fail with. Dirty input is not among it: that is dropped with a reason.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A matrix whose values do not fill its shape.
    #[error("a matrix of {rows} x {columns} needs {} values and has {len}", rows * columns)]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Values there are.
        len: usize,
    },
    /// A score that is infinite or not a number.
    #[error("the score of row {row}, column {column} is {value}; scores must be finite")]
    NotFinite {
        /// Row (picture).
        row: usize,
        /// Column (text).
        column: usize,
        /// The value.
        value: f64,
    },
    /// A scorer failed.
    #[error("scorer {scorer}: {message}")]
    Scorer {
        /// Name of the scorer.
        scorer: String,
        /// What it says.
        message: String,
    },
    /// A profile that does not exist.
    #[error(
        "there is no profile `{name}`; there are: paper, mmc4, obelics, waon, and files that end in .toml"
    )]
    UnknownProfile {
        /// The name given.
        name: String,
    },
    /// A recipe's file that cannot be read, or has a wrong field.
    #[error("the recipe {}: {reason}", path.display())]
    Recipe {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong, with line and field.
        reason: String,
    },
    /// A word list that cannot be read.
    #[error("the word list")]
    Words(#[from] tsumugi_text::Error),
    /// A regular expression of the configuration that is wrong.
    #[error("`{field}` is not a regular expression")]
    Pattern {
        /// Field of the configuration.
        field: &'static str,
        /// What is wrong.
        #[source]
        source: Box<regex::Error>,
    },
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

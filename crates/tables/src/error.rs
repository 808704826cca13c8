//! The crate's error.

/// What can be wrong with the input of an operator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two vectors that describe the same rows differ in length.
    #[error("`{name}` has {found} rows where the keys have {expected}: give one element a row")]
    Length {
        /// The vector.
        name: &'static str,
        /// Rows of the keys.
        expected: usize,
        /// Rows of this vector.
        found: usize,
    },
    /// A sample of no rows was asked for.
    #[error("the block of a sample is 0 rows: give at least 1")]
    EmptyBlock,
    /// A quantile outside 0..=1.
    #[error("the quantile {q} is outside 0..=1")]
    Quantile {
        /// The quantile asked for.
        q: f64,
    },
    /// A value that cannot be ordered.
    #[error("row {row} is NaN: drop such rows before a quantile")]
    NotANumber {
        /// The row.
        row: usize,
    },
    /// An operator names a column that the table does not have.
    #[error("the table has no column `{name}`: it has {have}")]
    NoColumn {
        /// The column.
        name: String,
        /// The columns that there are.
        have: String,
    },
    /// A column has another type than the operator needs.
    #[error("column `{name}` is {found} where the operator needs {expected}")]
    ColumnType {
        /// The column.
        name: String,
        /// The type needed.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A name that cannot stand in SQL text as it is.
    #[error("`{name}` is no plain name (letters, digits and _, not starting with a digit)")]
    Name {
        /// The name.
        name: String,
    },
}

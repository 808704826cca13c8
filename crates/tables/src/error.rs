//! The crate's error.

/// What can be wrong with the input of an operator.
#[derive(Debug, thiserror::Error)]
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
    /// A key file cannot be opened.
    #[cfg(feature = "parquet")]
    #[error("{path}: cannot be opened", path = path.display())]
    Open {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A key file cannot be read.
    #[cfg(feature = "parquet")]
    #[error("{path}: cannot be read as Parquet; delete the step's output folder and run the step again", path = path.display())]
    Parquet {
        /// The file.
        path: std::path::PathBuf,
        /// The reader's reason.
        source: parquet::errors::ParquetError,
    },
    /// A key column of a file has a null.
    #[error("column `{name}` has nulls, and a key column may have none")]
    Null {
        /// The column.
        name: String,
    },
    /// A column of a file is of a type that no operator reads.
    #[error(
        "column `{name}` is of type {found}: operators read 64-bit integers, 16-byte keys, texts, and lists of 64-bit integers or doubles"
    )]
    FileColumnType {
        /// The column.
        name: String,
        /// Its Arrow type.
        found: String,
    },
    /// Runs that are sorted on disk cannot be written or read.
    #[error("{folder}: keys cannot be sorted on disk here; make room, or allow more memory", folder = folder.display())]
    Scratch {
        /// The folder of the runs.
        folder: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The key of an operator is wider than what is compared.
    #[error(
        "the key columns {columns} take {bytes} bytes, and at most 64 are compared: hash some of them to 16 bytes"
    )]
    WideKey {
        /// The columns.
        columns: String,
        /// Bytes of a key.
        bytes: usize,
    },
    /// More than 255 operators.
    #[error("more than 255 operators are given: apply them in several comparisons")]
    ManyOperators,
    /// A name that cannot stand in SQL text as it is.
    #[error("`{name}` is not a plain name (letters, digits and _, not starting with a digit)")]
    Name {
        /// The name.
        name: String,
    },
}

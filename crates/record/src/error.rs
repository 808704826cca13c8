use std::path::PathBuf;

/// What can go wrong between rows and files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{path}: {action} failed; check that the folder exists, is writable and has free space", path = path.display())]
    Io {
        /// What was being done, such as `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not a readable Parquet file, or writing one failed.
    #[cfg(feature = "parquet")]
    #[error("{path}: cannot be read or written as Parquet; if the file is damaged, delete it and run the step that made it again", path = path.display())]
    Parquet {
        /// The shard.
        path: PathBuf,
        /// The reader's or writer's reason.
        source: parquet::errors::ParquetError,
    },
    /// Columns could not be joined to a record batch or read from one.
    #[cfg(feature = "parquet")]
    #[error("{path}: rows and columns of the table do not fit", path = path.display())]
    Arrow {
        /// The shard.
        path: PathBuf,
        /// Arrow's reason.
        source: arrow_schema::ArrowError,
    },
    /// A column has another type than the table asks for.
    #[error(
        "column `{column}` is of type {found}, and {expected} was expected; the file was not written as this table"
    )]
    ColumnType {
        /// Path of the column, such as `nodes.image.url`.
        column: String,
        /// What the table asks for.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// A required column is absent.
    #[error(
        "column `{column}` is missing; the file was not written as this table, or the projection left it out"
    )]
    ColumnMissing {
        /// Path of the column.
        column: String,
    },
    /// A required value is null.
    #[error("row {row} of column `{column}` is null, and the table requires a value")]
    Null {
        /// Path of the column.
        column: String,
        /// Row within the batch, from 0.
        row: usize,
    },
    /// A text value is not one of the words its column allows.
    #[error("row {row} of column `{column}` holds `{value}`, which is none of its allowed words")]
    Word {
        /// Path of the column.
        column: String,
        /// Row within the batch, from 0.
        row: usize,
        /// What was found.
        value: String,
    },
    /// A number does not fit the type that the table asks for.
    #[error("row {row} of column `{column}` holds a number that {expected} cannot represent")]
    Number {
        /// Path of the column.
        column: String,
        /// Row within the batch, from 0.
        row: usize,
        /// The type that the table asks for.
        expected: String,
    },
    /// A shard holds another table, or a later version of it.
    #[error("{path}: holds table `{found}`, and `{expected}` was expected; give the folder of the right step", path = path.display())]
    Kind {
        /// The shard.
        path: PathBuf,
        /// Kind and version that were asked for.
        expected: String,
        /// Kind and version that the file states.
        found: String,
    },
    /// A manifest or marker is not valid JSON of its type.
    #[cfg(feature = "parquet")]
    #[error("{path}: is not valid JSON of its kind; delete the step's output folder and run the step again", path = path.display())]
    Json {
        /// The manifest or marker.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
}

impl Error {
    /// True where the file system refused (full disk, missing permission), not the data.
    pub fn is_io(&self) -> bool {
        #[cfg(feature = "parquet")]
        if let Error::Parquet { source: parquet::errors::ParquetError::External(inner), .. } = self {
            return inner.downcast_ref::<std::io::Error>().is_some();
        }
        matches!(self, Error::Io { .. })
    }

    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }

    /// Puts the name of an outer column before the place an inner error names.
    #[cfg(feature = "parquet")]
    pub(crate) fn within(self, outer: &str) -> Error {
        let join = |column: String| {
            if column.is_empty() { outer.to_owned() } else { format!("{outer}.{column}") }
        };
        match self {
            Error::ColumnType { column, expected, found } => {
                Error::ColumnType { column: join(column), expected, found }
            }
            Error::ColumnMissing { column } => Error::ColumnMissing { column: join(column) },
            Error::Null { column, row } => Error::Null { column: join(column), row },
            Error::Number { column, row, expected } => Error::Number { column: join(column), row, expected },
            Error::Word { column, row, value } => Error::Word { column: join(column), row, value },
            other => other,
        }
    }
}

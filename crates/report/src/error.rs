/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row has more or fewer cells than its table has columns.
    #[error("row {row} of the table {table:?} has {cells} cells, but the table has {columns} columns")]
    RowLength {
        /// The table's caption, or its first column's name where it has none.
        table: String,
        /// Number of the row, from 0.
        row: usize,
        /// Cells of the row.
        cells: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// The bytes are in none of the image formats that browsers show.
    #[error("the image is neither JPEG, PNG, GIF, WebP, AVIF nor BMP")]
    UnknownImage,
    /// An image could not be decoded.
    #[cfg(feature = "thumbnails")]
    #[error("the image cannot be decoded")]
    Decode(#[source] ::image::ImageError),
    /// A thumbnail could not be encoded.
    #[cfg(feature = "thumbnails")]
    #[error("the thumbnail cannot be encoded")]
    Encode(#[source] ::image::ImageError),
    /// A template of this crate failed.
    #[error("the page cannot be rendered")]
    Template(#[from] minijinja::Error),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] tsumugi_record::Error),
}

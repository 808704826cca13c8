use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::Error;
use crate::cell::{Cell, CellView};

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    name: String,
    kind: Kind,
    unit: Option<String>,
    decimals: Option<usize>,
    filter: bool,
    language: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Number,
    Image,
}

impl Column {
    fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, unit: None, decimals: None, filter: false, language: None }
    }

    /// A column of text, sorted alphabetically by the reader's language.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Text)
    }

    /// A column of numbers: right aligned, with thousands separators, sorted by value. NaN and empty cells sort last.
    #[must_use]
    pub fn number(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Number)
    }

    /// A column of images. It cannot be sorted.
    #[must_use]
    pub fn image(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Image)
    }

    /// The unit, shown beside the name.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Decimal places of the numbers. Without it, numbers have four significant digits.
    #[must_use]
    pub fn decimals(mut self, decimals: usize) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// Lets the reader choose rows by the values of this column.
    #[must_use]
    pub fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Language of the cells as a BCP 47 tag, where it is not the page's. Browsers choose the shapes of Han characters by
    /// it, and screen readers the voice.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }
}

/// A table that the reader can sort, search and filter.
///
/// ```
/// use tsumugi_report::{Column, Table};
///
/// let table = Table::new([Column::text("reason").filter(), Column::number("rows")])
///     .caption("Dropped by reason")
///     .with(("too_small", 182))
///     .with(("near_duplicate", 59));
/// assert_eq!(table.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Tables with more rows get a search box.
const ROWS_WITHOUT_SEARCH: usize = 10;

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), ..Self::default() }
    }

    /// Names the table, above it.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Adds a row: a tuple of values, or a list of cells. A row whose length is not the number of columns makes
    /// [`Page::render`](crate::Page::render) fail.
    pub fn push(&mut self, row: impl IntoRow) {
        self.rows.push(row.into_row());
    }

    /// Adds a row and returns the table.
    #[must_use]
    pub fn with(mut self, row: impl IntoRow) -> Self {
        self.push(row);
        self
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn cells<'a>(&self, row: &'a [Cell]) -> Vec<CellView<'a>> {
        row.iter().zip(&self.columns).map(|(cell, column)| cell.view(column.decimals)).collect()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let columns = self.columns.len();
        match self.rows.iter().enumerate().find(|(_, row)| row.len() != columns) {
            None => Ok(()),
            Some((row, cells)) => {
                let first = self.columns.first().map(|column| column.name.clone()).unwrap_or_default();
                let table = if self.caption.is_empty() { first } else { self.caption.clone() };
                Err(Error::RowLength { table, row, cells: cells.len(), columns })
            }
        }
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<Vec<CellView<'_>>> = self.rows.iter().map(|row| self.cells(row)).collect();
        let mut view = serializer.serialize_struct("Table", 4)?;
        view.serialize_field("caption", &self.caption)?;
        view.serialize_field("columns", &self.columns)?;
        view.serialize_field("rows", &rows)?;
        view.serialize_field("search", &(self.rows.len() > ROWS_WITHOUT_SEARCH))?;
        view.end()
    }
}

/// What can be a row of a [`Table`]: tuples of up to twelve values, and lists of [`Cell`]s.
pub trait IntoRow {
    /// The cells of the row.
    fn into_row(self) -> Vec<Cell>;
}

impl IntoRow for Vec<Cell> {
    fn into_row(self) -> Vec<Cell> {
        self
    }
}

impl<const N: usize> IntoRow for [Cell; N] {
    fn into_row(self) -> Vec<Cell> {
        self.into()
    }
}

macro_rules! tuples {
    ($($value:ident)*) => {
        tuples!(@ [] $($value)*);
    };
    (@ [$($done:ident)*] $next:ident $($rest:ident)*) => {
        #[allow(non_snake_case)]
        impl<$($done: Into<Cell>,)* $next: Into<Cell>> IntoRow for ($($done,)* $next,) {
            fn into_row(self) -> Vec<Cell> {
                let ($($done,)* $next,) = self;
                vec![$($done.into(),)* $next.into()]
            }
        }
        tuples!(@ [$($done)* $next] $($rest)*);
    };
    (@ [$($done:ident)*]) => {};
}

tuples!(A B C D E F G H I J K L);

//! Key columns in memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::Error;

/// A column without nulls.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// 64-bit integers.
    Int(Vec<i64>),
    /// 16-byte keys (hashes), ordered by their bytes.
    Key(Vec<[u8; 16]>),
    /// Lists of scores, one of each scorer.
    Scores(Vec<Vec<f64>>),
    /// Strings, ordered by their UTF-8 bytes.
    Text(Vec<String>),
    /// Lists of integers (band keys).
    List(Vec<Vec<i64>>),
}

impl Column {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "integers",
            Self::Key(_) => "16-byte keys",
            Self::Scores(_) => "lists of doubles",
            Self::Text(_) => "text",
            Self::List(_) => "lists of integers",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Key(values) => values.len(),
            Self::Scores(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::List(values) => values.len(),
        }
    }

    fn filter(&self, keep: &[bool]) -> Column {
        fn of<T: Clone>(values: &[T], keep: &[bool]) -> Vec<T> {
            values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).collect()
        }
        match self {
            Self::Int(values) => Self::Int(of(values, keep)),
            Self::Key(values) => Self::Key(of(values, keep)),
            Self::Scores(values) => Self::Scores(of(values, keep)),
            Self::Text(values) => Self::Text(of(values, keep)),
            Self::List(values) => Self::List(of(values, keep)),
        }
    }

    fn is_not(&self, name: &str, expected: &'static str) -> Error {
        Error::ColumnType { name: name.to_owned(), expected, found: self.kind() }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Int(values) => values[a].cmp(&values[b]),
            Self::Key(values) => values[a].cmp(&values[b]),
            Self::Scores(values) => values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal),
            Self::Text(values) => values[a].cmp(&values[b]),
            Self::List(values) => values[a].cmp(&values[b]),
        }
    }
}

/// The key columns of a table, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    columns: BTreeMap<String, Column>,
}

impl Columns {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table with one more column (replacing one of the same name).
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        self.columns.insert(name.into(), column);
        self
    }

    /// Appends rows: to a table without columns, or to one with the same columns.
    ///
    /// # Errors
    /// [`Error::NoColumn`] where the tables have other columns, [`Error::ColumnType`] where a column has another type.
    pub fn extend(&mut self, other: Columns) -> Result<(), Error> {
        if self.columns.is_empty() {
            *self = other;
            return Ok(());
        }
        other.columns.into_iter().try_for_each(|(name, column)| {
            self.get(&name)?;
            self.append(&name, column)
        })
    }

    pub(crate) fn append(&mut self, name: &str, more: Column) -> Result<(), Error> {
        let Some(column) = self.columns.get_mut(name) else {
            self.columns.insert(name.to_owned(), more);
            return Ok(());
        };
        let (expected, found) = (column.kind(), more.kind());
        match (column, more) {
            (Column::Int(have), Column::Int(more)) => have.extend(more),
            (Column::Key(have), Column::Key(more)) => have.extend(more),
            (Column::Scores(have), Column::Scores(more)) => have.extend(more),
            (Column::Text(have), Column::Text(more)) => have.extend(more),
            (Column::List(have), Column::List(more)) => have.extend(more),
            _ => return Err(Error::ColumnType { name: name.to_owned(), expected, found }),
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Result<&Column, Error> {
        self.columns.get(name).ok_or_else(|| Error::NoColumn {
            name: name.to_owned(),
            have: self.columns.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    pub(crate) fn lists(&self, name: &str) -> Result<&[Vec<i64>], Error> {
        match self.get(name)? {
            Column::List(values) => Ok(values),
            other => Err(other.is_not(name, "lists of integers")),
        }
    }

    pub(crate) fn scores(&self, name: &str) -> Result<&[Vec<f64>], Error> {
        match self.get(name)? {
            Column::Scores(values) => Ok(values),
            other => Err(other.is_not(name, "lists of doubles")),
        }
    }

    /// Rows of the table; 0 where it has no column.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.values().next().map_or(0, Column::len)
    }

    /// The rows for which `keep` is true.
    #[must_use]
    pub fn filter(&self, keep: &[bool]) -> Columns {
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), column.filter(keep)));
        Columns { columns: columns.collect() }
    }

    /// The rows of some columns as dense ranks in their joint order: equal rows get equal ranks.
    pub(crate) fn ranks(&self, names: &[String]) -> Result<Vec<usize>, Error> {
        let columns = names.iter().map(|name| self.get(name)).collect::<Result<Vec<_>, _>>()?;
        let rows = self.rows();
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != rows {
                let _ = name;
                return Err(Error::Length { name: "a key column", expected: rows, found: column.len() });
            }
        }
        let compare = |a: usize, b: usize| {
            columns.iter().map(|column| column.compare(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut order: Vec<usize> = (0..rows).collect();
        order.par_sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
        let mut ranks = vec![0; rows];
        let mut rank = 0;
        for pair in order.windows(2) {
            rank += usize::from(compare(pair[0], pair[1]).is_ne());
            ranks[pair[1]] = rank;
        }
        Ok(ranks)
    }
}

//! A table of scores.

use crate::error::{Error, Result};

/// Scores with a row for each image and a column for each text.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of `values`, row after row.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are `rows * columns` values, and [`Error::NotFinite`] if one of them is infinite or NaN.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Matrix> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { rows, columns, len: values.len() });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { row: at / columns, column: at % columns, value: values[at] });
        }
        Ok(Matrix { rows, columns, values })
    }

    /// Number of rows (images).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns (texts).
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A row; empty if it does not exist.
    pub fn row(&self, row: usize) -> &[f64] {
        self.values.get(row * self.columns..(row + 1) * self.columns).unwrap_or_default()
    }

    /// The column of a row's highest score, the first of equal ones, with that score; `None` without columns.
    pub fn best(&self, row: usize) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (column, &value) in self.row(row).iter().enumerate() {
            if best.is_none_or(|(_, highest)| value > highest) {
                best = Some((column, value));
            }
        }
        best
    }

    /// The matrix of some rows only.
    pub fn select_rows(&self, rows: &[usize]) -> Matrix {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Matrix { rows: rows.len(), columns: self.columns, values }
    }

    fn transposed(&self) -> Matrix {
        let values = (0..self.columns).flat_map(|c| (0..self.rows).map(move |r| (r, c)));
        let values = values.map(|(r, c)| self.values[r * self.columns + c]).collect();
        Matrix { rows: self.columns, columns: self.rows, values }
    }

    /// This matrix, or its transpose if it has more rows than columns, and whether it was transposed.
    pub(crate) fn wide(&self) -> (std::borrow::Cow<'_, Matrix>, bool) {
        if self.rows <= self.columns {
            (std::borrow::Cow::Borrowed(self), false)
        } else {
            (std::borrow::Cow::Owned(self.transposed()), true)
        }
    }
}

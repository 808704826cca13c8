//! Texts that stand alike: their elements have the same path from the top of the page down, as the titles of a list's
//! entries have.

use super::outline::{Outline, Row};

/// What the texts of one kind have together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kind {
    pub(super) count: u32,
    pub(super) width: u32,
    pub(super) linked: u32,
}

/// The kind of each row.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    pub(super) of: Vec<usize>,
    pub(super) kinds: Vec<Kind>,
}

impl Alike {
    /// Rows with the same key are of one kind.
    pub(super) fn new(outline: &Outline, key: impl Fn(&Row) -> u64) -> Self {
        let rows = outline.rows.iter().enumerate();
        let mut keys: Vec<(u64, usize)> = rows.map(|(at, row)| (key(row), at)).collect();
        keys.sort_unstable();
        let mut alike = Self { of: vec![0; outline.rows.len()], kinds: Vec::new() };
        for group in keys.chunk_by(|a, b| a.0 == b.0) {
            let mut kind = Kind::default();
            for (_, at) in group {
                let row = &outline.rows[*at];
                alike.of[*at] = alike.kinds.len();
                kind.count += 1;
                kind.width += row.measure.width;
                kind.linked += row.linked;
            }
            alike.kinds.push(kind);
        }
        alike
    }

    /// Rows whose elements have the same tags and classes.
    pub(super) fn by_style(outline: &Outline) -> Self {
        Self::new(outline, |row| outline.items[row.place].style_path)
    }

    /// Rows whose elements have the same tags.
    pub(super) fn by_tag(outline: &Outline) -> Self {
        Self::new(outline, |row| outline.items[row.place].tag_path)
    }

    /// The kind of a row.
    pub(super) fn kind(&self, row: usize) -> Kind {
        self.kinds[self.of[row]]
    }

    /// For each kind the mean of its rows' values, weighted by their widths.
    pub(super) fn means(&self, outline: &Outline, values: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.kinds.len()];
        for ((row, kind), value) in outline.rows.iter().zip(&self.of).zip(values) {
            sums[*kind] += f64::from(row.measure.width) * f64::from(*value);
        }
        let means = sums.iter().zip(&self.kinds).map(|(sum, kind)| sum / f64::from(kind.width.max(1)));
        means.map(|mean| mean as f32).collect()
    }
}

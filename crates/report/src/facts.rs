use serde::Serialize;

use crate::cell::{Cell, CellView};

/// Named values, one below the other.
///
/// ```
/// use tsumugi_report::Facts;
///
/// let facts = Facts::new().with("model", "demo").with("steps", 75);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(Vec<(String, Cell)>);

#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    cell: CellView<'a>,
}

impl Facts {
    /// No facts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value under its name.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Cell>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a value under its name and returns the facts.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Cell>) -> Self {
        self.push(name, value);
        self
    }
}

impl Serialize for Facts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(name, cell)| Fact { name, cell: cell.view(None) }))
    }
}

//! Data sources.

use crate::{Drawn, Result};

/// Which row to draw: a position in the order of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Seed of the order.
    pub seed: u64,
    /// Pass over the rows, from 0.
    pub epoch: u64,
    /// Position in the pass, from 0.
    pub position: u64,
}

/// A finite set of rows that is read in random order, again and again.
///
/// The order must be a function of [`Place`] alone, so that a run can resume at any place. Nearly all calls ask for
/// consecutive places, so a source may keep what it has read. [`permutation`](super::permutation) orders rows with random
/// access, [`BlockOrder`](super::BlockOrder) those stored in blocks.
pub trait DataSource: Send {
    /// Number of rows.
    fn len(&self) -> u64;

    /// True if there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a place, whose `position` is less than [`len`](Self::len). A row that cannot be used is
    /// [`Drawn::Dropped`], never an error.
    ///
    /// # Errors
    /// If the source as a whole fails, as when a file vanishes.
    fn draw(&mut self, place: Place) -> Result<Drawn>;
}

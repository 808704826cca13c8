//! Where samples come from: sources, their order, and mixtures of them.

mod files;
mod mixture;
mod order;
mod table;

pub use files::{JsonSource, ListSource};
pub use mixture::{Member, Mixture, MixtureCursor, SourceCursor};
pub use order::{BlockOrder, permutation, random};
pub use table::TableSource;

use crate::{Drawn, Result};

/// Which row is asked for: a place in the order of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Seed of the order.
    pub seed: u64,
    /// Which pass over the rows, from 0.
    pub epoch: u64,
    /// Place in the pass, from 0.
    pub position: u64,
}

/// A finite set of rows that can be gone through in a random order, again and again.
///
/// The order has to be a function of [`Place`] alone: then a run can be resumed at any place, and how it got there does
/// not matter. A source is asked for consecutive places nearly always, so it may keep what it has read.
/// [`permutation`] orders rows that can be reached one by one, [`BlockOrder`] those that come in blocks.
pub trait DataSource: Send {
    /// Number of rows.
    fn len(&self) -> u64;

    /// True where there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a place; `position` is less than [`len`](Self::len). A row that cannot be used is
    /// [`Drawn::Dropped`], never an error.
    ///
    /// # Errors
    /// Where the source as a whole fails, as when a file vanishes.
    fn draw(&mut self, place: Place) -> Result<Drawn>;
}

//! Sources of samples, their order, and mixtures of them.

mod files;
mod mixture;
mod order;
mod source;
mod table;

pub use files::{JsonSource, ListSource};
pub use mixture::{Member, Mixture, MixtureCursor, SourceCursor};
pub use order::{BlockOrder, permutation, random};
pub use source::{DataSource, Place};
pub use table::TableSource;

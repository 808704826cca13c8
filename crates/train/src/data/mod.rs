//! Sources of samples, their order, and mixtures of them.

mod files;
mod images;
mod mixture;
mod order;
mod rows;
mod source;
mod table;

pub use files::{JsonSource, ListSource};
pub use mixture::{Member, Mixture, MixtureCursor, SourceCursor};
pub use order::{BlockOrder, permutation, random};
pub(crate) use rows::{conversations, interleaved, pairs};
pub use source::{DataSource, Place};
pub use table::TableSource;

//! Key columns in Parquet files.

mod compare;
mod lookup;
mod rows;

pub use compare::{Verdicts, compare_files};
pub use lookup::{Found, Lookup};

//! Global operators over record tables, declared once and run locally or as SQL.
//!
//! A map step writes the keys that a global step needs (hashes, band keys, scores) as plain columns. What compares
//! the rows of all shards is one of a few operators: rows whose key is too frequent, in all or in samples; the first
//! row of each key; near-duplicates by band keys; an exact quantile; a join. Each is a plain function over key
//! vectors (sorted with rayon; the same result for any number of threads), and its [`Operator`] value also gives
//! the SQL text that does the same on a cluster.
//!
//! ```
//! use tsumugi_tables::{keep_first, near_duplicates};
//!
//! // Exact duplicates by a hash of the text, then near-duplicates by band keys.
//! let ids = ["a", "b", "c"];
//! assert_eq!(keep_first(&[11_u64, 11, 42], &ids)?, [true, false, true]);
//! assert_eq!(near_duplicates(&ids, &[vec![1, 2], vec![3, 4], vec![5, 2]])?, [true, true, false]);
//! # Ok::<(), tsumugi_tables::Error>(())
//! ```

#![forbid(unsafe_code)]

mod columns;
mod error;
#[cfg(feature = "parquet")]
mod files;
mod operator;
pub mod rows;
mod rules;
#[cfg(feature = "parquet")]
mod sorter;

pub use columns::{Column, Columns};
pub use error::Error;
#[cfg(feature = "parquet")]
pub use files::{Found, Lookup, Verdicts, compare_files};
pub use operator::{Dialect, Operator, join_sql, lookup_sql, quantile_sql};
pub use rows::{
    Samples, combine, draw, drop_frequent, drop_frequent_in_samples, drop_lowest, join, join_first,
    keep_first, near_duplicates, quantile,
};
pub use rules::verdicts;
#[cfg(feature = "parquet")]
pub use sorter::Memory;

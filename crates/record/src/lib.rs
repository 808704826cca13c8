//! The rows that all of Tsumugi shares, and their tables as Parquet files.
//!
//! Without features this crate holds the plain types ([`Document`], [`Pair`], ...), and [`write_atomic`] and [`write_folder`], by which
//! every crate writes its files. With the feature `parquet` (on by
//! default) each of them is a [`Record`]: it knows its Arrow schema, can be laid out as a record batch, and is written and
//! read by [`ShardWriter`] and [`ShardReader`]. A shard gets its final name when it is complete and synced. [`record!`] declares
//! further tables, and projections that read some columns of a table. Files of other writers (pandas, polars, DuckDB, pyarrow,
//! `datasets`) are read by their columns, whatever layout those have. [`JsonFile`] finds the rows of JSON files.
//!
//! ```
//! # #[cfg(feature = "parquet")] {
//! use tsumugi_record::{Excluded, ShardReader, ShardWriter};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("excluded-00000.parquet");
//! let mut writer = ShardWriter::create(&path)?;
//! writer.push(Excluded { id: "a1".into(), step: "length".into(), reason: "too_short".into(), ..Default::default() })?;
//! let info = writer.finish()?;
//! assert_eq!(info.rows, 1);
//!
//! let rows: Vec<Excluded> = ShardReader::open(&path)?.read_all()?;
//! assert_eq!(rows[0].reason, "too_short");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod atomic;
#[cfg(feature = "parquet")]
mod column;
mod declare;
mod error;
#[cfg(feature = "parquet")]
mod foreign;
#[cfg(feature = "parquet")]
mod json;
#[cfg(feature = "parquet")]
mod layout;
mod local_path;
#[cfg(feature = "parquet")]
#[doc(hidden)]
pub mod macros;
#[cfg(feature = "parquet")]
mod manifest;
mod page_type;
mod role;
mod rows;
#[cfg(feature = "parquet")]
mod shard;
#[cfg(feature = "parquet")]
mod table;
#[cfg(feature = "parquet")]
mod word;

pub use atomic::{write_atomic, write_folder};
#[cfg(feature = "parquet")]
pub use column::Column;
pub use error::Error;
#[cfg(feature = "parquet")]
pub use foreign::{Nullable, Parts, RowId};
#[cfg(feature = "parquet")]
pub use json::{JsonFault, JsonFile, JsonRow};
pub use local_path::local_path;
#[cfg(feature = "parquet")]
pub use manifest::{
    Funnel, FunnelStage, MANIFEST_FILE, MANIFEST_VERSION, Manifest, ShardEntry, read_json, write_json,
};
pub use page_type::PageType;
pub use role::Role;
pub use rows::*;
#[cfg(feature = "parquet")]
pub use shard::{ShardInfo, ShardReader, ShardWriter, ids, shard_name, shards};
#[cfg(feature = "parquet")]
pub use table::Record;

//! Errors of reading an index.

use std::error::Error as StdError;

use crate::Address;
use crate::error::Error;

/// A file that is not an index.
pub(super) fn not_an_index(
    index: &Address,
    reason: &str,
    source: Option<Box<dyn StdError + Send + Sync>>,
) -> Error {
    let reason =
        format!("{reason}; give CDXJ, CDX, a cluster.idx, or Parquet of Common Crawl's columnar index");
    Error::Index { index: index.to_string(), reason, source }
}

//! A rule about how well a text compresses.

mod deflate;
mod huffman;

use serde::{Deserialize, Serialize};

use super::{Filter, Report, Text, share};

/// Bounds the ratio of the size after zlib at level 9 to the size before (llm-jp-corpus): repetitive text compresses too well,
/// and noise too little.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Compression {
    /// Least ratio (0.3: llm-jp-corpus; strict: 0.375).
    pub min: f64,
    /// Greatest ratio (0.7: llm-jp-corpus).
    pub max: f64,
}

impl Default for Compression {
    fn default() -> Self {
        Self { min: 0.3, max: 0.7 }
    }
}

impl Filter for Compression {
    fn apply(&self, text: &Text<'_>, report: &mut Report) {
        let bytes = text.as_str().as_bytes();
        let ratio = share(deflate::zlib_len(bytes), bytes.len());
        report.note("zlib_ratio", ratio);
        report.at_least("zlib_ratio", ratio, self.min);
        report.at_most("zlib_ratio", ratio, self.max);
    }
}

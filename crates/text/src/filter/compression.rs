//! How well a text compresses.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use super::{Filter, Report, Text, share};

/// Bytes after zlib at level 9 over bytes before (llm-jp-corpus): repetitive text compresses too well, noise too
/// little.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compression {
    /// Smallest ratio (llm-jp-corpus: .30, strict .375).
    pub min: f64,
    /// Largest ratio (llm-jp-corpus: .70).
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
        let ratio = share(compressed_len(bytes), bytes.len());
        report.note("zlib_ratio", ratio);
        report.at_least("zlib_ratio", ratio, self.min);
        report.at_most("zlib_ratio", ratio, self.max);
    }
}

/// Bytes of the zlib stream at level 9.
fn compressed_len(bytes: &[u8]) -> usize {
    let mut encoder = ZlibEncoder::new(Counter(0), flate2::Compression::best());
    // Writing to a counter cannot fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_or(0, |counter| counter.0)
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

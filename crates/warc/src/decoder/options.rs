//! Settings of decoders and readers.

/// Settings of decoders and readers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Stops at the first fault instead of continuing behind it. Off by default.
    pub strict: bool,
    /// Largest body in bytes that is held in memory; larger ones are streamed. 16 MiB by default: 16 times what Common
    /// Crawl keeps of a page (1 MiB).
    pub buffer_limit: usize,
    /// Longest header block in bytes. 256 KiB by default: servers refuse headers above 8 to 64 KiB, and crawlers truncate
    /// `data:` URLs long before.
    pub head_limit: usize,
    /// Largest window of a zstd frame as a power of two. 27 (128 MiB) by default, the limit of the `zstd` tool.
    pub zstd_window_log: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: false, buffer_limit: 16 << 20, head_limit: 256 << 10, zstd_window_log: 27 }
    }
}

impl Options {
    /// Turns strict mode on or off.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets [`Options::buffer_limit`].
    #[must_use]
    pub fn with_buffer_limit(mut self, bytes: usize) -> Self {
        self.buffer_limit = bytes;
        self
    }
}

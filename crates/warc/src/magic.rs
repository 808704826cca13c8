//! Magic numbers of compression formats.

/// First bytes of a gzip member (RFC 1952).
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of a zstd frame (RFC 8878, 3.1.1).
pub(crate) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether bytes start with the magic number of a skippable frame (0x184D2A50 to 0x184D2A5F), common to zstd and LZ4.
pub(crate) fn is_skippable(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1..4] == [0x2a, 0x4d, 0x18]
}

//! Locations of records.

/// The location of a record in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Offset in the file of the record, or of the compressed member in which it starts.
    pub offset: u64,
    /// Length in the file up to the end of the record or of its last member, in bytes; `None` if not known yet.
    pub length: Option<u64>,
    /// Decompressed bytes of the member before the record; 0 if each record is its own member.
    pub within: u64,
}

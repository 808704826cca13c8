//! Forms of archives, and the trait of formats with compressed members.

use crate::buffer::{Input, Window};
use crate::error::FaultKind;

/// Outcome of one step of decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The window has new bytes or marks, or input was skipped: call again.
    More,
    /// More input is needed.
    NeedInput,
    /// All input is consumed.
    End,
}

/// Limits of decompressors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Members that decompress to more than this are streamed.
    pub(crate) whole_member: usize,
    /// Largest window of a zstd frame, as a power of two.
    pub(crate) zstd_window_log: u32,
}

/// The form of an archive or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Gzip,
    Zstd,
    Lz4,
}

/// Where a record of some form starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compressed {
    At(usize, Form),
    /// More bytes are needed to decide whether one starts here.
    Unsure(usize),
    No,
}

/// Outcome of one step inside a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The member continues.
    More,
    /// The member has ended.
    Ended,
    /// More input is needed, or the archive ends inside the member.
    Short,
    /// The rest of the member cannot be read.
    Damaged(FaultKind),
}

/// Whether bytes start a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// A valid member.
    Member,
    /// Not a member.
    No,
    /// More bytes are needed to decide.
    More,
}

/// A compressed form.
pub(crate) trait Format {
    /// First bytes of a member, for which a search looks.
    const MAGIC: &'static [u8];
    const FORM: Form;
    /// Bytes needed to decide whether a member starts.
    const LEAST: usize;
    /// Whether a member that decompresses is certainly valid.
    const CHECKED: bool;

    /// Whether these bytes start a member. They are fewer than [`Self::LEAST`] only at the end of the archive.
    fn begins(bytes: &[u8]) -> bool;

    /// Whether these bytes, which start with the magic number, start a valid member.
    fn probe(bytes: &[u8], finished: bool) -> Probe;

    /// Starts the member at the input's position. It is called again after [`Outcome::Short`].
    fn begin(&mut self, input: &mut Input, window: &mut Window) -> Outcome;

    /// Continues to decompress the current member.
    fn go_on(&mut self, input: &mut Input, window: &mut Window) -> Outcome;

    /// Offset up to which the current member was decompressed and returned, once damage was found in it.
    fn given_out(&self, input: &Input) -> u64 {
        input.offset()
    }
}

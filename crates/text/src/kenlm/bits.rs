//! Reads numbers from a file in memory. Reads beyond the end give zero, so that a damaged file gives wrong scores and never a
//! panic. Whether the sizes in its header fit the file is checked when it is opened.

/// A file in memory.
#[derive(Debug)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let found = self.0.get(offset..).and_then(<[u8]>::first_chunk);
        found.copied().unwrap_or([0; N])
    }

    pub(super) fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.at(offset))
    }

    pub(super) fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.at(offset))
    }

    pub(super) fn f32(&self, offset: usize) -> f32 {
        f32::from_le_bytes(self.at(offset))
    }

    pub(super) fn byte(&self, offset: usize) -> u8 {
        self.at::<1>(offset)[0]
    }

    /// `count` bits, at most 57, from bit `bit` after `base`.
    pub(super) fn bits(&self, base: usize, bit: u64, count: u32) -> u64 {
        let offset = usize::try_from(bit / 8).map_or(usize::MAX, |bytes| base.saturating_add(bytes));
        (self.u64(offset) >> (bit % 8)) & ((1 << count) - 1)
    }
}

/// Number of bits that numbers up to `max` need.
pub(super) fn required_bits(max: u64) -> u32 {
    u64::BITS - max.leading_zeros()
}

/// A logarithm without its sign, which is always negative.
pub(super) fn negative(bits: u32) -> f32 {
    f32::from_bits(bits | 0x8000_0000)
}

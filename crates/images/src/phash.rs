//! The perceptual hash of PyPI ImageHash.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::dct::{Dct, N};
use crate::{Filter, Result, resize_channels};

/// Side of the block of low frequencies.
const SIDE: usize = 8;

static DCT: LazyLock<Dct> = LazyLock::new(Dct::new);

/// A perceptual hash of 64 bits, written as 16 hex digits like `str(imagehash.phash(image))`.
///
/// ```
/// use tsumugi_images::PHash;
/// let hash: PHash = "c3a4d65b2e81907f".parse()?;
/// assert_eq!(hash.to_string(), "c3a4d65b2e81907f");
/// assert_eq!(hash.distance(PHash(hash.0 ^ 0b1011)), 3);
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PHash(pub u64);

impl PHash {
    /// Hamming distance: the number of differing bits, 0 to 64.
    pub fn distance(self, other: PHash) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// The hash of a greyscale image, stored row by row with one byte per pixel.
    ///
    /// The image is resampled to 32x32 by Lanczos and transformed by a DCT in both directions. Each of the 8x8 lowest
    /// frequencies (including the mean) contributes one bit: whether it exceeds their median.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if `luma` is not `width * height` bytes long.
    pub fn of_luma(luma: &[u8], width: u32, height: u32) -> Result<PHash> {
        let small = resize_channels::<1>(luma, (width, height), (N as u32, N as u32), Filter::Lanczos)?;
        Ok(PHash(bits(&low_frequencies(&small))))
    }
}

/// The lowest frequencies of 32x32 bytes, row by row.
fn low_frequencies(small: &[u8]) -> [f64; SIDE * SIDE] {
    // Columns first, as in ImageHash. Only their low frequencies are used.
    let mut rows = [[0.0; N]; SIDE];
    for x in 0..N {
        let mut column: [f64; N] = std::array::from_fn(|y| f64::from(small[y * N + x]));
        DCT.run(&mut column);
        for (row, value) in rows.iter_mut().zip(column) {
            row[x] = value;
        }
    }
    let mut low = [0.0; SIDE * SIDE];
    for (row, out) in rows.iter_mut().zip(low.chunks_exact_mut(SIDE)) {
        DCT.run(row);
        out.copy_from_slice(&row[..SIDE]);
    }
    low
}

/// One bit per frequency, the first in the highest position.
fn bits(low: &[f64; SIDE * SIDE]) -> u64 {
    let mut sorted = *low;
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[31] + sorted[32]) / 2.0;
    low.iter().fold(0, |bits, value| bits << 1 | u64::from(*value > median))
}

impl fmt::Display for PHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PHash {
    type Err = std::num::ParseIntError;

    fn from_str(digits: &str) -> std::result::Result<PHash, Self::Err> {
        u64::from_str_radix(digits, 16).map(PHash)
    }
}

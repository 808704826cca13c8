//! Small fixtures made by code.

/// A BMP file of 24 bits per pixel. `pixel` returns blue, green and red of column `x` and row `y` (from the bottom).
#[must_use]
pub fn bitmap(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let padding = (4 - width * 3 % 4) % 4;
    let bytes = (width * 3 + padding) * height;
    let mut file = b"BM".to_vec();
    for word in [54 + bytes, 0, 54, 40, width, height, 1 | 24 << 16, 0, bytes, 2835, 2835, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    for y in 0..height {
        for x in 0..width {
            file.extend(pixel(x, y));
        }
        file.extend(std::iter::repeat_n(0, padding as usize));
    }
    file
}

/// Reproducible pseudo-random numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator; the same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// The next number.
    #[expect(
        clippy::should_implement_trait,
        reason = "the numbers never end, so that this is not an iterator"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// A number from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Random bytes, which do not compress.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_rows_of_bitmaps() {
        let file = bitmap(3, 2, |x, y| [x as u8, y as u8, 9]);
        assert_eq!(file.len(), 54 + 2 * 12);
        assert_eq!(file[2..6], (file.len() as u32).to_le_bytes());
        assert_eq!(file[54 + 12..54 + 12 + 9], [0, 1, 9, 1, 1, 9, 2, 1, 9]);
    }

    #[test]
    fn repeats_numbers_by_seed() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            (random.below(1000), random.unit(), random.bytes(5))
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert!((0.0..1.0).contains(&numbers(7).1));
    }
}

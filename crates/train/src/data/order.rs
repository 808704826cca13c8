//! Orders that are functions of a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A random number that depends only on its arguments (SplitMix64's mixing, once for each).
pub fn random(seed: u64, a: u64, b: u64) -> u64 {
    mix(mix(mix(seed) ^ a) ^ b)
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps a random number to one below `bound`, by multiplication.
pub(crate) fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// The numbers `0..n` in the order of `(seed, epoch)`.
pub fn permutation(n: u64, seed: u64, epoch: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(random(seed, epoch, n));
    for i in (1..order.len()).rev() {
        order.swap(i, below(rng.next_u64(), i as u64 + 1) as usize);
    }
    order
}

/// The order of rows that are stored in blocks (row groups, files). Blocks are shuffled, and the rows of each window of
/// consecutive blocks are shuffled together, so that only a few blocks are in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockOrder {
    /// First position of each window, ascending, and the end.
    starts: Vec<u64>,
    /// Blocks of each window.
    windows: Vec<Vec<usize>>,
    seed: u64,
    epoch: u64,
}

impl BlockOrder {
    /// An order of blocks with these numbers of rows, in windows of `together` blocks.
    pub fn new(rows: &[u64], together: usize, seed: u64, epoch: u64) -> Self {
        let blocks: Vec<usize> =
            permutation(rows.len() as u64, seed, epoch).into_iter().map(|b| b as usize).collect();
        let windows: Vec<Vec<usize>> = blocks.chunks(together.max(1)).map(<[usize]>::to_vec).collect();
        let mut starts = vec![0];
        for window in &windows {
            let size: u64 = window.iter().map(|&b| rows[b]).sum();
            starts.push(starts.last().copied().unwrap_or(0) + size);
        }
        Self { starts, windows, seed, epoch }
    }

    /// The window of a position: its index, and the position within it.
    pub fn window_of(&self, position: u64) -> (usize, u64) {
        let window = self.starts.partition_point(|&s| s <= position).saturating_sub(1);
        (window, position - self.starts[window])
    }

    /// The blocks of a window, in the order that numbers their rows.
    pub fn blocks(&self, window: usize) -> &[usize] {
        &self.windows[window]
    }

    /// The order of a window's rows.
    pub fn rows(&self, window: usize) -> Vec<u64> {
        let size = self.starts[window + 1] - self.starts[window];
        permutation(size, random(self.seed, 1, window as u64), self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn permutations_hold_each_number_once(n in 0u64..300, seed: u64, epoch in 0u64..5) {
            let mut order = permutation(n, seed, epoch);
            prop_assert_eq!(&order, &permutation(n, seed, epoch));
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
        }

        #[test]
        fn block_orders_visit_each_row_once(rows in prop::collection::vec(0u64..9, 1..12), together in 1usize..5, seed: u64) {
            let order = BlockOrder::new(&rows, together, seed, 3);
            let mut seen = Vec::new();
            for position in 0..rows.iter().sum() {
                let (window, place) = order.window_of(position);
                let mut row = order.rows(window)[place as usize];
                for &block in order.blocks(window) {
                    if row < rows[block] { seen.push((block, row)); break; }
                    row -= rows[block];
                }
            }
            seen.sort_unstable();
            let want: Vec<(usize, u64)> = rows.iter().enumerate().flat_map(|(b, &n)| (0..n).map(move |r| (b, r))).collect();
            prop_assert_eq!(seen, want);
        }
    }

    #[test]
    fn epochs_and_seeds_differ() {
        assert_ne!(permutation(50, 1, 0), permutation(50, 1, 1));
        assert_ne!(permutation(50, 1, 0), permutation(50, 2, 0));
    }
}

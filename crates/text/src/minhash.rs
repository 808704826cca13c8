//! MinHash signatures and LSH band keys.
//!
//! The similarity of two texts is the Jaccard index of their sets of character n-grams. Each of `rows` hash functions
//! sorts the n-grams into `bands` bins and keeps the smallest hash of each bin: bin `b` of function `r` is row `r`
//! of band `b`. That gives `bands * rows` values of which any two texts share a part equal to their similarity, for
//! the work of `rows` functions only (one-permutation hashing, Li, Owen and Zhang 2012). Empty bins of short texts
//! borrow from others by further hashing (optimal densification, Shrivastava 2017).
//!
//! Two texts of similarity `s` share a band key with probability `1 - (1 - s^rows)^bands`. With the default of 14
//! bands of 8 rows (datatrove's): .05 at s = .5, .56 at .7, .92 at .8, .9996 at .9.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128};

/// Settings of [`MinHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MinHashConfig {
    /// Number of characters in an n-gram (5: HojiChar).
    pub ngram: usize,
    /// Number of bands (14: datatrove; Swallow has 20).
    pub bands: usize,
    /// Number of values in a band (8: datatrove; Swallow has 40).
    pub rows: usize,
    /// Seed of the hash functions; only signatures with the same seed can be compared (1: ours).
    pub seed: u64,
}

impl Default for MinHashConfig {
    fn default() -> Self {
        Self { ngram: 5, bands: 14, rows: 8, seed: 1 }
    }
}

/// Computes signatures and band keys of texts.
///
/// ```
/// use tsumugi_text::MinHash;
///
/// let minhash = MinHash::default();
/// let a = minhash.signature("春はあけぼの。やうやう白くなりゆく山ぎは、少し明かりて。");
/// let b = minhash.signature("春はあけぼの。やうやう白くなりゆく山ぎは、少し明かりて、");
/// assert!(minhash.similarity(&a, &b) > 0.7);
/// assert_eq!(minhash.bands(&a).len(), 14);
/// ```
#[derive(Clone, Debug)]
pub struct MinHash {
    config: MinHashConfig,
    seeds: Vec<u64>,
}

impl Default for MinHash {
    fn default() -> Self {
        Self::new(MinHashConfig::default())
    }
}

impl MinHash {
    /// Creates a hasher; settings of zero count as one.
    #[must_use]
    pub fn new(config: MinHashConfig) -> Self {
        let config = MinHashConfig {
            ngram: config.ngram.max(1),
            bands: config.bands.max(1),
            rows: config.rows.max(1),
            seed: config.seed,
        };
        let seeds = (0..config.rows as u64)
            .map(|row| xxh3_64_with_seed(&row.to_le_bytes(), config.seed) | 1)
            .collect();
        Self { config, seeds }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &MinHashConfig {
        &self.config
    }

    /// The `bands * rows` values of a text, band after band; empty for a text of nothing but white space.
    ///
    /// White space is skipped, so that line breaks make no difference. A text shorter than an n-gram counts as one.
    #[must_use]
    pub fn signature(&self, text: &str) -> Vec<u32> {
        let (bands, rows) = (self.config.bands, self.config.rows);
        let mut values = vec![u32::MAX; bands * rows];
        let mut filled = vec![false; bands * rows];
        let any = self.each_ngram(text, |hash| {
            for (row, seed) in self.seeds.iter().enumerate() {
                let mixed = mix(hash ^ seed, *seed);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the upper half picks the bin, the lower is the value"
                )]
                let (bin, value) = ((((mixed >> 32) * bands as u64) >> 32) as usize, mixed as u32);
                let at = bin * rows + row;
                values[at] = values[at].min(value);
                filled[at] = true;
            }
        });
        if !any {
            return Vec::new();
        }
        self.fill_empty(&mut values, &filled);
        values
    }

    /// Calls `take` with the hash of each n-gram; false without any.
    fn each_ngram(&self, text: &str, mut take: impl FnMut(u64)) -> bool {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if compact.is_empty() {
            return false;
        }
        let mut starts: Vec<usize> = compact.char_indices().map(|(at, _)| at).collect();
        starts.push(compact.len());
        let bytes = compact.as_bytes();
        if starts.len() <= self.config.ngram {
            take(xxh3_64(bytes));
            return true;
        }
        for window in starts.windows(self.config.ngram + 1) {
            take(xxh3_64(&bytes[window[0]..window[self.config.ngram]]));
        }
        true
    }

    /// Gives each empty bin the value of a filled one of its row, found by hashing bin and attempt.
    fn fill_empty(&self, values: &mut [u32], filled: &[bool]) {
        let (bands, rows) = (self.config.bands, self.config.rows);
        for row in 0..rows {
            for bin in 0..bands {
                if filled[bin * rows + row] {
                    continue;
                }
                // Some bin of each row is filled, since there is an n-gram.
                let from = (0_u64..).map(|attempt| {
                    let mixed = mix((bin as u64) << 32 | attempt, self.seeds[row]);
                    #[expect(clippy::cast_possible_truncation, reason = "less than the number of bands")]
                    let other = ((u128::from(mixed) * bands as u128) >> 64) as usize;
                    other
                });
                if let Some(other) = from.into_iter().find(|other| filled[other * rows + row]) {
                    values[bin * rows + row] = values[other * rows + row];
                }
            }
        }
    }

    /// The key of each band of a signature; texts that share one are candidates for near-duplicates. The number of
    /// the band is mixed in, so keys of different bands differ. None for an empty signature.
    #[must_use]
    pub fn bands(&self, signature: &[u32]) -> Vec<i64> {
        let mut bytes = Vec::with_capacity(4 * self.config.rows);
        signature
            .chunks_exact(self.config.rows)
            .zip(0_u64..)
            .map(|(band, number)| {
                bytes.clear();
                bytes.extend(band.iter().flat_map(|value| value.to_le_bytes()));
                xxh3_64_with_seed(&bytes, number).cast_signed()
            })
            .collect()
    }

    /// The estimated similarity of two texts from their signatures, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "signatures are short")]
    pub fn similarity(&self, a: &[u32], b: &[u32]) -> f64 {
        let same = a.iter().zip(b).filter(|(a, b)| a == b).count();
        if a.is_empty() || a.len() != b.len() { 0.0 } else { same as f64 / a.len() as f64 }
    }

    /// The probability that two texts of this similarity share a band key.
    #[must_use]
    pub fn probability(&self, similarity: f64) -> f64 {
        let exponent = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        1.0 - (1.0 - similarity.powi(exponent(self.config.rows))).powi(exponent(self.config.bands))
    }
}

/// A bijective mixer (the finaliser of SplitMix64, with a multiplier of its own for each row).
fn mix(value: u64, seed: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(seed);
    let value = (value ^ (value >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A hash of a text by which exact duplicates are found; white space makes no difference.
#[must_use]
pub fn exact_hash(text: &str) -> u128 {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    xxh3_128(compact.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `count` letters from a fixed sequence.
    fn letters(seed: u64, count: usize) -> Vec<char> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15), 0xBF58_476D_1CE4_E5B9);
                char::from_u32(0x4E00 + (state % 2000) as u32).unwrap()
            })
            .collect()
    }

    #[test]
    fn similarity_is_estimated() {
        let minhash = MinHash::default();
        for (changed, low, high) in [(0, 1.0, 1.0), (20, 0.75, 0.95), (200, 0.0, 0.4)] {
            let mut sum = 0.0;
            for seed in 0..20 {
                let a = letters(seed, 1000);
                let mut b = a.clone();
                for at in 0..changed {
                    b[at * 1000 / changed.max(1)] = 'あ';
                }
                let (a, b): (String, String) = (a.iter().collect(), b.iter().collect());
                sum += minhash.similarity(&minhash.signature(&a), &minhash.signature(&b));
            }
            let mean = sum / 20.0;
            assert!((low..=high).contains(&mean), "{changed}: {mean}");
        }
    }

    #[test]
    fn band_keys_find_near_duplicates() {
        let minhash = MinHash::default();
        let mut found = 0;
        for seed in 0..100 {
            let a = letters(seed + 100, 1000);
            let mut b = a.clone();
            // Ten changed letters spoil at most 50 of 996 n-grams: similarity .90.
            for at in 0..10 {
                b[at * 97 + 13] = 'い';
            }
            let bands = |text: &[char]| minhash.bands(&minhash.signature(&text.iter().collect::<String>()));
            let (a, b) = (bands(&a), bands(&b));
            found += usize::from(a.iter().zip(&b).any(|(a, b)| a == b));
        }
        assert!(found >= 99, "{found}");
    }

    #[test]
    fn short_and_empty_texts() {
        let minhash = MinHash::default();
        assert!(minhash.signature(" \n").is_empty());
        assert!(minhash.bands(&[]).is_empty());
        assert_eq!(minhash.signature("あ"), minhash.signature(" あ\n"));
        assert_ne!(minhash.signature("あ"), minhash.signature("い"));
        assert_eq!(minhash.signature("あ").len(), 112);
        assert_eq!(exact_hash("あ い"), exact_hash("あい\n"));
    }

    #[test]
    fn the_documented_curve_is_right() {
        let probability = |s| MinHash::default().probability(s);
        assert!((probability(0.5) - 0.053).abs() < 0.001);
        assert!((probability(0.7) - 0.565).abs() < 0.001);
        assert!((probability(0.8) - 0.924).abs() < 0.001);
        assert!((probability(0.9) - 0.9996).abs() < 0.0001);
    }

    proptest! {
        #[test]
        fn any_text_and_any_settings(text in "\\PC{0,60}", ngram in 0_usize..7, bands in 0_usize..9, rows in 0_usize..9) {
            let minhash = MinHash::new(MinHashConfig { ngram, bands, rows, seed: 7 });
            let signature = minhash.signature(&text);
            prop_assert!(signature.is_empty() || signature.len() == bands.max(1) * rows.max(1));
            prop_assert_eq!(minhash.bands(&signature).len(), if signature.is_empty() { 0 } else { bands.max(1) });
        }
    }
}

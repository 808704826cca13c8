//! Counts character n-grams of several lengths exactly, with one sort.
//!
//! Each position of the text gives an integer key of the characters that follow. Distinct characters are numbered from 1, so that
//! keys are as narrow as the text allows. In the sorted keys, the n-grams of every length are runs of equal prefixes. Zero stands
//! for positions past the end of the text, so that incomplete n-grams are not counted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Sorted keys of the n-grams of a text.
#[derive(Clone, Debug)]
pub struct NgramTable {
    keys: Keys,
    bits: u32,
    longest: u32,
}

#[derive(Clone, Debug)]
enum Keys {
    Narrow(Vec<u64>),
    Wide(Vec<u128>),
    Widest(Vec<(u128, u128)>),
}

/// Counts of the n-grams of one length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NgramCounts {
    /// All n-grams, repetitions included.
    pub total: u64,
    /// Distinct n-grams.
    pub distinct: u64,
    /// Distinct n-grams that occur more than once.
    pub repeated: u64,
    /// Occurrences of the most frequent n-gram.
    pub top: u64,
}

impl NgramTable {
    /// Builds the keys for n-grams of up to `longest` characters, at most 10.
    #[must_use]
    pub fn new(text: &str, longest: u32) -> Self {
        let longest = longest.clamp(1, 10);
        let (ids, distinct) = number(text);
        let bits = u64::BITS - distinct.leading_zeros();
        let keys = if bits * longest <= u64::BITS {
            Keys::Narrow(narrow(&ids, bits, longest))
        } else if bits * longest <= u128::BITS {
            Keys::Wide(wide(&ids, bits, longest))
        } else {
            // Five characters of at most 21 bits in each half.
            Keys::Widest(widest(&ids, bits, longest))
        };
        Self { keys, bits, longest }
    }

    /// Counts the n-grams of `n` characters.
    #[must_use]
    pub fn counts(&self, n: u32) -> NgramCounts {
        let mut counts = NgramCounts::default();
        self.visit(n, |frequency| {
            counts.total += frequency;
            counts.distinct += 1;
            counts.repeated += u64::from(frequency > 1);
            counts.top = counts.top.max(frequency);
        });
        counts
    }

    /// Calls `run` with the frequency of each distinct n-gram of `n` characters (1 to the table's longest).
    pub fn visit(&self, n: u32, run: impl FnMut(u64)) {
        let n = n.clamp(1, self.longest);
        match &self.keys {
            Keys::Narrow(keys) => {
                let shift = (self.longest - n) * self.bits;
                let mask = (1_u64 << self.bits) - 1;
                runs(keys.iter().map(|key| key >> shift), |key| key & mask != 0, run);
            }
            Keys::Wide(keys) => {
                let shift = (self.longest - n) * self.bits;
                let mask = (1_u128 << self.bits) - 1;
                runs(keys.iter().map(|key| key >> shift), |key| key & mask != 0, run);
            }
            Keys::Widest(keys) => {
                let mask = (1_u128 << self.bits) - 1;
                let first = self.longest.min(5);
                if n <= first {
                    let shift = (first - n) * self.bits;
                    runs(keys.iter().map(|key| (key.0 >> shift, 0)), |key| key.0 & mask != 0, run);
                } else {
                    let shift = (self.longest - n) * self.bits;
                    runs(keys.iter().map(|key| (key.0, key.1 >> shift)), |key| key.1 & mask != 0, run);
                }
            }
        }
    }
}

fn runs<K: Copy + PartialEq>(
    keys: impl Iterator<Item = K>,
    whole: impl Fn(K) -> bool,
    mut run: impl FnMut(u64),
) {
    let mut current: Option<K> = None;
    let mut count = 0_u64;
    for key in keys {
        if current == Some(key) {
            count += 1;
            continue;
        }
        if count > 0 && current.is_some_and(&whole) {
            run(count);
        }
        current = Some(key);
        count = 1;
    }
    if count > 0 && current.is_some_and(&whole) {
        run(count);
    }
}

thread_local! {
    /// Numbers of characters below U+10000; all zero between two texts. A flat table is faster than hashing, but a
    /// new one for each text would cost more than to count a short one.
    static NUMBERS: RefCell<Box<[u32]>> = RefCell::new(vec![0; 0x1_0000].into());
}

/// Numbers the characters of `text` from 1 in the order of their first occurrence. Returns the numbers, and how many there are.
fn number(text: &str) -> (Vec<u32>, u64) {
    let mut beyond: HashMap<u32, u32, BuildHasherDefault<PointHasher>> = HashMap::default();
    let mut distinct = 0_u32;
    let mut ids = Vec::with_capacity(text.len() / 2);
    NUMBERS.with_borrow_mut(|table| {
        for c in text.chars() {
            let point = u32::from(c);
            let slot = match table.get_mut(point as usize) {
                Some(slot) => slot,
                None => beyond.entry(point).or_default(),
            };
            if *slot == 0 {
                distinct += 1;
                *slot = distinct;
            }
            ids.push(*slot);
        }
        for c in text.chars() {
            if let Some(slot) = table.get_mut(c as usize) {
                *slot = 0;
            }
        }
    });
    (ids, u64::from(distinct))
}

#[derive(Default)]
struct PointHasher(u64);

impl std::hash::Hasher for PointHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = u64::from(value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

fn narrow(ids: &[u32], bits: u32, longest: u32) -> Vec<u64> {
    let span = bits * longest;
    let mask = if span == u64::BITS { u64::MAX } else { (1 << span) - 1 };
    let mut keys =
        slide(ids, longest, |key: u64, id| (key.checked_shl(bits).unwrap_or(0) | u64::from(id)) & mask);
    keys.sort_unstable();
    keys
}

fn wide(ids: &[u32], bits: u32, longest: u32) -> Vec<u128> {
    let span = bits * longest;
    let mask = if span == u128::BITS { u128::MAX } else { (1 << span) - 1 };
    let mut keys = slide(ids, longest, |key: u128, id| ((key << bits) | u128::from(id)) & mask);
    keys.sort_unstable();
    keys
}

fn widest(ids: &[u32], bits: u32, longest: u32) -> Vec<(u128, u128)> {
    let first = longest.min(5);
    let second = longest - first;
    let (high_mask, low_mask) = ((1_u128 << (bits * first)) - 1, (1_u128 << (bits * second)) - 1);
    let mut keys = slide(ids, longest, |(high, low): (u128, u128), id| {
        if second == 0 {
            return (((high << bits) | u128::from(id)) & high_mask, 0);
        }
        let carried = (low >> (bits * (second - 1))) & ((1 << bits) - 1);
        (((high << bits) | carried) & high_mask, ((low << bits) | u128::from(id)) & low_mask)
    });
    keys.sort_unstable();
    keys
}

/// Computes the key at each position by shifting in one character at a time.
fn slide<K: Copy + Default>(ids: &[u32], longest: u32, push: impl Fn(K, u32) -> K) -> Vec<K> {
    let lead = longest as usize - 1;
    let mut key = K::default();
    for &id in ids.iter().take(lead) {
        key = push(key, id);
    }
    for _ in ids.len()..lead {
        key = push(key, 0);
    }
    let mut keys = Vec::with_capacity(ids.len());
    for at in 0..ids.len() {
        key = push(key, ids.get(at + lead).copied().unwrap_or(0));
        keys.push(key);
    }
    keys
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(text: &str, n: usize) -> NgramCounts {
        let chars: Vec<char> = text.chars().collect();
        let mut counts: HashMap<&[char], u64> = HashMap::new();
        for gram in chars.windows(n) {
            *counts.entry(gram).or_default() += 1;
        }
        NgramCounts {
            total: counts.values().sum(),
            distinct: counts.len() as u64,
            repeated: counts.values().filter(|count| **count > 1).count() as u64,
            top: counts.values().copied().max().unwrap_or(0),
        }
    }

    fn agree(text: &str) {
        for longest in [1, 4, 5, 7, 10] {
            let table = NgramTable::new(text, longest);
            for n in 1..=longest {
                assert_eq!(table.counts(n), slow(text, n as usize), "{n} of {longest}");
            }
        }
    }

    #[test]
    fn every_width_of_key_agrees() {
        agree("");
        agree("あ");
        agree("あいあいあいう");
        let many: String = (0x4E00..0x5E10).filter_map(char::from_u32).collect();
        agree(&format!("{many}{}", &many[..600]));
        let most: String = (0x1_0000..0x1_1400).filter_map(char::from_u32).collect();
        agree(&format!("{most}{}{most}", &many[..6000]));
    }

    proptest! {
        #[test]
        fn agrees_with_counting(text in "[abあい𠮷]{0,60}") {
            agree(&text);
        }
    }
}

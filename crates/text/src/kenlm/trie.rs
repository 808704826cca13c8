//! KenLM's trie. The n-grams of each length are in one bit-packed array, sorted by their words from the newest to the oldest. Each
//! entry holds the index of the first longer n-gram that extends it.

use super::binary::{Header, Layout};
use super::bits::{Bytes, negative, required_bits};
use super::{Search, Weights, hash_word};
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Trie {
    file: Bytes,
    order: usize,
    words: usize,
    word_count: usize,
    unigrams: usize,
    middle: Vec<Packed>,
    longest: Packed,
}

/// The entries from `begin` up to `end` of the next longer n-grams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    begin: u64,
    end: u64,
}

/// n-grams of one length.
#[derive(Debug)]
struct Packed {
    start: usize,
    count: u64,
    word_bits: u32,
    total_bits: u64,
    values: Values,
    /// None in the longest n-grams.
    next: Option<Next>,
}

#[derive(Clone, Copy, Debug)]
enum Values {
    /// 31 bits of probability, in all but the longest 32 of backoff.
    Plain { longest: bool },
    /// Numbers of bins, whose values lie at these offsets.
    Binned { prob_bits: u32, probs: usize, backoff_bits: u32, backoffs: usize },
}

/// The index of the first longer n-gram. Its low bits are in the entry. With array-compressed pointers, the high bits come from a
/// sorted array that holds the first entry for each of their values.
#[derive(Debug)]
struct Next {
    bits: u32,
    high: Option<(usize, u64)>,
}

impl Trie {
    pub(super) fn new(bytes: Vec<u8>, header: &Header, quantised: bool, array: bool) -> Result<Self, Error> {
        let file = Bytes(bytes);
        let counts = &header.counts;
        let order = counts.len();
        let mut layout = Layout::new(header.len, file.0.len());
        let stored = layout.take(1, 8)?;
        let words = layout.take(counts[0], 8)?;
        let word_count = usize::try_from(file.u64(stored).min(counts[0])).unwrap_or(0);
        let bins = if quantised { Some(Bins::new(&file, order, &mut layout)?) } else { None };
        let unigrams = layout.take(counts[0].saturating_add(2), 16)?;
        let array_bits = match array && order > 2 {
            true => Some(array_bits(&file, &layout)?),
            false => None,
        };
        let mut middle = Vec::new();
        for n in 2..order {
            let values = bins.as_ref().map_or(Values::Plain { longest: false }, |bins| bins.of(n, false));
            let next = Next::new(counts[n - 1], counts[n], array_bits, &mut layout)?;
            middle.push(Packed::new(counts[n - 1], counts[0], values, Some(next), &mut layout)?);
        }
        let values = bins.as_ref().map_or(Values::Plain { longest: true }, |bins| bins.of(order, true));
        let longest = Packed::new(counts[order - 1], counts[0], values, None, &mut layout)?;
        Ok(Self { file, order, words, word_count, unigrams, middle, longest })
    }
}

impl Search for Trie {
    type Node = Range;

    fn order(&self) -> usize {
        self.order
    }

    /// Words are numbered from 1 in the order of their hashes.
    fn index(&self, word: &str) -> u32 {
        let hash = hash_word(word);
        let (mut low, mut high) = (0, self.word_count);
        while low < high {
            let at = low + (high - low) / 2;
            match self.file.u64(self.words + 8 * at).cmp(&hash) {
                std::cmp::Ordering::Less => low = at + 1,
                std::cmp::Ordering::Greater => high = at,
                std::cmp::Ordering::Equal => return u32::try_from(at + 1).unwrap_or(0),
            }
        }
        0
    }

    fn unigram(&self, word: u32) -> (Weights, Range) {
        let at = self.unigrams + 16 * (word as usize).min(self.word_count + 1);
        let weights = Weights { prob: Some(self.file.f32(at)), backoff: self.file.f32(at + 4) };
        (weights, Range { begin: self.file.u64(at + 8), end: self.file.u64(at + 24) })
    }

    fn middle(&self, n: usize, word: u32, node: Range) -> Option<(Weights, Range)> {
        let packed = self.middle.get(n.checked_sub(2)?)?;
        let at = packed.find(&self.file, word, node)?;
        Some((packed.weights(&self.file, at), packed.range(&self.file, at)))
    }

    fn longest(&self, word: u32, node: Range) -> Option<f32> {
        let at = self.longest.find(&self.file, word, node)?;
        self.longest.weights(&self.file, at).prob
    }
}

impl Packed {
    fn new(
        count: u64,
        vocabulary: u64,
        values: Values,
        next: Option<Next>,
        layout: &mut Layout,
    ) -> Result<Self, Error> {
        let word_bits = required_bits(vocabulary);
        let total_bits = u64::from(word_bits + values.bits() + next.as_ref().map_or(0, |next| next.bits));
        if word_bits > 32 || next.as_ref().is_some_and(|next| next.bits > 57) {
            return Err(Error::model(format!(
                "{count} n-grams of {vocabulary} words are more than KenLM packs"
            )));
        }
        let bits = count.checked_add(1).and_then(|entries| entries.checked_mul(total_bits));
        let size = bits.map_or(u64::MAX, |bits| bits.div_ceil(8)).saturating_add(8);
        Ok(Self { start: layout.take(size, 1)?, count, word_bits, total_bits, values, next })
    }

    fn find(&self, file: &Bytes, word: u32, range: Range) -> Option<u64> {
        let (mut low, mut high) = (range.begin, range.end.min(self.count));
        while low < high {
            let at = low + (high - low) / 2;
            let found = file.bits(self.start, at * self.total_bits, self.word_bits);
            match found.cmp(&u64::from(word)) {
                std::cmp::Ordering::Less => low = at + 1,
                std::cmp::Ordering::Greater => high = at,
                std::cmp::Ordering::Equal => return Some(at),
            }
        }
        None
    }

    fn weights(&self, file: &Bytes, at: u64) -> Weights {
        let bit = at * self.total_bits + u64::from(self.word_bits);
        let (prob, backoff) = self.values.read(file, self.start, bit);
        Weights { prob: Some(prob), backoff }
    }

    fn range(&self, file: &Bytes, at: u64) -> Range {
        let Some(next) = &self.next else { return Range { begin: 0, end: 0 } };
        let bit = at * self.total_bits + u64::from(self.word_bits + self.values.bits());
        let low = |bit| file.bits(self.start, bit, next.bits);
        Range {
            begin: low(bit) | next.high(file, at),
            end: low(bit + self.total_bits) | next.high(file, at + 1),
        }
    }
}

impl Values {
    fn bits(self) -> u32 {
        match self {
            Self::Plain { longest } => {
                if longest {
                    31
                } else {
                    63
                }
            }
            Self::Binned { prob_bits, backoff_bits, .. } => prob_bits + backoff_bits,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as many bits are read as fit")]
    fn read(self, file: &Bytes, base: usize, bit: u64) -> (f32, f32) {
        match self {
            Self::Plain { longest } => {
                let prob = negative(file.bits(base, bit, 31) as u32);
                (prob, if longest { 0.0 } else { f32::from_bits(file.bits(base, bit + 31, 32) as u32) })
            }
            Self::Binned { prob_bits, probs, backoff_bits, backoffs } => {
                let bin = |table: usize, number: u64| file.f32(table + 4 * number as usize);
                let prob = bin(probs, file.bits(base, bit + u64::from(backoff_bits), prob_bits));
                let backoff = bin(backoffs, file.bits(base, bit, backoff_bits));
                (prob, if backoff_bits == 0 { 0.0 } else { backoff })
            }
        }
    }
}

/// Bins of quantised values: for each length of n-gram, those of its probabilities, then those of its backoffs.
struct Bins {
    start: usize,
    prob_bits: u32,
    backoff_bits: u32,
}

impl Bins {
    fn new(file: &Bytes, order: usize, layout: &mut Layout) -> Result<Self, Error> {
        let at = layout.take(8, 1)?;
        let (version, prob_bits, backoff_bits) = (file.byte(at), file.byte(at + 1), file.byte(at + 2));
        if version != 2 || !(1..=25).contains(&prob_bits) || !(1..=25).contains(&backoff_bits) {
            return Err(Error::model(format!(
                "quantised by version {version} to {prob_bits} and {backoff_bits} bits; version 2 with 1 to 25 is read"
            )));
        }
        let (prob_bits, backoff_bits) = (u32::from(prob_bits), u32::from(backoff_bits));
        let middle = (1_u64 << prob_bits) + (1 << backoff_bits);
        let start = layout.take((order as u64 - 2) * middle + (1 << prob_bits), 4)?;
        Ok(Self { start, prob_bits, backoff_bits })
    }

    fn of(&self, n: usize, longest: bool) -> Values {
        let probs = self.start + 4 * (n - 2) * ((1 << self.prob_bits) + (1 << self.backoff_bits));
        let backoffs = probs + (4 << self.prob_bits);
        let backoff_bits = if longest { 0 } else { self.backoff_bits };
        Values::Binned { prob_bits: self.prob_bits, probs, backoff_bits, backoffs }
    }
}

/// How many bits of a pointer may be moved to the array.
fn array_bits(file: &Bytes, layout: &Layout) -> Result<u32, Error> {
    let at = usize::try_from(layout.here()).unwrap_or(usize::MAX);
    match (file.byte(at), file.byte(at.saturating_add(1))) {
        (0, bits) => Ok(u32::from(bits)),
        (version, _) => {
            Err(Error::model(format!("arrays of pointers of version {version}, where 0 is read")))
        }
    }
}

impl Next {
    /// Pointers of `count` n-grams into `longer` ones. With `array_bits` KenLM moves as many high bits to the array
    /// as save most.
    fn new(count: u64, longer: u64, array_bits: Option<u32>, layout: &mut Layout) -> Result<Self, Error> {
        let required = required_bits(longer);
        let Some(most) = array_bits else { return Ok(Self { bits: required, high: None }) };
        let cost = |chop: u32| {
            let table = i128::from(longer.checked_shr(required - chop).unwrap_or(0)) * 64;
            table - i128::from(count.saturating_add(1)) * i128::from(chop)
        };
        let chop = (0..=required.min(most)).min_by_key(|chop| cost(*chop)).unwrap_or(0);
        let bits = required - chop;
        let entries = longer.checked_shr(bits).unwrap_or(0) + 1;
        let start = layout.take(8 * (1 + entries) + 7, 1)?;
        Ok(Self { bits, high: Some((start.next_multiple_of(8) + 8, entries)) })
    }

    /// The high bits of the pointer of entry `at`: how many values of them begin at or before it, less one.
    fn high(&self, file: &Bytes, at: u64) -> u64 {
        let Some((start, entries)) = self.high else { return 0 };
        let (mut low, mut high) = (0, entries);
        while low < high {
            let middle = low + (high - low) / 2;
            let offset = usize::try_from(8 * middle).map_or(usize::MAX, |bytes| start.saturating_add(bytes));
            if file.u64(offset) <= at { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1).checked_shl(self.bits).unwrap_or(0)
    }
}

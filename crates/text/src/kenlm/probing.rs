//! KenLM's probing data structure: hash tables with linear probing, keyed by hashes of n-grams.

use super::binary::{Header, Layout};
use super::bits::{Bytes, negative};
use super::{Search, Weights, hash_gram, hash_word};
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Probing {
    file: Bytes,
    order: usize,
    words: Table,
    unigrams: usize,
    /// Bytes of the weights of a unigram or middle n-gram: probability, backoff, and the rest cost of some models.
    weights: usize,
    middle: Vec<Table>,
    longest: Table,
    bound: u64,
}

impl Probing {
    pub(super) fn new(bytes: Vec<u8>, header: &Header, rest: bool) -> Result<Self, Error> {
        if !(header.multiplier >= 1.0 && header.multiplier.is_finite()) {
            return Err(Error::model(format!("a hash table of {} slots an entry", header.multiplier)));
        }
        let weights: usize = if rest { 12 } else { 8 };
        let mut layout = Layout::new(header.len, bytes.len());
        let table = |layout: &mut Layout, count: u64, size: u64| -> Result<Table, Error> {
            let slots = slots(count, header.multiplier);
            Ok(Table { start: layout.take(slots, size)?, slots, size })
        };
        let Some((&bound, longer)) = header.counts.split_first() else {
            return Err(Error::model("the model has no n-grams".into()));
        };
        layout.take(1, 8)?;
        let words = table(&mut layout, bound, 12)?;
        let unigrams = layout.take(bound.saturating_add(1), weights as u64)?;
        let mut middle = Vec::new();
        let mut longest = None;
        for (at, &count) in longer.iter().enumerate() {
            if at + 1 < longer.len() {
                middle.push(table(&mut layout, count, 8 + weights as u64)?);
            } else {
                longest = Some(table(&mut layout, count, 12)?);
            }
        }
        let Some(longest) = longest else {
            return Err(Error::model("the model has single words only".into()));
        };
        let order = header.counts.len();
        Ok(Self { file: Bytes(bytes), order, words, unigrams, weights, middle, longest, bound })
    }

    fn weights(&self, at: usize) -> Weights {
        // The sign bit says whether longer n-grams end in this one; the logarithm itself is always negative.
        Weights { prob: Some(negative(self.file.u32(at))), backoff: self.file.f32(at + 4) }
    }
}

impl Search for Probing {
    type Node = u64;

    fn order(&self) -> usize {
        self.order
    }

    fn index(&self, word: &str) -> u32 {
        self.words.find(&self.file, hash_word(word)).map_or(0, |at| self.file.u32(at))
    }

    fn unigram(&self, word: u32) -> (Weights, u64) {
        let word = if u64::from(word) <= self.bound { word } else { 0 };
        (self.weights(self.unigrams + word as usize * self.weights), u64::from(word))
    }

    fn middle(&self, n: usize, word: u32, node: u64) -> Option<(Weights, u64)> {
        let key = hash_gram(node, word);
        let at = self.middle.get(n.checked_sub(2)?)?.find(&self.file, key)?;
        Some((self.weights(at), key))
    }

    fn longest(&self, word: u32, node: u64) -> Option<f32> {
        self.longest.find(&self.file, hash_gram(node, word)).map(|at| self.file.f32(at))
    }
}

/// Number of slots of a table with `count` entries. KenLM computes it in single precision.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as KenLM rounds it"
)]
fn slots(count: u64, multiplier: f32) -> u64 {
    count.saturating_add(1).max((multiplier * count as f32) as u64)
}

/// Entries of a key in 8 bytes and a value; key 0 is an empty slot.
#[derive(Debug)]
struct Table {
    start: usize,
    slots: u64,
    size: u64,
}

impl Table {
    /// The offset of the value of `key`.
    fn find(&self, file: &Bytes, key: u64) -> Option<usize> {
        let mut slot = key % self.slots;
        for _ in 0..self.slots {
            let at = self.start + usize::try_from(slot * self.size).ok()?;
            match file.u64(at) {
                found if found == key => return Some(at + 8),
                0 => return None,
                _ => slot = if slot + 1 == self.slots { 0 } else { slot + 1 },
            }
        }
        None
    }
}

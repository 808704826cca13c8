//! ARPA files: text with the n-grams of each length, their logarithms of probability and backoff weights.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::{MAX_ORDER, Search, Weights, hash_gram, hash_word};
use crate::error::Error;

type Map<V> = HashMap<u64, V, BuildHasherDefault<AlreadyHashed>>;

#[derive(Debug)]
pub(super) struct Arpa {
    words: Map<u32>,
    unigrams: Vec<Weights>,
    /// n-grams of 2 words and more, by KenLM's key.
    longer: Vec<Map<Weights>>,
}

/// Logarithm of the probability of an unknown word in a model without `<unk>` (KenLM's default).
const UNKNOWN: Weights = Weights { prob: Some(-100.0), backoff: 0.0 };

impl Arpa {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut model = Self { words: HashMap::default(), unigrams: vec![UNKNOWN], longer: Vec::new() };
        let mut lines = Lines { rest: bytes, number: 0 };
        let counts = lines.counts()?;
        for n in 1..=counts.len() {
            lines.expect(&format!("\\{n}-grams:"))?;
            if n > 1 {
                model.longer.push(HashMap::default());
            }
            for _ in 0..counts[n - 1] {
                model.gram(n, &mut lines, n == counts.len())?;
            }
        }
        lines.expect("\\end\\")?;
        Ok(model)
    }

    fn gram(&mut self, n: usize, lines: &mut Lines<'_>, longest: bool) -> Result<(), Error> {
        let line = lines.next()?;
        let mut fields = line.split([' ', '\t', '\r']).filter(|field| !field.is_empty());
        let wrong = |detail: &str| lines.wrong(&format!("{detail}: {line}"));
        let number =
            |field: Option<&str>| field.and_then(|field| field.parse::<f32>().ok()).filter(|x| !x.is_nan());
        let prob = number(fields.next()).ok_or_else(|| wrong("no logarithm of a probability"))?;
        if prob > 0.0 {
            return Err(wrong("a probability above 1"));
        }
        let words: Vec<&str> = fields.by_ref().take(n).collect();
        if words.len() < n {
            return Err(wrong(&format!("fewer than {n} words")));
        }
        let backoff = match fields.next() {
            Some(field) => {
                number(Some(field)).filter(|x| x.is_finite()).ok_or_else(|| wrong("a strange backoff"))?
            }
            None => 0.0,
        };
        if fields.next().is_some() || (longest && backoff != 0.0) {
            return Err(wrong("more fields than there should be"));
        }
        let weights = Weights { prob: Some(prob), backoff };
        let [word] = words[..] else {
            return self
                .insert(&words, weights)
                .map_err(|word| wrong(&format!("{word} is not a word of the model")));
        };
        if matches!(word, "<unk>" | "<UNK>") {
            self.unigrams[0] = weights;
        } else {
            let id = u32::try_from(self.unigrams.len()).map_err(|_| wrong("more than 2^32 words"))?;
            self.words.insert(hash_word(word), id);
            self.unigrams.push(weights);
        }
        Ok(())
    }

    /// Inserts an n-gram. Shorter n-grams that it ends in and that are absent are inserted without a probability of their own, so
    /// that a lookup that begins with the newest word reaches it. Returns a word that the model does not have, if there is one.
    fn insert<'a>(&mut self, words: &[&'a str], weights: Weights) -> Result<(), &'a str> {
        let blank = Weights { prob: None, backoff: 0.0 };
        let mut key = 0;
        for (at, word) in words.iter().rev().enumerate() {
            let id = self.index(word);
            if id == 0 && !matches!(*word, "<unk>" | "<UNK>") {
                return Err(word);
            }
            if at == 0 {
                key = u64::from(id);
                continue;
            }
            key = hash_gram(key, id);
            let Some(table) = self.longer.get_mut(at - 1) else { continue };
            if at + 1 == words.len() {
                table.insert(key, weights);
            } else {
                table.entry(key).or_insert(blank);
            }
        }
        Ok(())
    }
}

impl Search for Arpa {
    type Node = u64;

    fn order(&self) -> usize {
        self.longer.len() + 1
    }

    fn index(&self, word: &str) -> u32 {
        self.words.get(&hash_word(word)).copied().unwrap_or(0)
    }

    fn unigram(&self, word: u32) -> (Weights, u64) {
        (self.unigrams.get(word as usize).copied().unwrap_or(UNKNOWN), u64::from(word))
    }

    fn middle(&self, n: usize, word: u32, node: u64) -> Option<(Weights, u64)> {
        let key = hash_gram(node, word);
        self.longer.get(n.checked_sub(2)?)?.get(&key).map(|weights| (*weights, key))
    }

    fn longest(&self, word: u32, node: u64) -> Option<f32> {
        self.longer.last()?.get(&hash_gram(node, word))?.prob
    }
}

struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    fn wrong(&self, detail: &str) -> Error {
        Error::model(format!("line {}: {detail}", self.number))
    }

    /// The next line that is not empty.
    fn next(&mut self) -> Result<&'a str, Error> {
        loop {
            if self.rest.is_empty() {
                return Err(self.wrong("the file ends too early; it is not an ARPA file, or was cut off"));
            }
            let (line, rest) = match self.rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            (self.rest, self.number) = (rest, self.number + 1);
            let line = std::str::from_utf8(line).map_err(|_| self.wrong("not UTF-8"))?;
            if !line.trim().is_empty() {
                return Ok(line);
            }
        }
    }

    fn expect(&mut self, expected: &str) -> Result<(), Error> {
        let line = self.next()?;
        if line.trim() == expected {
            Ok(())
        } else {
            Err(self.wrong(&format!("{expected} should stand here, not {line}")))
        }
    }

    /// The numbers of n-grams by length.
    fn counts(&mut self) -> Result<Vec<u64>, Error> {
        while self.next()?.trim() != "\\data\\" {}
        let mut counts = Vec::new();
        loop {
            let before = (self.rest, self.number);
            let Some(entry) = self.next()?.trim().strip_prefix("ngram ") else {
                (self.rest, self.number) = before;
                break;
            };
            let count = entry.split_once('=').and_then(|(n, count)| {
                let n: usize = n.trim().parse().ok()?;
                (n == counts.len() + 1).then_some(())?;
                count.trim().parse().ok()
            });
            counts.push(count.ok_or_else(|| self.wrong(&format!("a count that cannot be read: {entry}")))?);
        }
        match counts.len() {
            2..=MAX_ORDER => Ok(counts),
            order => Err(self.wrong(&format!("the order is {order}, and 2 to {MAX_ORDER} can be read"))),
        }
    }
}

/// Uses keys as they are, since they are hashes already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl std::hash::Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

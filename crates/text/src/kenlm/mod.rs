//! n-gram language models in KenLM's binary formats and in ARPA text, and the perplexity of a text.
//!
//! Reads version 5 of the binary format (kheafield.com/code/kenlm) with all six data structures: probing, probing with rest
//! costs, trie, quantised trie, trie with array-compressed pointers, and a trie that is both. ARPA files are read into hash
//! tables. A model is loaded into memory as a whole and never changes, so threads can share it.

mod arpa;
mod binary;
mod bits;
mod probing;
mod trie;

use std::path::Path;

use crate::error::Error;

/// Longest n-grams that a model may have (KenLM is built for 6 by default).
const MAX_ORDER: usize = 16;

/// Probability and backoff weight of an n-gram, as base 10 logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Weights {
    /// `None` where the n-gram is stored only because longer ones end in it.
    prob: Option<f32>,
    backoff: f32,
}

/// Looks up the n-grams of a model, from the newest word back to the oldest. `N` is the place that a lookup has reached.
trait Search {
    type Node: Copy;
    fn order(&self) -> usize;
    fn index(&self, word: &str) -> u32;
    fn unigram(&self, word: u32) -> (Weights, Self::Node);
    /// Extends the n-gram at `node` by the older `word` to one of `n` words, 2 to order - 1.
    fn middle(&self, n: usize, word: u32, node: Self::Node) -> Option<(Weights, Self::Node)>;
    fn longest(&self, word: u32, node: Self::Node) -> Option<f32>;
}

#[derive(Debug)]
enum Model {
    Arpa(arpa::Arpa),
    Probing(probing::Probing),
    Trie(trie::Trie),
}

/// A language model with backoff, read from a file.
///
/// ```
/// use tsumugi_text::LanguageModel;
///
/// let arpa = "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t-0.3\n-0.5\t</s>\n-0.7\t茶\t-0.2\n\n\
///             \\2-grams:\n-0.1\t<s> 茶\n\n\\end\\\n";
/// let model = LanguageModel::from_bytes(arpa.into())?;
/// let score = model.score(["茶"]);
/// assert!((score.log10 - (-0.1 - 0.2 - 0.5)).abs() < 1e-6);
/// assert_eq!(score.tokens, 2);
/// # Ok::<(), tsumugi_text::Error>(())
/// ```
#[derive(Debug)]
pub struct LanguageModel {
    model: Model,
}

/// The score of a sentence, or the sum of the scores of a text's sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Base 10 logarithm of the probability, end of sentence included.
    pub log10: f64,
    /// Words and ends of sentences.
    pub tokens: u64,
}

impl Score {
    /// `10^(-log10 / tokens)`, as CCNet defines perplexity; infinite where there are no tokens.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 tokens")]
    pub fn perplexity(&self) -> f64 {
        if self.tokens == 0 { f64::INFINITY } else { 10_f64.powf(-self.log10 / self.tokens as f64) }
    }
}

impl std::ops::AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.log10 += other.log10;
        self.tokens += other.tokens;
    }
}

impl LanguageModel {
    /// Reads a KenLM binary or an ARPA file into memory.
    ///
    /// # Errors
    /// [`Error::Read`] if it cannot be read, [`Error::Model`] with the path and the place of the fault.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::from_bytes(bytes).map_err(|error| error.in_file(path))
    }

    /// Parses the bytes of such a file.
    ///
    /// # Errors
    /// [`Error::Model`] with the place of the fault.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let model = if binary::is_binary(&bytes) {
            let header = binary::Header::read(&bytes)?;
            match header.structure {
                binary::Structure::Probing { rest } => {
                    Model::Probing(probing::Probing::new(bytes, &header, rest)?)
                }
                binary::Structure::Trie { quantised, array } => {
                    Model::Trie(trie::Trie::new(bytes, &header, quantised, array)?)
                }
            }
        } else {
            Model::Arpa(arpa::Arpa::read(&bytes)?)
        };
        Ok(Self { model })
    }

    /// The order of the model: the number of words in its longest n-grams.
    #[must_use]
    pub fn order(&self) -> usize {
        match &self.model {
            Model::Arpa(search) => search.order(),
            Model::Probing(search) => search.order(),
            Model::Trie(search) => search.order(),
        }
    }

    /// Whether the model knows `word`.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        0 != match &self.model {
            Model::Arpa(search) => search.index(word),
            Model::Probing(search) => search.index(word),
            Model::Trie(search) => search.index(word),
        }
    }

    /// Scores a sentence of these words, with `<s>` before and `</s>` after them.
    #[must_use]
    pub fn score<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Score {
        match &self.model {
            Model::Arpa(search) => score(search, words),
            Model::Probing(search) => score(search, words),
            Model::Trie(search) => score(search, words),
        }
    }
}

fn score<'a, S: Search>(search: &S, words: impl IntoIterator<Item = &'a str>) -> Score {
    let mut context = Context::default();
    context.words[0] = search.index("<s>");
    context.backoffs[0] = search.unigram(context.words[0]).0.backoff;
    context.len = 1;
    let mut total = Score::default();
    let end = std::iter::once(search.index("</s>"));
    for word in words.into_iter().map(|word| search.index(word)).chain(end) {
        total.log10 += f64::from(context.push(search, word));
        total.tokens += 1;
    }
    total
}

/// The words before the next one, newest first, and the backoff weights of the n-grams that the newest of them form.
#[derive(Clone, Copy, Default)]
struct Context {
    words: [u32; MAX_ORDER],
    backoffs: [f32; MAX_ORDER],
    len: usize,
}

impl Context {
    /// Returns the logarithm of the probability of `word` after this context, and adds the word to the context.
    fn push<S: Search>(&mut self, search: &S, word: u32) -> f32 {
        let mut next = Self { len: 1, ..Self::default() };
        let (weights, mut node) = search.unigram(word);
        (next.words[0], next.backoffs[0]) = (word, weights.backoff);
        let (mut prob, mut matched) = (weights.prob.unwrap_or(0.0), 1);
        for (at, &older) in self.words[..self.len].iter().enumerate() {
            let n = at + 2;
            if n == search.order() {
                if let Some(longest) = search.longest(older, node) {
                    (prob, matched) = (longest, n);
                }
                break;
            }
            let Some((weights, further)) = search.middle(n, older, node) else { break };
            if let Some(own) = weights.prob {
                (prob, matched) = (own, n);
            }
            (next.words[n - 1], next.backoffs[n - 1], next.len) = (older, weights.backoff, n);
            node = further;
        }
        let backed_off: f32 = self.backoffs[..self.len].iter().skip(matched - 1).sum();
        *self = next;
        prob + backed_off
    }
}

/// MurmurHash64A with seed 0 (Austin Appleby, public domain), by which KenLM identifies words.
fn hash_word(word: &str) -> u64 {
    const M: u64 = 0xC6A4_A793_5BD1_E995;
    let bytes = word.as_bytes();
    let mut hash = (bytes.len() as u64).wrapping_mul(M);
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        let mut k = u64::from_le_bytes(*block).wrapping_mul(M);
        k = (k ^ (k >> 47)).wrapping_mul(M);
        hash = (hash ^ k).wrapping_mul(M);
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(M);
    hash ^ (hash >> 47)
}

/// KenLM's key of an n-gram: the key of its newer words with one older `word`.
fn hash_gram(newer: u64, word: u32) -> u64 {
    newer.wrapping_mul(8_978_948_897_894_561_157)
        ^ (1 + u64::from(word)).wrapping_mul(17_894_857_484_156_487_943)
}

#[cfg(test)]
mod tests;

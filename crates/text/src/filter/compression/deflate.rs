//! How long zlib's stream at level 9 is, to the byte.
//!
//! How texts compress depends on the implementation: which of several matches is taken, when a match is put off, where
//! a block ends, which code lengths equal frequencies get. Rules that compare ratios with thresholds mean those of
//! zlib 1.2 and 1.3 with its usual settings (32 KB window, memory level 8), which are followed here; no stream is
//! written.

use super::huffman::{Codes, STATIC_DISTANCE, STATIC_LITERAL, lengths_bits};

const WINDOW: usize = 1 << 15;
/// A match never reaches back the last 262 bytes of the window.
const MAX_DISTANCE: usize = WINDOW - 262;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 258;
/// A match of three bytes that is farther away costs more than the bytes.
const TOO_FAR: usize = 4096;
/// Matches looked at, and a quarter of that once there is a match of so many bytes.
const MAX_CHAIN: usize = 4096;
const GOOD_MATCH: usize = 32;
/// Literals and matches in a block.
const BLOCK_SYMBOLS: usize = (1 << 14) - 1;

/// Bytes of the zlib stream of `bytes` at level 9: two of header, four of checksum, and the blocks.
pub(super) fn zlib_len(bytes: &[u8]) -> usize {
    let mut deflate = Deflate {
        bytes,
        head: vec![0; WINDOW],
        before: vec![0; WINDOW],
        block: Block::new(),
        start: 0,
        bits: 0,
    };
    deflate.run();
    usize::try_from(deflate.bits.div_ceil(8)).map_or(usize::MAX, |len| len + 6)
}

struct Deflate<'a> {
    bytes: &'a [u8],
    /// The last place of each hash of three bytes, and the place before each place with the same hash. Place 0 is none.
    head: Vec<usize>,
    before: Vec<usize>,
    block: Block,
    /// Where the block begins.
    start: usize,
    bits: u64,
}

#[derive(Clone, Copy)]
struct Match {
    len: usize,
    from: usize,
}

const NO_MATCH: Match = Match { len: MIN_MATCH - 1, from: 0 };

impl Deflate<'_> {
    /// A match is put off by one byte as long as the next one is longer.
    fn run(&mut self) {
        let mut at = 0;
        let mut found = NO_MATCH;
        let mut literal_waits = false;
        while at < self.bytes.len() {
            let candidate = self.insert(at);
            let earlier = std::mem::replace(&mut found, NO_MATCH);
            if candidate != 0 && earlier.len < MAX_MATCH && at - candidate <= MAX_DISTANCE {
                found = self.longest(at, candidate, earlier);
                if found.len == MIN_MATCH && at - found.from > TOO_FAR {
                    found.len = MIN_MATCH - 1;
                }
            }
            if earlier.len >= MIN_MATCH && found.len <= earlier.len {
                let full = self.block.push_match(at - 1 - earlier.from, earlier.len);
                let end = at - 1 + earlier.len;
                for place in at + 1..end {
                    self.insert(place);
                }
                (at, found, literal_waits) = (end, NO_MATCH, false);
                if full {
                    self.flush(at);
                }
            } else {
                if literal_waits && self.block.push_literal(self.bytes[at - 1]) {
                    self.flush(at);
                }
                literal_waits = true;
                at += 1;
            }
        }
        if literal_waits {
            self.block.push_literal(self.bytes[at - 1]);
        }
        self.flush(at);
    }

    /// Notes the place `at` and gives the last one before it with the same hash.
    fn insert(&mut self, at: usize) -> usize {
        let Some(&[a, b, c]) = self.bytes.get(at..).and_then(<[u8]>::first_chunk) else { return 0 };
        let hash = (usize::from(a) << 10 ^ usize::from(b) << 5 ^ usize::from(c)) & (WINDOW - 1);
        let candidate = std::mem::replace(&mut self.head[hash], at);
        self.before[at & (WINDOW - 1)] = candidate;
        candidate
    }

    /// The longest match at `at` that is longer than the earlier one, the nearest of equally long ones.
    fn longest(&self, at: usize, candidate: usize, earlier: Match) -> Match {
        let lookahead = self.bytes.len() - at;
        let most = lookahead.min(MAX_MATCH);
        let limit = at.saturating_sub(MAX_DISTANCE);
        let mut chain = if earlier.len >= GOOD_MATCH { MAX_CHAIN / 4 } else { MAX_CHAIN };
        let mut best = Match { len: earlier.len, from: 0 };
        let mut candidate = candidate;
        let text = &self.bytes[at..at + most];
        loop {
            // Most candidates fail at the byte by which they would be longer.
            if text.get(best.len).is_some_and(|byte| self.bytes[candidate + best.len] == *byte) {
                let other = &self.bytes[candidate..candidate + most];
                let len = text.iter().zip(other).take_while(|(a, b)| a == b).count();
                if len > best.len {
                    best = Match { len, from: candidate };
                    if len >= most {
                        break;
                    }
                }
            }
            candidate = self.before[candidate & (WINDOW - 1)];
            chain -= 1;
            if candidate <= limit || chain == 0 {
                break;
            }
        }
        Match { len: best.len.min(lookahead), from: best.from }
    }

    /// Ends the block before `at`, in the way that is shortest.
    fn flush(&mut self, at: usize) {
        let stored = (at - self.start) as u64;
        let (own, fixed) = self.block.bits();
        let bytes = |bits: u64| (bits + 3).div_ceil(8);
        if stored + 4 <= bytes(own).min(bytes(fixed)) {
            self.bits = (self.bits + 3).next_multiple_of(8) + 8 * (stored + 4);
        } else if bytes(fixed) <= bytes(own) {
            self.bits += 3 + fixed;
        } else {
            self.bits += 3 + own;
        }
        self.start = at;
        self.block = Block::new();
    }
}

/// How often each symbol stands in a block.
struct Block {
    literals: [u32; 286],
    distances: [u32; 30],
    symbols: usize,
}

impl Block {
    fn new() -> Self {
        let mut literals = [0; 286];
        // The end of the block.
        literals[256] = 1;
        Self { literals, distances: [0; 30], symbols: 0 }
    }

    /// Whether the block is full.
    fn push_literal(&mut self, byte: u8) -> bool {
        self.literals[usize::from(byte)] += 1;
        self.symbols += 1;
        self.symbols == BLOCK_SYMBOLS
    }

    fn push_match(&mut self, distance: usize, len: usize) -> bool {
        self.literals[257 + length_code(len)] += 1;
        self.distances[distance_code(distance)] += 1;
        self.symbols += 1;
        self.symbols == BLOCK_SYMBOLS
    }

    /// Bits with codes of its own, their description included, and with the fixed codes.
    fn bits(&self) -> (u64, u64) {
        let literals = Codes::new(&self.literals, 15);
        let distances = Codes::new(&self.distances, 15);
        let cost = |frequencies: &[u32], len: &dyn Fn(usize) -> u32, extra: fn(usize) -> u32| -> u64 {
            let symbols = frequencies.iter().enumerate();
            symbols.map(|(symbol, &count)| u64::from(count) * u64::from(len(symbol) + extra(symbol))).sum()
        };
        let own = cost(&self.literals, &|symbol| literals.lens[symbol], length_extra)
            + cost(&self.distances, &|symbol| distances.lens[symbol], distance_extra)
            + lengths_bits(&literals, &distances);
        let fixed = cost(&self.literals, &STATIC_LITERAL, length_extra)
            + cost(&self.distances, &STATIC_DISTANCE, distance_extra);
        (own, fixed)
    }
}

/// Codes 0 to 27 have groups of four of equally many extra bits, 28 is 258 alone.
fn length_code(len: usize) -> usize {
    match len - MIN_MATCH {
        255 => 28,
        rest if rest < 8 => rest,
        rest => {
            let log = rest.ilog2() as usize;
            4 * (log - 1) + ((rest >> (log - 2)) & 3)
        }
    }
}

fn length_extra(symbol: usize) -> u32 {
    match symbol {
        265..285 => (symbol as u32 - 261) / 4,
        _ => 0,
    }
}

fn distance_code(distance: usize) -> usize {
    match distance - 1 {
        rest if rest < 4 => rest,
        rest => {
            let log = rest.ilog2() as usize;
            2 * log + ((rest >> (log - 1)) & 1)
        }
    }
}

fn distance_extra(code: usize) -> u32 {
    (code as u32 / 2).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        let next = |state: &u64| {
            Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        std::iter::successors(Some(seed), next).skip(1)
    }

    fn text(seed: u64, letters: usize, kinds: u64) -> Vec<u8> {
        let kana: Vec<char> = "あいうえおかきくけこさしすせそ、。\n".chars().collect();
        let picked = numbers(seed).take(letters).map(|number| kana[((number >> 33) % kinds) as usize]);
        picked.collect::<String>().into_bytes()
    }

    fn noise(seed: u64, len: usize) -> Vec<u8> {
        numbers(seed).take(len).map(|number| (number >> 40) as u8).collect()
    }

    /// Lengths by Python's `zlib.compress(data, 9)` (zlib 1.2.13).
    #[test]
    fn lengths_equal_those_of_zlib() {
        let check =
            |bytes: &[u8], expected: usize| assert_eq!(zlib_len(bytes), expected, "{} bytes", bytes.len());
        check(b"", 8);
        check(b"a", 9);
        check(&[b'a'; 100_000], 121);
        check(&text(1, 60_000, 18), 44345);
        check(&text(2, 60_000, 3), 17178);
        check(&noise(3, 50_000), 50026);
        check(&text(4, 3000, 18).repeat(40), 5164);
        check(&[noise(5, 300).repeat(30), text(6, 20_000, 7)].concat(), 10961);
    }
}

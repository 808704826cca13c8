//! The lattice of one text and the cheapest way through it.
//!
//! The order of comparison is part of the result, since many ways cost the same: words that start at one place are
//! joined newest first, words that end at one place are visited newest first, and a candidate wins only when it is
//! strictly cheaper. This is what MeCab does.

use super::chars::CharInfo;
use super::lexicon::{Entry, Lexicon, Token, cost_in};
use super::{Dictionary, Morpheme};

/// A run of more characters than this is not tried as one unknown word (MeCab's default `max-grouping-size`).
const MAX_GROUP: usize = 24;
/// MeCab looks at no more of a text than this many bytes from a place on.
const MAX_LOOKAHEAD: usize = 65_535;
const NONE: u32 = u32::MAX;

/// A word of the lattice.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    token: Token,
    unknown: bool,
    /// Cost of the cheapest way up to and with this word.
    total: i64,
    /// The word before it on that way.
    previous: u32,
    /// The next older word that ends where this one ends.
    older: u32,
}

/// Buffers of the search, kept from text to text.
#[derive(Debug, Default)]
pub(super) struct Lattice {
    nodes: Vec<Node>,
    /// For each byte place, the newest word that ends there.
    ending: Vec<u32>,
    /// Words that start at the place under work, oldest first.
    starting: Vec<Node>,
    /// Right context and total of the words that end at the place under work, newest first.
    left: Vec<(u16, u32, i64)>,
    /// Best neighbour for each left context met at the place under work.
    best: Vec<(u16, u32, i64)>,
    path: Vec<u32>,
}

impl Lattice {
    /// Splits `text` and calls `out` for each word.
    pub(super) fn split<'t, 'd>(
        &mut self,
        dictionary: &'d Dictionary,
        text: &'t str,
        mut out: impl FnMut(Morpheme<'t, 'd>),
    ) {
        // MeCab copies a text as a C string into a place of the text's length: from the first NUL on it sees zeros. They
        // take part in the search, and the words are handed over up to the first of them.
        let end = text.find('\0').unwrap_or(text.len());
        if end < text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[end..].fill(0);
            self.search(dictionary, &bytes);
        } else {
            self.search(dictionary, text.as_bytes());
        }
        for index in self.path.iter().rev() {
            let node = self.nodes[*index as usize];
            if node.start as usize >= end {
                break;
            }
            let lexicon = if node.unknown { &dictionary.unknown } else { &dictionary.system };
            out(Morpheme {
                surface: text.get(node.start as usize..end.min(node.end as usize)).unwrap_or_default(),
                feature: lexicon.feature(node.token.feature),
                unknown: node.unknown,
            });
        }
    }

    fn search(&mut self, dictionary: &Dictionary, text: &[u8]) {
        self.nodes.clear();
        self.ending.clear();
        self.ending.resize(text.len() + 1, NONE);
        let start = Token { left: 0, right: 0, cost: 0, feature: 0 };
        self.nodes.push(Node {
            start: 0,
            end: 0,
            token: start,
            unknown: false,
            total: 0,
            previous: NONE,
            older: NONE,
        });
        self.ending[0] = 0;
        for place in 0..text.len() {
            if self.ending[place] != NONE {
                self.words_at(dictionary, text, place);
                self.connect(dictionary, place);
            }
        }
        // The end of the text joins the last place where a word ends: trailing spaces belong to none.
        let last = (0..=text.len()).rev().find(|place| self.ending[*place] != NONE).unwrap_or(0);
        self.collect_left(last);
        let (mut at, _) = best_left(&self.left, dictionary.matrix.row(0));
        self.path.clear();
        while at != NONE && at != 0 {
            self.path.push(at);
            at = self.nodes[at as usize].previous;
        }
    }

    /// Fills `starting` with every word that may start at `place`, after spaces.
    fn words_at(&mut self, dictionary: &Dictionary, text: &[u8], place: usize) {
        self.starting.clear();
        let chars = &dictionary.chars;
        let rest = &text[place..text.len().min(place + MAX_LOOKAHEAD)];
        let spaces = chars.run(rest, dictionary.space, usize::MAX - 1);
        let word = &rest[spaces.bytes..];
        let Some((info, first_length)) = spaces.last.filter(|_| !word.is_empty()) else { return };
        let mut adder = Adder { out: &mut self.starting, start: place + spaces.bytes };
        dictionary.system.prefixes(word, |length, entry| adder.add(&dictionary.system, entry, length, false));
        if !adder.out.is_empty() && !info.invoke() {
            return;
        }
        add_unknown(dictionary, word, info, first_length, &mut adder);
    }

    /// Joins the words of `starting` to those that end at `place`.
    fn connect(&mut self, dictionary: &Dictionary, place: usize) {
        self.collect_left(place);
        self.best.clear();
        for index in (0..self.starting.len()).rev() {
            let mut node = self.starting[index];
            let left = node.token.left;
            // The best neighbour depends on the left context alone: a word's own cost is the same for all of them.
            let known = self.best.iter().find(|(context, ..)| *context == left).copied();
            let (_, previous, total) = known.unwrap_or_else(|| {
                let (previous, total) = best_left(&self.left, dictionary.matrix.row(left));
                self.best.push((left, previous, total));
                (left, previous, total)
            });
            node.previous = previous;
            node.total = total + i64::from(node.token.cost);
            node.older = self.ending[node.end as usize];
            self.ending[node.end as usize] = self.nodes.len() as u32;
            self.nodes.push(node);
        }
    }

    fn collect_left(&mut self, place: usize) {
        self.left.clear();
        let mut at = self.ending[place];
        while at != NONE {
            let node = &self.nodes[at as usize];
            self.left.push((node.token.right, at, node.total));
            at = node.older;
        }
    }
}

/// The first of the cheapest left neighbours, and the cost up to and with the joint.
#[inline]
fn best_left(left: &[(u16, u32, i64)], row: &[u8]) -> (u32, i64) {
    let mut best = (NONE, i64::MAX);
    for (right, index, total) in left {
        let total = total + cost_in(row, *right);
        if total < best.1 {
            best = (*index, total);
        }
    }
    best
}

struct Adder<'a> {
    out: &'a mut Vec<Node>,
    start: usize,
}

impl Adder<'_> {
    fn add(&mut self, lexicon: &Lexicon, entry: Entry, length: usize, unknown: bool) {
        let (start, end) = (self.start as u32, (self.start + length) as u32);
        self.out.extend(lexicon.tokens(entry).map(|token| Node {
            start,
            end,
            token,
            unknown,
            total: 0,
            previous: NONE,
            older: NONE,
        }));
    }
}

/// Adds the unknown words that `word` may start with: its run of one category, then its first few characters.
fn add_unknown(
    dictionary: &Dictionary,
    word: &[u8],
    info: CharInfo,
    first_length: usize,
    adder: &mut Adder<'_>,
) {
    let Some(Some(entry)) = dictionary.unknown_entries.get(info.category()).copied() else { return };
    let add = |length: usize, adder: &mut Adder<'_>| adder.add(&dictionary.unknown, entry, length, true);
    let mut grouped = None;
    if info.group() {
        let run = dictionary.chars.run(&word[first_length..], info, MAX_GROUP);
        if run.chars <= MAX_GROUP {
            add(first_length + run.bytes, adder);
            grouped = Some(first_length + run.bytes);
        }
    }
    let mut length = first_length;
    for _ in 0..info.length() {
        if length > word.len() {
            break;
        }
        if Some(length) == grouped {
            continue;
        }
        add(length, adder);
        let Some(next) = word.get(length..).filter(|next| !next.is_empty()) else { break };
        let (next, bytes) = dictionary.chars.first(next);
        if !info.is_kind_of(next) {
            break;
        }
        length += bytes;
    }
    if adder.out.is_empty() {
        add(first_length, adder);
    }
}

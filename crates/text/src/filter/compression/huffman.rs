//! Lengths of Huffman codes as zlib gives them: among equal frequencies the flatter tree goes first, and codes that are
//! too long are shortened at the cost of the next shorter ones.

/// Code lengths of an alphabet, and its last symbol that has a code.
pub(super) struct Codes {
    pub(super) lens: Vec<u32>,
    last: usize,
}

/// Code lengths of the fixed codes.
pub(super) const STATIC_LITERAL: fn(usize) -> u32 = |symbol| match symbol {
    144..256 => 9,
    256..280 => 7,
    _ => 8,
};
pub(super) const STATIC_DISTANCE: fn(usize) -> u32 = |_| 5;

struct Tree {
    frequency: Vec<u32>,
    depth: Vec<u32>,
    parent: Vec<usize>,
    /// Nodes by frequency, the smallest at 1.
    heap: Vec<usize>,
}

impl Codes {
    /// Codes of at most `longest` bits for symbols of these frequencies.
    pub(super) fn new(frequencies: &[u32], longest: u32) -> Self {
        let count = frequencies.len();
        let mut tree = Tree {
            frequency: frequencies.to_vec(),
            depth: vec![0; 2 * count],
            parent: vec![0; 2 * count],
            heap: vec![0],
        };
        tree.frequency.resize(2 * count, 0);
        tree.heap.extend((0..count).filter(|symbol| frequencies[*symbol] > 0));
        let mut last = tree.heap.last().copied().filter(|_| tree.heap.len() > 1);
        // There are always two codes; they cost nothing but their description.
        while tree.heap.len() < 3 {
            let symbol = match last {
                None => 0,
                Some(last @ 0..2) => last + 1,
                Some(_) => 0,
            };
            last = Some(last.unwrap_or(0).max(symbol));
            tree.frequency[symbol] = 1;
            tree.heap.push(symbol);
        }
        let last = last.unwrap_or(0);
        let order = tree.build(count);
        Self { lens: tree.lens(&order, count, longest), last }
    }
}

impl Tree {
    /// Of equal frequencies the flatter tree, and of equal trees either, is the smaller one.
    fn is_smaller(&self, a: usize, b: usize) -> bool {
        (self.frequency[a], self.depth[a]) <= (self.frequency[b], self.depth[b])
    }

    /// Moves the node at `at` down to where it is no larger than those below it.
    fn sink(&mut self, mut at: usize) {
        let node = self.heap[at];
        loop {
            let mut below = 2 * at;
            if below >= self.heap.len() {
                break;
            }
            if below + 1 < self.heap.len() && self.is_smaller(self.heap[below + 1], self.heap[below]) {
                below += 1;
            }
            if self.is_smaller(node, self.heap[below]) {
                break;
            }
            self.heap[at] = self.heap[below];
            at = below;
        }
        self.heap[at] = node;
    }

    /// Joins the two rarest nodes until one is left; gives all nodes from the root to the rarest.
    fn build(&mut self, symbols: usize) -> Vec<usize> {
        for at in (1..=(self.heap.len() - 1) / 2).rev() {
            self.sink(at);
        }
        let mut order = Vec::with_capacity(2 * symbols);
        let mut node = symbols;
        while self.heap.len() > 2 {
            let rarest = self.heap.swap_remove(1);
            self.sink(1);
            let next = self.heap[1];
            order.extend([rarest, next]);
            self.frequency[node] = self.frequency[rarest] + self.frequency[next];
            self.depth[node] = self.depth[rarest].max(self.depth[next]) + 1;
            (self.parent[rarest], self.parent[next]) = (node, node);
            self.heap[1] = node;
            self.sink(1);
            node += 1;
        }
        order.push(self.heap[1]);
        order.reverse();
        order
    }

    fn lens(&self, order: &[usize], symbols: usize, longest: u32) -> Vec<u32> {
        let mut lens = vec![0; 2 * symbols];
        let mut count = vec![0_usize; longest as usize + 1];
        let mut overflow = 0_i64;
        for &node in &order[1..] {
            let len = lens[self.parent[node]] + 1;
            overflow += i64::from(len > longest);
            lens[node] = len.min(longest);
            if node < symbols {
                count[lens[node] as usize] += 1;
            }
        }
        if overflow > 0 {
            Self::shorten(&mut count, overflow);
            // The rarest symbols get the longest codes.
            let mut rarest = order.iter().rev().filter(|node| **node < symbols);
            for len in (1..=longest).rev() {
                for &symbol in rarest.by_ref().take(count[len as usize]) {
                    lens[symbol] = len;
                }
            }
        }
        lens.truncate(symbols);
        lens
    }

    /// Takes a code of the longest that are not too long as the parent of two, one of which was too long.
    fn shorten(count: &mut [usize], mut overflow: i64) {
        let longest = count.len() - 1;
        while overflow > 0 {
            let Some(len) = (1..longest).rev().find(|len| count[*len] > 0) else { break };
            count[len] -= 1;
            count[len + 1] += 2;
            count[longest] -= 1;
            overflow -= 2;
        }
    }
}

/// Bits of the description of the codes of a block.
pub(super) fn lengths_bits(literals: &Codes, distances: &Codes) -> u64 {
    /// The order in which the lengths of the codes of code lengths are written, as long as any is left.
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let mut frequencies = [0_u32; 19];
    run_lengths(literals, &mut frequencies);
    run_lengths(distances, &mut frequencies);
    let codes = Codes::new(&frequencies, 7);
    let extra = |symbol| match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    };
    let symbols = frequencies.iter().zip(&codes.lens).enumerate();
    let bits: u64 =
        symbols.map(|(symbol, (count, len))| u64::from(*count) * u64::from(len + extra(symbol))).sum();
    let written =
        ORDER.iter().rposition(|symbol| codes.lens[*symbol] != 0).map_or(4, |last| (last + 1).max(4));
    bits + 3 * written as u64 + 5 + 5 + 4
}

/// Counts the symbols that write the code lengths: 16 repeats the last one 3 to 6 times, 17 and 18 are runs of zeros.
fn run_lengths(codes: &Codes, frequencies: &mut [u32; 19]) {
    let lens = &codes.lens[..=codes.last];
    let mut before = None;
    for run in lens.chunk_by(|a, b| a == b) {
        let len = run[0];
        let mut left = run.len() as u32;
        while left > 0 {
            let (most, fewest) = match len {
                0 => (138, 3),
                _ if before == Some(len) => (6, 3),
                _ => (7, 4),
            };
            let count = left.min(most);
            if count < fewest {
                frequencies[len as usize] += count;
            } else if len != 0 {
                frequencies[len as usize] += u32::from(before != Some(len));
                frequencies[16] += 1;
            } else {
                frequencies[if count <= 10 { 17 } else { 18 }] += 1;
            }
            before = Some(len);
            left -= count;
        }
    }
}

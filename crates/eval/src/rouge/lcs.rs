//! Length of the longest common subsequence, 64 rows of the table at a time.

use std::collections::HashMap;

/// Length of the longest common subsequence of two token lists.
///
/// Bit-parallel (Hyyrö 2004): one machine word holds where a column of the table steps up, so that a table of
/// `n` x `m` takes `n / 64 * m` word operations instead of `n * m` comparisons.
#[must_use]
pub fn lcs_length<T: AsRef<str>>(a: &[T], b: &[T]) -> usize {
    if a.is_empty() || b.is_empty() {
        return 0;
    }
    let blocks = a.len().div_ceil(64);
    // For each distinct token of `a`, the rows where it stands.
    let mut numbers: HashMap<&str, usize> = HashMap::with_capacity(a.len());
    let mut rows: Vec<u64> = Vec::with_capacity(a.len() * blocks);
    for (i, token) in a.iter().enumerate() {
        let next = rows.len() / blocks;
        let number = *numbers.entry(token.as_ref()).or_insert(next);
        if number == next {
            rows.resize(rows.len() + blocks, 0);
        }
        rows[number * blocks + i / 64] |= 1 << (i % 64);
    }
    let mut steps = vec![u64::MAX; blocks];
    for token in b {
        let Some(number) = numbers.get(token.as_ref()) else { continue };
        let rows = &rows[number * blocks..][..blocks];
        let mut carry = false;
        for (step, row) in steps.iter_mut().zip(rows) {
            let matched = *step & row;
            let (sum, over) = step.overflowing_add(matched);
            let (sum, over_carry) = sum.overflowing_add(u64::from(carry));
            carry = over || over_carry;
            *step = sum | (*step - matched);
        }
    }
    let used = |block: usize| {
        if block + 1 < blocks || a.len().is_multiple_of(64) { u64::MAX } else { (1 << (a.len() % 64)) - 1 }
    };
    steps.iter().enumerate().map(|(block, step)| (!step & used(block)).count_ones() as usize).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lcs_length;

    fn plain(a: &[String], b: &[String]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                table[i + 1][j + 1] =
                    if x == y { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn as_the_plain_table(a in prop::collection::vec("[a-e]", 0..200), b in prop::collection::vec("[a-e]", 0..200)) {
            prop_assert_eq!(lcs_length(&a, &b), plain(&a, &b));
        }
    }
}

//! The operators as plain functions over key vectors: one element a row.
//!
//! Keys are anything that can be ordered and copied: hashes, integers, `&str`. Every result depends on the keys
//! alone, never on the number of threads.

use md5::{Digest, Md5};
use rayon::prelude::*;

use crate::Error;

/// What a key must be: ordered, cheap to copy, sendable to other threads.
pub trait Key: Copy + Ord + Send + Sync {}

impl<T: Copy + Ord + Send + Sync> Key for T {}

/// Which rows stay when rows go whose key stands `count` times or more.
///
/// ```
/// assert_eq!(tsumugi_tables::drop_frequent(&["logo", "cat", "logo"], 2), [false, true, false]);
/// ```
#[must_use]
pub fn drop_frequent<K: Key>(keys: &[K], count: usize) -> Vec<bool> {
    let mut keep = vec![true; keys.len()];
    let order = sorted(keys);
    for run in order.chunk_by(|a, b| a.0 == b.0) {
        if run.len() >= count {
            for &(_, row) in run {
                keep[row] = false;
            }
        }
    }
    keep
}

/// Group and draw of a row, and its number.
type Place<G, D> = ((G, D), usize);

/// How [`drop_frequent_in_samples`] cuts samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Occurrences in a sample (the paper: 60,000 images).
    pub block: usize,
    /// A key that occurs this often in a sample is dropped from it (the paper: 10).
    pub count: usize,
}

/// The place of an occurrence in the order in which samples are drawn: MD5 of `SEED:OCCURRENCE`, a hash that every SQL
/// engine has.
///
/// ```
/// assert_ne!(tsumugi_tables::draw(1, "page image"), tsumugi_tables::draw(2, "page image"));
/// ```
#[must_use]
pub fn draw(seed: u64, occurrence: &str) -> [u8; 16] {
    Md5::digest(format!("{seed}:{occurrence}")).into()
}

/// Which rows stay when the occurrences of each group (a crawl year) are put in the order of their `draws`, cut into
/// samples of `samples.block`, and a row goes whose key has `samples.count` occurrences or more in its sample.
///
/// Rows of one group with equal draws are one occurrence, and count once for a key; see [`draw`].
///
/// # Errors
/// [`Error::Length`] if the vectors differ in length, [`Error::EmptyBlock`] if a sample would hold nothing.
pub fn drop_frequent_in_samples<K: Key, G: Key, D: Key>(
    keys: &[K],
    groups: &[G],
    draws: &[D],
    samples: &Samples,
) -> Result<Vec<bool>, Error> {
    same_length("groups", keys.len(), groups.len())?;
    same_length("draws", keys.len(), draws.len())?;
    if samples.block == 0 {
        return Err(Error::EmptyBlock);
    }
    let places: Vec<(G, D)> = groups.iter().copied().zip(draws.iter().copied()).collect();
    let order = sorted(&places);
    // Runs of rows: one for each occurrence.
    let occurrences: Vec<&[Place<G, D>]> = order.chunk_by(|a, b| a.0 == b.0).collect();
    let blocks: Vec<&[&[Place<G, D>]]> = occurrences
        .chunk_by(|a, b| a[0].0.0 == b[0].0.0)
        .flat_map(|group| group.chunks(samples.block))
        .collect();
    let dropped: Vec<Vec<usize>> = blocks
        .par_iter()
        .map(|block| {
            let of = |(at, rows): (usize, &&[Place<G, D>])| {
                rows.iter().map(move |&(_, row)| (keys[row], at, row)).collect::<Vec<_>>()
            };
            let mut rows: Vec<(K, usize, usize)> = block.iter().enumerate().flat_map(of).collect();
            rows.sort_unstable();
            let count = |run: &[(K, usize, usize)]| run.chunk_by(|a, b| a.1 == b.1).count();
            let frequent = rows.chunk_by(|a, b| a.0 == b.0).filter(|run| count(run) >= samples.count);
            frequent.flatten().map(|&(_, _, row)| row).collect()
        })
        .collect();
    let mut keep = vec![true; keys.len()];
    for row in dropped.into_iter().flatten() {
        keep[row] = false;
    }
    Ok(keep)
}

/// Which rows stay when of each key only the row of the smallest `order` stays (of equal orders the first row).
///
/// ```
/// let keep = tsumugi_tables::keep_first(&["a", "b", "a"], &[7, 1, 3])?;
/// assert_eq!(keep, [false, true, true]);
/// # Ok::<(), tsumugi_tables::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] if the vectors differ in length.
pub fn keep_first<K: Key, O: Key>(keys: &[K], order: &[O]) -> Result<Vec<bool>, Error> {
    same_length("order", keys.len(), order.len())?;
    let pairs: Vec<(K, O)> = keys.iter().copied().zip(order.iter().copied()).collect();
    let mut keep = vec![false; keys.len()];
    for run in sorted(&pairs).chunk_by(|a, b| a.0.0 == b.0.0) {
        if let Some(&(_, row)) = run.first() {
            keep[row] = true;
        }
    }
    Ok(keep)
}

/// Which rows stay when a row goes that shares a band key with a row of smaller id.
///
/// `bands` holds the band keys of each row (none, if the row has no text to compare). The keys of different bands
/// should differ, for which `tsumugi_text::MinHash` mixes the number of the band into the key. The rule is not
/// transitive and needs no clustering: a row goes even if the row that it resembles goes too, so of each group of
/// rows that share a key exactly the one of smallest id can stay.
///
/// # Errors
/// [`Error::Length`] if the vectors differ in length.
pub fn near_duplicates<I: Key, B: AsRef<[i64]> + Sync>(ids: &[I], bands: &[B]) -> Result<Vec<bool>, Error> {
    same_length("bands", ids.len(), bands.len())?;
    let mut entries: Vec<(i64, I, usize)> = bands
        .iter()
        .zip(ids)
        .enumerate()
        .flat_map(|(row, (keys, &id))| keys.as_ref().iter().map(move |&key| (key, id, row)))
        .collect();
    entries.par_sort_unstable();
    let mut keep = vec![true; ids.len()];
    for run in entries.chunk_by(|a, b| a.0 == b.0) {
        for &(_, id, row) in run {
            if id > run[0].1 {
                keep[row] = false;
            }
        }
    }
    Ok(keep)
}

/// The exact `q` quantile of `values`, interpolated between neighbours (as `percentile_cont` of SQL); none without
/// values.
///
/// # Errors
/// [`Error::Quantile`] if `q` is not in 0..=1, [`Error::NotANumber`] if a value is NaN.
pub fn quantile(values: &[f64], q: f64) -> Result<Option<f64>, Error> {
    if !(0.0..=1.0).contains(&q) {
        return Err(Error::Quantile { q });
    }
    if let Some(row) = values.iter().position(|value| value.is_nan()) {
        return Err(Error::NotANumber { row });
    }
    let Some(last) = values.len().checked_sub(1) else { return Ok(None) };
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
    let place = q * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place <= last")]
    let below = (place.floor() as usize).min(last);
    let mut values = values.to_vec();
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    let part = place - place.floor();
    Ok(Some(if part == 0.0 { low } else { low + (high - low) * part }))
}

/// Which rows stay when the lowest `share` of the [`combine`]d scores goes: those at or above that quantile.
///
/// # Errors
/// [`Error::Quantile`] if `share` is not in 0..=1, [`Error::NotANumber`] if a score is NaN.
pub fn drop_lowest(scores: &[Vec<f64>], share: f64) -> Result<Vec<bool>, Error> {
    let combined = combine(scores);
    let limit = quantile(&combined, share)?;
    Ok(combined.iter().map(|score| limit.is_none_or(|limit| *score >= limit)).collect())
}

/// Scores of several scorers as one, as the paper has it: each divided by its own median over all rows, then summed.
/// `scores[scorer][row]`; a scorer whose median is not positive counts undivided.
///
/// ```
/// let combined = tsumugi_tables::combine(&[vec![0.1, 0.2, 0.4], vec![2.0, 4.0, 6.0]]);
/// assert_eq!(combined, [1.0, 2.0, 3.5]);
/// ```
#[must_use]
pub fn combine(scores: &[Vec<f64>]) -> Vec<f64> {
    let rows = scores.iter().map(Vec::len).min().unwrap_or(0);
    let mut sums = vec![0.0; rows];
    for column in scores {
        let median = median(column);
        let weight = if median > 0.0 { 1.0 / median } else { 1.0 };
        for (sum, value) in sums.iter_mut().zip(column) {
            *sum += value * weight;
        }
    }
    sums
}

/// The median; of an even number the mean of the middle two; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// All pairs of rows (left, right) with equal keys, ordered by left row, then right row.
#[must_use]
pub fn join<K: Key>(left: &[K], right: &[K]) -> Vec<(usize, usize)> {
    let order = sorted(right);
    let pairs: Vec<Vec<(usize, usize)>> = left
        .par_iter()
        .enumerate()
        .map(|(row, key)| {
            let from = order.partition_point(|(have, _)| have < key);
            order[from..].iter().take_while(|(have, _)| have == key).map(|&(_, other)| (row, other)).collect()
        })
        .collect();
    pairs.into_iter().flatten().collect()
}

/// For each row of `left` the first row of `right` with the same key.
#[must_use]
pub fn join_first<K: Key>(left: &[K], right: &[K]) -> Vec<Option<usize>> {
    let order = sorted(right);
    left.par_iter()
        .map(|key| {
            let from = order.partition_point(|(have, _)| have < key);
            order.get(from).filter(|(have, _)| have == key).map(|&(_, row)| row)
        })
        .collect()
}

/// Keys with their rows, ordered by both.
fn sorted<K: Key>(keys: &[K]) -> Vec<(K, usize)> {
    let mut order: Vec<(K, usize)> = keys.iter().copied().enumerate().map(|(row, key)| (key, row)).collect();
    order.par_sort_unstable();
    order
}

fn same_length(name: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { name, expected, found }) }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;

//! Operators over the key columns of files, within a limit of memory.

use std::path::PathBuf;

use super::rows::Rows;
use crate::sorter::{Memory, Sorter};
use crate::{Error, Operator};

/// What [`compare_files`] finds: for each row the operator that drops it, or none where it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// 0, or the number of the operator and 1.
    rows: Vec<u8>,
    /// The number of each file's first row, and the number of all rows.
    starts: Vec<usize>,
}

impl Verdicts {
    /// The verdicts on the rows of a file: the place of the operator that drops a row among the operators.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn of_file(&self, file: usize) -> impl Iterator<Item = Option<usize>> + '_ {
        self.rows[self.starts[file]..self.starts[file + 1]].iter().map(|by| usize::from(*by).checked_sub(1))
    }
}

/// Applies operators in their order to the rows of all files, as [`verdicts`](crate::verdicts) does in memory. It reads 64-bit
/// integers, 16-byte keys, and lists of 64-bit integers or doubles, once for each operator (more often for
/// [`Operator::DropLowest`]), and needs a byte a row besides `memory`.
///
/// # Errors
/// Where a file cannot be read, lacks a column, or a column has another type or a null; where runs cannot be written; as
/// [`Operator::keep`].
pub fn compare_files(files: &[PathBuf], operators: &[Operator], memory: &Memory) -> Result<Verdicts, Error> {
    let rows = Rows::open(files)?;
    let mut marks = Marks { rows: vec![0; rows.len()], number: 0 };
    for operator in operators {
        marks.number = marks.number.checked_add(1).ok_or(Error::ManyOperators)?;
        if rows.len() > 0 {
            apply(operator, &rows, &mut marks, memory)?;
        }
    }
    let mut starts: Vec<usize> = (0..files.len()).map(|file| rows.of_file(file).start).collect();
    starts.push(rows.len());
    Ok(Verdicts { rows: marks.rows, starts })
}

/// The rows that are dropped so far, each with the number of its operator.
struct Marks {
    rows: Vec<u8>,
    number: u8,
}

impl Marks {
    fn drop(&mut self, row: u64) {
        self.rows[row as usize] = self.number;
    }
}

fn apply(operator: &Operator, rows: &Rows, marks: &mut Marks, memory: &Memory) -> Result<(), Error> {
    let of = |names: &[&[String]]| -> Vec<String> { names.concat() };
    match operator {
        Operator::DropFrequent { key, count, .. } => drop_frequent(rows, key, *count, marks, memory),
        Operator::DropFrequentInSamples { draw, key, group, block, count, .. } => {
            let samples = Sampled {
                occurrence: of(&[group, std::slice::from_ref(draw)]),
                group: group.clone(),
                key: key.clone(),
                block: *block,
                count: *count,
            };
            samples.drop_frequent(rows, marks, memory)
        }
        Operator::KeepFirst { key, order, .. } => keep_first(rows, key, order, marks, memory),
        Operator::NearDuplicates { id, bands } => near_duplicates(rows, id, bands, marks, memory),
        Operator::DropLowest { scores, scorers, share, .. } => {
            drop_lowest(rows, scores, *scorers, *share, marks, memory)
        }
    }
}

fn as_str(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn drop_frequent(
    rows: &Rows,
    key: &[String],
    count: u64,
    marks: &mut Marks,
    memory: &Memory,
) -> Result<(), Error> {
    let entries = rows.sort(&as_str(key), &marks.rows, memory)?;
    let (mut current, mut seen, mut waiting) = (Vec::new(), 0, Vec::new());
    entries.visit(&mut |key, row| {
        if seen == 0 || key != current {
            current = key.to_vec();
            waiting.clear();
            seen = 0;
        }
        seen += 1;
        if seen < count {
            waiting.push(row);
        } else {
            waiting.drain(..).for_each(|row| marks.drop(row));
            marks.drop(row);
        }
        Ok(())
    })
}

fn keep_first(
    rows: &Rows,
    key: &[String],
    order: &[String],
    marks: &mut Marks,
    memory: &Memory,
) -> Result<(), Error> {
    let words = rows.words(&as_str(key))?;
    let entries = rows.sort(&as_str(&[key, order].concat()), &marks.rows, memory)?;
    let mut current: Option<Vec<u64>> = None;
    entries.visit(&mut |entry, row| {
        let key = &entry[..words];
        if current.as_deref() == Some(key) {
            marks.drop(row);
        } else {
            current = Some(key.to_vec());
        }
        Ok(())
    })
}

fn near_duplicates(
    rows: &Rows,
    id: &str,
    bands: &str,
    marks: &mut Marks,
    memory: &Memory,
) -> Result<(), Error> {
    let entries = rows.sort(&[bands, id], &marks.rows, memory)?;
    let mut first: Option<Vec<u64>> = None;
    entries.visit(&mut |entry, row| {
        match &first {
            Some(first) if first[0] == entry[0] => {
                if entry[1..] > first[1..] {
                    marks.drop(row);
                }
            }
            _ => first = Some(entry.to_vec()),
        }
        Ok(())
    })
}

/// The columns and numbers of [`Operator::DropFrequentInSamples`].
struct Sampled {
    group: Vec<String>,
    occurrence: Vec<String>,
    key: Vec<String>,
    block: u64,
    count: u64,
}

/// The sample that is being filled.
#[derive(Default)]
struct Sample {
    /// Group and draw of the last occurrence.
    last: Vec<u64>,
    occurrences: u64,
    /// Key, number of the occurrence, and row.
    rows: Vec<(Vec<u64>, u64, u64)>,
}

impl Sampled {
    fn drop_frequent(&self, rows: &Rows, marks: &mut Marks, memory: &Memory) -> Result<(), Error> {
        if self.block == 0 {
            return Err(Error::EmptyBlock);
        }
        let group = rows.words(&as_str(&self.group))?;
        let occurrence = rows.words(&as_str(&self.occurrence))?;
        let names = [self.occurrence.as_slice(), &self.key].concat();
        let entries = rows.sort(&as_str(&names), &marks.rows, memory)?;
        let mut sample = Sample::default();
        entries.visit(&mut |entry, row| {
            let (place, key) = entry.split_at(occurrence);
            if sample.occurrences == 0 || place != sample.last {
                let is_full = sample.occurrences == self.block;
                if is_full || (sample.occurrences > 0 && place[..group] != sample.last[..group]) {
                    sample.drop_frequent(self.count, marks);
                }
                sample.occurrences += 1;
                sample.last = place.to_vec();
            }
            sample.rows.push((key.to_vec(), sample.occurrences, row));
            Ok(())
        })?;
        sample.drop_frequent(self.count, marks);
        Ok(())
    }
}

impl Sample {
    /// Drops what is too frequent, and begins the next sample.
    fn drop_frequent(&mut self, count: u64, marks: &mut Marks) {
        self.rows.sort_unstable();
        for run in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let occurrences = run.chunk_by(|a, b| a.1 == b.1).count() as u64;
            if occurrences >= count {
                run.iter().for_each(|(_, _, row)| marks.drop(*row));
            }
        }
        *self = Sample::default();
    }
}

fn drop_lowest(
    rows: &Rows,
    scores: &str,
    scorers: usize,
    share: f64,
    marks: &mut Marks,
    memory: &Memory,
) -> Result<(), Error> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::Quantile { q: share });
    }
    let mut weights = Vec::new();
    for scorer in 0..scorers {
        let (low, high, _) = around(rows, scores, &marks.rows, memory, 0.5, &|values| score(values, scorer))?;
        let median = f64::midpoint(low, high);
        weights.push(if median > 0.0 { 1.0 / median } else { 1.0 });
    }
    let combined = |values: &[f64]| {
        weights.iter().enumerate().fold(0.0, |sum, (scorer, weight)| sum + score(values, scorer) * weight)
    };
    let (low, high, part) = around(rows, scores, &marks.rows, memory, share, &combined)?;
    let limit = if part == 0.0 { low } else { low + (high - low) * part };
    let mut low = Vec::new();
    rows.scores(scores, &marks.rows, &mut |row, values| {
        if combined(values) < limit {
            low.push(row as u64);
        }
        Ok(())
    })?;
    low.into_iter().for_each(|row| marks.drop(row));
    Ok(())
}

fn score(values: &[f64], scorer: usize) -> f64 {
    values.get(scorer).copied().unwrap_or(f64::NAN)
}

/// The values below and above the `q` quantile of what `value` makes of the scores, equal where it falls on a value, and how
/// far it is between them.
fn around(
    rows: &Rows,
    scores: &str,
    dropped: &[u8],
    memory: &Memory,
    q: f64,
    value: &dyn Fn(&[f64]) -> f64,
) -> Result<(f64, f64, f64), Error> {
    let mut sorter = Sorter::<1>::new(memory, rows.len());
    let mut count = 0_u64;
    rows.scores(scores, dropped, &mut |row, values| {
        let value = value(values);
        if value.is_nan() {
            return Err(Error::NotANumber { row });
        }
        count += 1;
        sorter.extend(&[[ordered(value)]])
    })?;
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
    let place = q * count.saturating_sub(1) as f64;
    let part = place - place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place < count")]
    let below = place.floor() as u64;
    let mut values = sorter.sorted()?.skip(below as usize).map(|entry| entry.map(|[word]| number(word)));
    let low = values.next().transpose()?.unwrap_or(0.0);
    let high = if part == 0.0 { low } else { values.next().transpose()?.unwrap_or(low) };
    Ok((low, high, part))
}

/// A word that is ordered as [`f64::total_cmp`] orders values.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    bits ^ if bits >> 63 == 1 { u64::MAX } else { 1 << 63 }
}

/// The value of a word of [`ordered`].
fn number(word: u64) -> f64 {
    f64::from_bits(word ^ if word >> 63 == 1 { 1 << 63 } else { u64::MAX })
}

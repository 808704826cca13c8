//! Collators: samples to batches of rows.

use tch::Tensor;
use tsumugi_vlm::IGNORE;

use crate::Result;
use crate::prepare::{Prepared, SpecialIds};

/// Rows that go through the model together.
#[derive(Debug)]
pub struct Batch {
    /// The model's input.
    pub model: tsumugi_vlm::Batch,
    /// Its counts.
    pub counts: Counts,
}

/// Counts of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples.
    pub samples: u64,
    /// Images.
    pub images: u64,
    /// Tokens of samples, including features of images.
    pub tokens: u64,
    /// Positions with loss.
    pub targets: u64,
    /// Positions in all, including padding.
    pub slots: u64,
    /// Sum of the squared lengths of the samples: pairs of tokens of one sample.
    pub pairs: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.images += other.images;
        self.tokens += other.tokens;
        self.targets += other.targets;
        self.slots += other.slots;
        self.pairs += other.pairs;
    }
}

/// Turns a stream of samples into batches.
///
/// A collator may hold samples back. Once it has returned whole steps and holds nothing, it must behave like a new one: a run
/// resumes at the end of a step by giving a new collator the samples that were held.
pub trait Collator: Send {
    /// Takes the next sample and returns the batches that are complete.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) if a tensor cannot be made.
    fn push(&mut self, sample: Prepared) -> Result<Vec<Batch>>;

    /// Returns the held samples as batches.
    ///
    /// # Errors
    /// As [`Collator::push`].
    fn flush(&mut self) -> Result<Vec<Batch>>;

    /// Number of held samples: those taken last and not returned yet.
    fn held(&self) -> usize;
}

/// Shape of the batches of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShape {
    /// Rows of a batch; the last batch of a step may have fewer (see [`BatchShape::rows_of`]).
    pub rows: usize,
    /// Rows of a step, which is as many batches as it takes.
    pub step_rows: usize,
    /// Maximum tokens of a row.
    pub length: usize,
    /// Ids of special tokens.
    pub ids: SpecialIds,
}

impl BatchShape {
    /// Batches of a step.
    pub fn batches_a_step(&self) -> usize {
        self.step_rows.div_ceil(self.rows).max(1)
    }

    /// Rows of a batch of this number, counted from the beginning of a step. The batches of a step have `rows` rows, and the last
    /// one has those that are left, so that a step trains on `step_rows` rows whatever `rows` is.
    pub fn rows_of(&self, batch: usize) -> usize {
        let batches = self.batches_a_step();
        if (batch + 1).is_multiple_of(batches) {
            self.step_rows - (batches - 1) * self.rows
        } else {
            self.rows
        }
    }
}

/// Packs several samples into a row, where none attends to another. A sample goes into the first row with room; a batch
/// is complete when a sample finds none.
pub struct Packed {
    shape: BatchShape,
    rows: Vec<Vec<Prepared>>,
    samples: usize,
    /// Batches returned.
    batch: usize,
}

impl Packed {
    /// A packing collator.
    pub fn new(shape: BatchShape) -> Self {
        Self { shape, rows: empty_rows(shape.rows_of(0)), samples: 0, batch: 0 }
    }

    fn place(&mut self, sample: Prepared) -> Option<Prepared> {
        let used = |row: &Vec<Prepared>| row.iter().map(|s| s.ids.len()).sum::<usize>();
        match self.rows.iter_mut().find(|row| used(row) + sample.ids.len() <= self.shape.length) {
            Some(row) => {
                row.push(sample);
                self.samples += 1;
                None
            }
            None => Some(sample),
        }
    }
}

impl Collator for Packed {
    fn push(&mut self, sample: Prepared) -> Result<Vec<Batch>> {
        let Some(sample) = self.place(sample) else { return Ok(Vec::new()) };
        let ready = self.flush()?;
        // A sample is never longer than a row, so the empty batch has room for it.
        self.place(sample);
        Ok(ready)
    }

    fn flush(&mut self) -> Result<Vec<Batch>> {
        if self.samples == 0 {
            return Ok(Vec::new());
        }
        self.batch += 1;
        self.samples = 0;
        let next = empty_rows(self.shape.rows_of(self.batch));
        let mut rows = std::mem::replace(&mut self.rows, next);
        rows.retain(|row| !row.is_empty());
        Ok(vec![batch(&self.shape, &rows, true)?])
    }

    fn held(&self) -> usize {
        self.samples
    }
}

fn empty_rows(n: usize) -> Vec<Vec<Prepared>> {
    (0..n).map(|_| Vec::new()).collect()
}

/// Puts one sample in a row and pads to the longest of the batch. Samples of several batches at a time are sorted, so that
/// similar lengths share a batch.
pub struct Padded {
    shape: BatchShape,
    /// Batches whose samples are sorted together.
    together: usize,
    seed: u64,
    held: Vec<Prepared>,
    /// Batches returned.
    batch: usize,
}

impl Padded {
    /// Keeps the order of the stream.
    pub fn new(shape: BatchShape) -> Self {
        Self { shape, together: 1, seed: 0, held: Vec::new(), batch: 0 }
    }

    /// Sorts the samples of `together` batches by length, and returns the batches in random order. Where the batches of a step
    /// differ in size, `together` is rounded up to whole steps.
    pub fn bucketed(shape: BatchShape, together: usize, seed: u64) -> Self {
        let unequal = !shape.step_rows.is_multiple_of(shape.rows);
        let together = if unequal { together.next_multiple_of(shape.batches_a_step()) } else { together };
        Self { together, seed, ..Self::new(shape) }
    }

    /// Rows of the batches that come next, for `samples` samples: the last may have fewer than its batch.
    fn sizes(&self, mut samples: usize) -> Vec<usize> {
        let mut sizes = Vec::new();
        while samples > 0 {
            let rows = self.shape.rows_of(self.batch + sizes.len());
            sizes.push(rows);
            samples = samples.saturating_sub(rows);
        }
        sizes
    }
}

impl Collator for Padded {
    fn push(&mut self, sample: Prepared) -> Result<Vec<Batch>> {
        self.held.push(sample);
        let full: usize = (0..self.together).map(|batch| self.shape.rows_of(self.batch + batch)).sum();
        if self.held.len() < full { Ok(Vec::new()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<Vec<Batch>> {
        let mut samples = std::mem::take(&mut self.held);
        if self.together > 1 {
            // The sort is stable: ties keep the order of the stream.
            samples.sort_by_key(|s| s.ids.len());
        }
        let sizes = self.sizes(samples.len());
        self.batch += sizes.len();
        let order = crate::data::permutation(sizes.len() as u64, self.seed, 0);
        // The batch at a place has the rows of that place, whatever lengths it gets.
        let mut rows_of_group = sizes.clone();
        for (place, &group) in order.iter().enumerate() {
            rows_of_group[group as usize] = sizes[place];
        }
        let mut samples = samples.into_iter();
        let mut groups: Vec<Vec<Vec<Prepared>>> = Vec::new();
        for rows in rows_of_group {
            groups.push(samples.by_ref().take(rows).map(|sample| vec![sample]).collect());
        }
        let in_order = order.iter().map(|&group| &groups[group as usize]).filter(|rows| !rows.is_empty());
        in_order.map(|rows| batch(&self.shape, rows, false)).collect()
    }

    fn held(&self) -> usize {
        self.held.len()
    }
}

/// Lays rows of samples out as tensors, padded to the longest row.
fn batch(shape: &BatchShape, rows: &[Vec<Prepared>], packed: bool) -> Result<Batch> {
    let used = |row: &[Prepared]| row.iter().map(|s| s.ids.len()).sum::<usize>();
    let length = rows.iter().map(|r| used(r)).max().unwrap_or(0);
    let size = rows.len() * length;
    let (mut ids, mut labels, mut mask) =
        (Vec::with_capacity(size), Vec::with_capacity(size), Vec::with_capacity(size));
    let mut segments = Vec::with_capacity(rows.len());
    let mut pixels: Vec<&Tensor> = Vec::new();
    let mut counts = Counts { slots: size as u64, ..Default::default() };
    for row in rows {
        let mut lengths: Vec<i64> = Vec::with_capacity(row.len() + 1);
        for sample in row {
            ids.extend_from_slice(&sample.ids);
            labels.extend_from_slice(&sample.labels);
            mask.extend(std::iter::repeat_n(1_i64, sample.ids.len()));
            lengths.push(sample.ids.len() as i64);
            pixels.extend(&sample.pixels);
            counts += Counts {
                samples: 1,
                images: sample.pixels.len() as u64,
                tokens: sample.ids.len() as u64,
                targets: sample.targets() as u64,
                slots: 0,
                pairs: (sample.ids.len() as u64).pow(2),
            };
        }
        let padding = length - used(row);
        if padding > 0 {
            ids.extend(std::iter::repeat_n(shape.ids.pad, padding));
            labels.extend(std::iter::repeat_n(IGNORE, padding));
            mask.extend(std::iter::repeat_n(0_i64, padding));
            lengths.push(padding as i64);
        }
        segments.push(lengths);
    }
    let extent = [rows.len() as i64, length as i64];
    let grid = |values: &[i64]| -> Result<Tensor> { Ok(Tensor::f_from_slice(values)?.f_view(extent)?) };
    let model = tsumugi_vlm::Batch {
        input_ids: grid(&ids)?,
        attention_mask: if packed { None } else { Some(grid(&mask)?) },
        labels: Some(grid(&labels)?),
        segments: packed.then_some(segments),
        pixel_values: if pixels.is_empty() { None } else { Some(Tensor::f_stack(&pixels, 0)?) },
    };
    Ok(Batch { model, counts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: usize, length: usize) -> BatchShape {
        let ids = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 1 };
        BatchShape { rows, step_rows: rows, length, ids }
    }

    fn sample(length: usize, tag: i64) -> Prepared {
        Prepared {
            ids: vec![tag; length],
            labels: vec![tag; length],
            pixels: vec![Tensor::from_slice(&[tag as f32; 3])],
        }
    }

    fn ids(batch: &Batch) -> Vec<Vec<i64>> {
        Vec::<Vec<i64>>::try_from(&batch.model.input_ids).unwrap()
    }

    #[test]
    fn packing_fills_rows_and_keeps_samples_apart() {
        let mut packed = Packed::new(shape(2, 5));
        for (length, tag) in [(3, 10), (4, 11), (2, 12)] {
            assert!(packed.push(sample(length, tag)).unwrap().is_empty());
        }
        let ready = packed.push(sample(4, 13)).unwrap();
        assert_eq!(ready.len(), 1);
        assert_eq!(ids(&ready[0]), [[10, 10, 10, 12, 12], [11, 11, 11, 11, 3]]);
        assert_eq!(ready[0].model.segments, Some(vec![vec![3, 2], vec![4, 1]]));
        assert_eq!(
            ready[0].counts,
            Counts { samples: 3, images: 3, tokens: 9, targets: 6, slots: 10, pairs: 9 + 4 + 16 }
        );
        // Images come in the order of the rows, not of the stream.
        let pixels = ready[0].model.pixel_values.as_ref().unwrap();
        assert_eq!(
            Vec::<f32>::try_from(pixels.view(-1)).unwrap(),
            [10., 10., 10., 12., 12., 12., 11., 11., 11.]
        );
        assert_eq!(packed.held(), 1);
        assert_eq!(ids(&packed.flush().unwrap()[0]), [[13; 4]]);
        assert_eq!(packed.held(), 0);
    }

    #[test]
    fn padding_reaches_the_longest_row() {
        let mut padded = Padded::new(shape(2, 5));
        assert!(padded.push(sample(1, 10)).unwrap().is_empty());
        let ready = padded.push(sample(3, 11)).unwrap();
        assert_eq!(ids(&ready[0]), [[10, 3, 3], [11, 11, 11]]);
        assert_eq!(ready[0].counts.tokens, 4);
        assert_eq!(padded.held(), 0);
    }

    #[test]
    fn a_step_has_its_rows_whatever_a_batch_has() {
        let make: [fn(BatchShape) -> Box<dyn Collator>; 3] = [
            |shape| Box::new(Packed::new(shape)),
            |shape| Box::new(Padded::new(shape)),
            |shape| Box::new(Padded::bucketed(shape, 3, 4)),
        ];
        for make in make {
            for (rows, step_rows) in [(4, 5), (4, 8), (2, 7), (5, 5), (3, 1)] {
                let shape = BatchShape { step_rows, ..shape(rows.min(step_rows), 4) };
                let mut collator = make(shape);
                // A sample fills a row, so that packing has as many rows as samples.
                let mut sizes: Vec<usize> = Vec::new();
                for tag in 0..60 {
                    let ready = collator.push(sample(4, 10 + tag)).unwrap();
                    sizes.extend(ready.iter().map(|batch| batch.counts.samples as usize));
                }
                sizes.extend(collator.flush().unwrap().iter().map(|batch| batch.counts.samples as usize));
                assert_eq!(sizes.iter().sum::<usize>(), 60);
                let steps: Vec<usize> =
                    sizes.chunks(shape.batches_a_step()).map(|step| step.iter().sum()).collect();
                let (last, whole) = steps.split_last().unwrap();
                assert!(whole.iter().all(|&rows| rows == step_rows), "{rows} of {step_rows}: {sizes:?}");
                assert!(*last <= step_rows);
            }
        }
    }

    #[test]
    fn buckets_hold_similar_lengths() {
        let mut bucketed = Padded::bucketed(shape(2, 9), 2, 5);
        for length in [1, 9, 2] {
            assert!(bucketed.push(sample(length, 10)).unwrap().is_empty());
        }
        let ready = bucketed.push(sample(8, 10)).unwrap();
        let mut lengths: Vec<usize> = ready.iter().map(|b| ids(b)[0].len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [2, 9]);
    }
}

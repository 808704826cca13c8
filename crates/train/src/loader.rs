//! The loader: draws rows, prepares them in parallel, and queues complete steps ahead of their use.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::collate::{Batch, Collator};
use crate::cut::fit;
use crate::data::{Mixture, MixtureCursor};
use crate::prepare::{Prepared, Preparer};
use crate::recipe::TooLong;
use crate::tally::Tally;
use crate::{Drawn, Error, Result, Sample};

/// Rows prepared at a time. It affects only speed.
const READ_AHEAD: usize = 16;
/// Steps that are prepared ahead.
const STEPS_AHEAD: usize = 2;

/// The data of an optimiser step.
#[derive(Debug)]
pub struct StepData {
    /// Batches to accumulate over.
    pub batches: Vec<Batch>,
    /// Position of the stream before the step.
    pub before: LoaderCursor,
    /// Position of the stream after the step.
    pub after: LoaderCursor,
}

/// Position of a loader, which checkpoints keep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoaderCursor {
    /// The first row that has not been returned, or the first of a group of batches.
    pub mixture: MixtureCursor,
    /// Batches of that group that have been returned.
    pub skip: u64,
    /// What became of the rows drawn so far.
    #[serde(flatten)]
    pub tally: Tally,
}

/// The end of a loader's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After this many rows drawn.
    Rows(u64),
    /// Never; the trainer counts steps.
    Never,
}

/// The parts of a loader.
pub struct LoaderParts {
    /// The rows.
    pub mixture: Mixture,
    /// Turns samples into tensors.
    pub preparer: Preparer,
    /// What becomes of samples that are longer than a row.
    pub too_long: TooLong,
    /// Turns them into batches.
    pub collator: Box<dyn Collator>,
    /// Batches of a step.
    pub batches_a_step: usize,
    /// The end of the stream.
    pub end: End,
    /// Threads that prepare samples.
    pub threads: usize,
    /// Name of the stage, for messages.
    pub stage: String,
}

/// Prepares steps in a thread of its own. They are a function of the cursor that it starts at.
pub struct Loader {
    steps: Option<Receiver<Result<StepData>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Starts at a cursor.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the cursor does not fit the mixture.
    pub fn start(mut parts: LoaderParts, from: &LoaderCursor) -> Result<Self> {
        if !from.mixture.sources.is_empty() {
            parts.mixture.seek(&from.mixture)?;
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(parts.threads).build();
        let pool = pool.map_err(|error| Error::Threads(std::io::Error::other(error)))?;
        let (sender, steps) = sync_channel(STEPS_AHEAD);
        let mut state = State::new(parts, from);
        let work = move || {
            loop {
                let step = pool.install(|| state.step()).transpose();
                let Some(step) = step else { return };
                let failed = step.is_err();
                // The trainer closes the channel when it is done or has failed.
                if sender.send(step).is_err() || failed {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("loader".into()).spawn(work).map_err(Error::Threads)?;
        Ok(Self { steps: Some(steps), thread: Some(thread) })
    }

    /// The next step, or `None` at the end.
    ///
    /// # Errors
    /// Those of sources and collators.
    pub fn next_step(&mut self) -> Result<Option<StepData>> {
        self.steps.as_ref().and_then(|s| s.recv().ok()).transpose()
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        drop(self.steps.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A row that is not trained on.
struct Unused {
    id: String,
    reason: &'static str,
    /// Its tokens, where it has too many.
    tokens: usize,
}

impl Unused {
    fn of(preparer: &Preparer, sample: Sample, reason: &'static str) -> Self {
        let count = || preparer.tokens(&sample).map_or(0, |(ids, _)| ids.len());
        let tokens = if reason == "too_long" { count() } else { 0 };
        Self { id: sample.id, reason, tokens }
    }
}

struct State {
    parts: LoaderParts,
    tally: Tally,
    /// Cursors before each sample that the collator holds.
    held: VecDeque<LoaderCursor>,
    /// Batches made, each with the cursor after it.
    ready: VecDeque<(Batch, LoaderCursor)>,
    /// Prepared samples not given to the collator yet, with the cursors before and after them.
    prepared: VecDeque<(LoaderCursor, Prepared, LoaderCursor)>,
    skip: u64,
    position: LoaderCursor,
    unusable: u64,
    ended: bool,
}

impl State {
    fn new(parts: LoaderParts, from: &LoaderCursor) -> Self {
        let position = LoaderCursor { mixture: parts.mixture.cursor().clone(), ..from.clone() };
        Self {
            parts,
            tally: from.tally.clone(),
            held: VecDeque::new(),
            ready: VecDeque::new(),
            prepared: VecDeque::new(),
            skip: from.skip,
            position,
            unusable: 0,
            ended: false,
        }
    }

    fn step(&mut self) -> Result<Option<StepData>> {
        let before = self.position.clone();
        let mut batches = Vec::with_capacity(self.parts.batches_a_step);
        while batches.len() < self.parts.batches_a_step {
            let Some((batch, after)) = self.next_batch()? else { break };
            self.position = after;
            batches.push(batch);
        }
        if batches.is_empty() {
            return Ok(None);
        }
        Ok(Some(StepData { batches, before, after: self.position.clone() }))
    }

    fn next_batch(&mut self) -> Result<Option<(Batch, LoaderCursor)>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                if self.skip > 0 {
                    self.skip -= 1;
                    continue;
                }
                return Ok(Some(ready));
            }
            if self.ended && self.prepared.is_empty() {
                if self.held.is_empty() {
                    return Ok(None);
                }
                let batches = self.parts.collator.flush()?;
                let after = self.cursor_now();
                self.take(batches, after);
                continue;
            }
            self.read_ahead()?;
            while let Some((before, sample, after)) = self.prepared.pop_front() {
                self.held.push_back(before);
                let batches = self.parts.collator.push(sample)?;
                if !batches.is_empty() {
                    self.take(batches, after);
                    break;
                }
            }
        }
    }

    /// Queues the batches of one group. The cursor after the last one is at the first held sample; after the others it is at
    /// the beginning of the group, with the number of batches to skip.
    fn take(&mut self, batches: Vec<Batch>, after_newest: LoaderCursor) {
        let first = self.held.front().cloned().unwrap_or_default();
        let still_held = self.parts.collator.held();
        while self.held.len() > still_held {
            self.held.pop_front();
        }
        let after_all = self.held.front().cloned().unwrap_or(after_newest);
        let count = batches.len();
        for (number, batch) in batches.into_iter().enumerate() {
            let cursor = if number + 1 == count {
                after_all.clone()
            } else {
                LoaderCursor { skip: number as u64 + 1, ..first.clone() }
            };
            self.ready.push_back((batch, cursor));
        }
    }

    fn cursor_now(&self) -> LoaderCursor {
        LoaderCursor { mixture: self.parts.mixture.cursor().clone(), skip: 0, tally: self.tally.clone() }
    }

    /// Draws rows in order, prepares them in parallel, and queues the usable ones in order.
    fn read_ahead(&mut self) -> Result<()> {
        let mut rows = Vec::with_capacity(READ_AHEAD);
        while self.prepared.is_empty() && rows.len() < READ_AHEAD && !self.ended {
            let before = self.parts.mixture.cursor().clone();
            if matches!(self.parts.end, End::Rows(n) if before.draws >= n) {
                self.ended = true;
                break;
            }
            let (source, drawn) = self.parts.mixture.next_row()?;
            rows.push((before, source, drawn, self.parts.mixture.cursor().clone()));
        }
        let (preparer, too_long) = (&self.parts.preparer, self.parts.too_long);
        let prepared: Vec<_> = rows
            .into_par_iter()
            .map(|(before, source, drawn, after)| {
                let result = match drawn {
                    Drawn::Sample(sample) => fit(preparer, &sample, too_long)
                        .map_err(|reason| Unused::of(preparer, sample, reason)),
                    Drawn::Dropped { id, reason } => Err(Unused { id, reason, tokens: 0 }),
                };
                (before, source, result, after)
            })
            .collect();
        for (before, source, result, after) in prepared {
            let before = LoaderCursor { mixture: before, skip: 0, tally: self.tally.clone() };
            match result {
                Ok((sample, cut)) => {
                    self.unusable = 0;
                    self.tally.used(source, &sample, cut);
                    let after = LoaderCursor { mixture: after, skip: 0, tally: self.tally.clone() };
                    self.prepared.push_back((before, sample, after));
                }
                Err(unused) => self.drop_row(source, unused)?,
            }
        }
        Ok(())
    }

    fn drop_row(&mut self, source: usize, unused: Unused) -> Result<()> {
        let name = self.parts.mixture.name(source);
        if unused.reason == "too_long" && self.parts.too_long == TooLong::Refuse {
            return Err(Error::TooLong {
                stage: self.parts.stage.clone(),
                source_name: name.to_owned(),
                id: unused.id,
                tokens: unused.tokens,
                length: self.parts.preparer.length(),
            });
        }
        self.tally.drop_row(source, name, unused.reason, unused.id);
        self.unusable += 1;
        // Two passes over the mixture (with weights, even a small source has then been drawn) and no usable row.
        if self.unusable > 2 * self.parts.mixture.rows() + 1 || (self.ended && self.nothing_came()) {
            return Err(self.no_samples());
        }
        Ok(())
    }

    fn nothing_came(&self) -> bool {
        self.unusable == self.parts.mixture.cursor().draws
    }

    fn no_samples(&self) -> Error {
        let reasons: Vec<String> =
            self.tally.dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        Error::NoSamples {
            stage: self.parts.stage.clone(),
            drawn: self.unusable,
            reasons: reasons.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::collate::{BatchShape, Packed, Padded};
    use crate::data::{ListSource, Member};
    use crate::prepare::SpecialIds;

    const IDS: SpecialIds = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 2 };

    fn parts(collator: &str, end: End) -> LoaderParts {
        parts_of(collator, end, 4)
    }

    fn parts_of(collator: &str, end: End, step_rows: usize) -> LoaderParts {
        let alphabet: Vec<char> = "あいうえおかきくけこさしすせそたちつてと".chars().collect();
        let sample = |i: usize| {
            let text: String = alphabet.iter().cycle().skip(i).take(1 + i % 7).collect();
            // Every fifth has no loss.
            Sample::new(i.to_string()).text(&text, i % 5 != 4)
        };
        let samples: Vec<Sample> = (0..23).map(sample).collect();
        let source = Box::new(ListSource::new(samples));
        let mixture = Mixture::new(vec![Member { name: "list".into(), weight: None, source }], 1).unwrap();
        let tokenizer = tsumugi_vlm::build_tokenizer(&[alphabet.iter().collect::<String>()], 300).unwrap();
        let shape = BatchShape { rows: 2, step_rows, length: 10, ids: IDS };
        let collator: Box<dyn Collator> = match collator {
            "packed" => Box::new(Packed::new(shape)),
            "padded" => Box::new(Padded::new(shape)),
            _ => Box::new(Padded::bucketed(shape, 3, 4)),
        };
        LoaderParts {
            mixture,
            preparer: Preparer::new(tokenizer, Arc::new(|_| Err("no".into())), IDS, 10),
            too_long: TooLong::Drop,
            collator,
            batches_a_step: shape.batches_a_step(),
            end,
            threads: 2,
            stage: "test".into(),
        }
    }

    fn shown(step: &StepData) -> Vec<Vec<Vec<i64>>> {
        step.batches.iter().map(|b| Vec::<Vec<i64>>::try_from(&b.model.input_ids).unwrap()).collect()
    }

    #[test]
    fn a_stream_can_be_resumed_after_any_step() {
        for (collator, rows) in
            ["packed", "padded", "bucketed"].into_iter().flat_map(|name| [(name, 4), (name, 5)])
        {
            let parts = || parts_of(collator, End::Never, rows);
            let mut loader = Loader::start(parts(), &LoaderCursor::default()).unwrap();
            let steps: Vec<StepData> = (0..9).map(|_| loader.next_step().unwrap().unwrap()).collect();
            for cut in 0..8 {
                let mut again = Loader::start(parts(), &steps[cut].after).unwrap();
                for step in &steps[cut + 1..] {
                    let got = again.next_step().unwrap().unwrap();
                    assert_eq!(shown(&got), shown(step), "{collator} after {cut}");
                    assert_eq!(got.after, step.after, "{collator} after {cut}");
                }
            }
        }
    }

    #[test]
    fn every_usable_row_comes_once_in_an_epoch() {
        for collator in ["packed", "padded", "bucketed"] {
            let mut loader = Loader::start(parts(collator, End::Rows(23)), &LoaderCursor::default()).unwrap();
            let (mut samples, mut dropped, mut last) = (0, 0, Tally::default());
            while let Some(step) = loader.next_step().unwrap() {
                samples += step.batches.iter().map(|b| b.counts.samples).sum::<u64>();
                dropped = step.after.tally.rows_dropped();
                last = step.after.tally;
            }
            assert_eq!((samples, dropped), (19, 4), "{collator}");
            assert_eq!((last.sources[0].rows, last.sources[0].samples), (23, 19), "{collator}");
            assert_eq!(last.dropped_ids["list: masked_out"].len(), 4, "{collator}");
        }
    }

    #[test]
    fn a_stage_can_refuse_long_samples() {
        let mut parts = parts("padded", End::Never);
        parts.too_long = TooLong::Refuse;
        parts.preparer = parts.preparer.with_length(4);
        let mut loader = Loader::start(parts, &LoaderCursor::default()).unwrap();
        let error = loop {
            match loader.next_step() {
                Ok(step) => assert!(step.is_some(), "the stream ended"),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, Error::TooLong { tokens, length: 4, .. } if *tokens > 4), "{error}");
    }

    #[test]
    fn checkpoints_of_earlier_versions_are_read() {
        let json = r#"{"mixture":{"draws":3,"sources":[]},"skip":1,"dropped":{"list: too_long":2}}"#;
        let cursor: LoaderCursor = serde_json::from_str(json).unwrap();
        assert_eq!((cursor.skip, cursor.tally.rows_dropped()), (1, 2));
    }

    #[test]
    fn data_without_usable_rows_is_an_error() {
        let mut parts = parts("packed", End::Never);
        parts.preparer = parts.preparer.with_length(0);
        let mut loader = Loader::start(parts, &LoaderCursor::default()).unwrap();
        let error = loader.next_step().unwrap_err().to_string();
        assert!(error.contains("too_long") && error.contains("length"), "{error}");
    }
}

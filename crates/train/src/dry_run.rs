//! A look at the data of a run before it: samples are drawn, prepared and laid out as in training, and nothing is trained.

mod page;

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;
use tch::Device;

use crate::collate::{Batch, BatchShape, Collator, Counts};
use crate::cut::fit;
use crate::data::random;
use crate::folder::{Held, RunFolder};
use crate::prepare::{Prepared, Preparer};
use crate::recipe::{Recipe, StageConfig};
use crate::registry::Registry;
use crate::stage::{Extent, mixture, shape};
use crate::start::{Data, Start};
use crate::tally::{SourceShare, Tally, lines, shares};
use crate::{Drawn, Error, Result};

/// Rows that are prepared at a time.
const TOGETHER: usize = 64;

/// What training would see of its data.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DryRun {
    /// Name of the recipe.
    pub run: String,
    /// The stages.
    pub stages: Vec<DryStage>,
    /// Duration in seconds.
    pub seconds: f64,
}

/// What one stage would see of its data.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DryStage {
    /// Its name.
    pub name: String,
    /// Maximum tokens of a row.
    pub length: usize,
    /// Rows of all sources together.
    pub rows: u64,
    /// Rows that were drawn.
    pub drawn: u64,
    /// Rows dropped, by `source: reason`.
    pub dropped: BTreeMap<String, u64>,
    /// Identifiers of the first rows dropped, by the same keys.
    pub dropped_ids: BTreeMap<String, Vec<String>>,
    /// The mixture of the samples that were drawn beside the one asked for.
    pub mixture: Vec<SourceShare>,
    /// Tokens of each sample, in the order drawn, including features of images.
    pub lengths: Vec<usize>,
    /// Tokens of each sample that was dropped as too long.
    pub too_long: Vec<usize>,
    /// Images of each sample.
    pub images: Vec<usize>,
    /// Part of the positions that are padding, 0 to 1.
    pub padding_fraction: f64,
    /// Samples of a step, on average.
    pub samples_a_step: f64,
    /// Tokens of a step, on average, without padding.
    pub tokens_a_step: f64,
    /// Positions with loss of a step, on average.
    pub targets_a_step: f64,
    /// Rows drawn for a step, on average, including dropped ones.
    pub rows_a_step: f64,
    /// Steps of the whole stage, estimated unless the recipe gives them.
    pub steps: f64,
}

/// Draws `rows` rows of each stage (fewer where the stage has fewer), and prepares them as training does. It reads the
/// configuration and the tokenizer of the model, not its weights, uses no GPU, and writes nothing into the run's folder.
///
/// # Errors
/// As [`train`](crate::train) before the first step. It is not an error here if all rows are dropped.
pub fn dry_run(recipe: &Recipe, registry: &Registry, rows: u64) -> Result<DryRun> {
    recipe.validate()?;
    registry.check(recipe)?;
    let began = Instant::now();
    // Whatever the run's folder holds, the tokenizer is that of the recipe.
    let held = Held { trained: 0, done: 0, abandoned: true };
    let start = Start::new(recipe, registry, &RunFolder::new(recipe), held, Data::Ready, Device::Cpu)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(recipe.loader_threads).build();
    let pool = pool.map_err(|error| Error::Threads(std::io::Error::other(error)))?;
    let mut stages = Vec::new();
    for (number, config) in recipe.stages.iter().enumerate() {
        let seed = random(recipe.seed, 9, number as u64);
        let preparer = start.preparer(config.length);
        stages.push(pool.install(|| dry_stage(config, registry, &preparer, seed, rows))?);
    }
    Ok(DryRun { run: recipe.name.clone(), stages, seconds: began.elapsed().as_secs_f64() })
}

fn dry_stage(
    config: &StageConfig,
    registry: &Registry,
    preparer: &Preparer,
    seed: u64,
    rows: u64,
) -> Result<DryStage> {
    let mut mixture = mixture(registry, config, seed)?;
    let extent = Extent::of(config, mixture.rows());
    // A second pass over the rows would show nothing new.
    let rows = rows.min(mixture.rows());
    let limit = match extent {
        Extent::Rows(all) => rows.min(all),
        Extent::Steps(_) => rows,
    };
    let shape = shape(config, preparer.ids());
    let collator = registry.make_collator(&config.batch.collator, shape, random(seed, 8, 0))?;
    let mut seen = Seen::new(collator);
    while mixture.cursor().draws < limit {
        let mut drawn = Vec::with_capacity(TOGETHER);
        while drawn.len() < TOGETHER && mixture.cursor().draws < limit {
            drawn.push(mixture.next_row()?);
        }
        let looked: Vec<_> = drawn
            .into_par_iter()
            .map(|(source, drawn)| (source, Looked::at(drawn, preparer, config)))
            .collect();
        for (source, looked) in looked {
            seen.add(source, mixture.name(source), looked)?;
        }
    }
    seen.finish()?;
    Ok(seen.stage(config, &shape, mixture.rows(), &mixture.asked(), extent))
}

/// A row as training would see it.
enum Looked {
    Used(Prepared, bool),
    Dropped { id: String, reason: &'static str, tokens: usize },
}

impl Looked {
    fn at(drawn: Drawn, preparer: &Preparer, config: &StageConfig) -> Self {
        let sample = match drawn {
            Drawn::Sample(sample) => sample,
            Drawn::Dropped { id, reason } => return Self::Dropped { id, reason, tokens: 0 },
        };
        match fit(preparer, &sample, config.too_long) {
            Ok((prepared, cut)) => Self::Used(prepared, cut),
            Err(reason) => {
                let tokens = preparer.tokens(&sample).map_or(0, |(ids, _)| ids.len());
                Self::Dropped { id: sample.id, reason, tokens }
            }
        }
    }
}

/// What was seen so far.
struct Seen {
    collator: Box<dyn Collator>,
    tally: Tally,
    lengths: Vec<usize>,
    too_long: Vec<usize>,
    images: Vec<usize>,
    counts: Counts,
    /// Rows of the batches.
    batch_rows: u64,
}

impl Seen {
    fn new(collator: Box<dyn Collator>) -> Self {
        Self {
            collator,
            tally: Tally::default(),
            lengths: Vec::new(),
            too_long: Vec::new(),
            images: Vec::new(),
            counts: Counts::default(),
            batch_rows: 0,
        }
    }

    fn add(&mut self, source: usize, name: &str, looked: Looked) -> Result<()> {
        match looked {
            Looked::Used(sample, cut) => {
                self.tally.used(source, &sample, cut);
                self.lengths.push(sample.ids.len());
                self.images.push(sample.pixels.len());
                let batches = self.collator.push(sample)?;
                self.count(batches);
            }
            Looked::Dropped { id, reason, tokens } => {
                if reason == "too_long" {
                    self.too_long.push(tokens);
                }
                self.tally.drop_row(source, name, reason, id);
            }
        }
        Ok(())
    }

    /// The last batches are not full, so they count only where there are no others.
    fn finish(&mut self) -> Result<()> {
        if self.batch_rows == 0 {
            let batches = self.collator.flush()?;
            self.count(batches);
        }
        Ok(())
    }

    fn count(&mut self, batches: Vec<Batch>) {
        for batch in batches {
            self.counts += batch.counts;
            self.batch_rows += batch.model.input_ids.size().first().copied().unwrap_or(0) as u64;
        }
    }

    fn stage(
        self,
        config: &StageConfig,
        shape: &BatchShape,
        rows: u64,
        asked: &[(String, f64)],
        extent: Extent,
    ) -> DryStage {
        let drawn: u64 = self.tally.sources.iter().map(|counts| counts.rows).sum();
        let counts = self.counts;
        let steps_seen = self.batch_rows as f64 / shape.step_rows as f64;
        let a_step = |count: u64| if steps_seen > 0.0 { count as f64 / steps_seen } else { 0.0 };
        let samples_a_step = a_step(counts.samples);
        let rows_a_step = samples_a_step * drawn as f64 / self.lengths.len().max(1) as f64;
        let steps = match extent {
            Extent::Steps(steps) => steps as f64,
            Extent::Rows(_) if rows_a_step == 0.0 => 0.0,
            Extent::Rows(all) => (all as f64 / rows_a_step).ceil(),
        };
        DryStage {
            name: config.name.clone(),
            length: config.length,
            rows,
            drawn,
            mixture: shares(asked, &self.tally),
            dropped: self.tally.dropped,
            dropped_ids: self.tally.dropped_ids,
            lengths: self.lengths,
            too_long: self.too_long,
            images: self.images,
            padding_fraction: 1.0 - counts.tokens as f64 / counts.slots.max(1) as f64,
            samples_a_step,
            tokens_a_step: a_step(counts.tokens),
            targets_a_step: a_step(counts.targets),
            rows_a_step,
            steps,
        }
    }
}

impl DryRun {
    /// The figures as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for stage in &self.stages {
            text.push_str(&format!("{}: {} of {} rows drawn\n", stage.name, stage.drawn, stage.rows));
            for (name, value) in stage.figures() {
                text.push_str(&format!("{}:   {name} {value}\n", stage.name));
            }
            for line in lines(&stage.name, &stage.tally(), &stage.mixture) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}

impl DryStage {
    /// The counts that lines of text are made from.
    fn tally(&self) -> Tally {
        Tally {
            dropped: self.dropped.clone(),
            dropped_ids: self.dropped_ids.clone(),
            sources: self.mixture.iter().map(|share| share.counts).collect(),
        }
    }

    /// The figures by name, for people.
    fn figures(&self) -> Vec<(&'static str, String)> {
        let whole = |value: f64| format!("{value:.0}");
        let cut: u64 = self.mixture.iter().map(|share| share.counts.cut).sum();
        vec![
            ("samples", format!("{} ({cut} cut)", self.lengths.len())),
            ("rows dropped", self.dropped.values().sum::<u64>().to_string()),
            ("tokens of a sample (length)", quantiles(&self.lengths, self.length)),
            ("images of a sample", quantiles(&self.images, usize::MAX)),
            ("padding fraction", format!("{:.1} %", 100.0 * self.padding_fraction)),
            ("samples a step", whole(self.samples_a_step)),
            ("tokens a step", whole(self.tokens_a_step)),
            ("of these with loss", whole(self.targets_a_step)),
            ("rows drawn a step", whole(self.rows_a_step)),
            ("steps", whole(self.steps)),
        ]
    }
}

/// Smallest, median, 95th percentile and largest of some numbers.
fn quantiles(values: &[usize], limit: usize) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize];
    if sorted.is_empty() {
        return "none".to_owned();
    }
    let limit = if limit == usize::MAX { String::new() } else { format!(" (of at most {limit})") };
    format!("{} to {}, median {}, 95 % up to {}{limit}", at(0.0), at(1.0), at(0.5), at(0.95))
}

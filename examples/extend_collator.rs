//! Adds a collator and an objective: `cargo run --example extend_collator -- --out FOLDER`.
//!
//! A collator may hold samples back: the loader replays them when a run resumes. An objective is the divisor of a step's
//! loss and, if it needs one, a last unit of its own.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;

use clap::Parser;
use tsumugi::train::collate::{Batch, BatchShape, Collator, Padded};
use tsumugi::train::data::ListSource;
use tsumugi::train::prepare::Prepared;
use tsumugi::train::{Objective, Progress, Recipe, Registry, Result, Trainer};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

/// Collects the samples of four batches and puts those with similar numbers of images together.
struct ByImages(BatchShape, Vec<Prepared>);

impl Collator for ByImages {
    fn push(&mut self, sample: Prepared) -> Result<Vec<Batch>> {
        self.1.push(sample);
        if self.1.len() < 4 * self.0.rows { Ok(Vec::new()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<Vec<Batch>> {
        self.1.sort_by_key(|sample| sample.pixels.len());
        let mut padded = Padded::new(self.0);
        let mut batches = Vec::new();
        for sample in self.1.drain(..) {
            batches.extend(padded.push(sample)?);
        }
        batches.extend(padded.flush()?);
        Ok(batches)
    }

    fn held(&self) -> usize {
        self.1.len()
    }
}

/// Divides a batch's summed loss by the root of its tokens, between the means over tokens and over samples.
struct RootMean;

impl Objective for RootMean {
    fn weight(&self, batch: &Batch) -> f64 {
        (batch.counts.targets as f64).sqrt()
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.collator("by_images", |shape, _seed| Ok(Box::new(ByImages(shape, Vec::new()))));
    registry.objective("root_mean", || Ok(Box::new(RootMean)));

    let sets = ["stages.0.objective=root_mean", "stages.0.batch.collator=by_images"];
    let mut recipe = Recipe::from_toml(&squares::recipe(""), &sets.map(str::to_owned))?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}

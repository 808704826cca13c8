//! Adds a data source: `cargo run --example extend_source -- --out FOLDER`.
//!
//! A source has a number of rows and returns the row at a place. The order must be a function of the place alone; then
//! mixing, shuffling, packing and resuming work as for every other source.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;

use clap::Parser;
use tsumugi::train::data::{DataSource, Place, permutation};
use tsumugi::train::{Drawn, Progress, Recipe, Registry, Result, Sample, Trainer};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

/// Drawn squares. A real source would hold a connection, an index or a file here.
struct Squares {
    samples: Vec<Sample>,
    /// The order of the current pass, so that it is not computed again for each row.
    order: Option<(Place, Vec<u64>)>,
}

impl DataSource for Squares {
    fn len(&self) -> u64 {
        self.samples.len() as u64
    }

    fn draw(&mut self, place: Place) -> Result<Drawn> {
        let same_pass = |of: &Place| (of.seed, of.epoch) == (place.seed, place.epoch);
        if !self.order.as_ref().is_some_and(|(of, _)| same_pass(of)) {
            self.order = Some((place, permutation(self.len(), place.seed, place.epoch)));
        }
        let row = self.order.as_ref().map_or(0, |(_, order)| order[place.position as usize]);
        let sample = self.samples[row as usize].clone();
        // A row that cannot be used is dropped with a reason, which is counted.
        if sample.images() == 0 {
            return Ok(Drawn::Dropped { id: sample.id, reason: "no_image" });
        }
        Ok(Drawn::Sample(sample))
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    // `request.config.options` holds the recipe's `options` of this source.
    registry.source("squares", |_request| Ok(Box::new(Squares { samples: squares::samples(), order: None })));

    let mut recipe = Recipe::from_toml(&squares::recipe(""), &[])?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}

//! Adds a metric sink: `cargo run --example extend_metrics -- --out FOLDER`.
//!
//! A sink records the numbers of each step and those of callbacks. When a stage resumes, it drops what it recorded of later
//! steps.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;

use clap::Parser;
use tsumugi::train::data::ListSource;
use tsumugi::train::metrics::{MetricSink, StepMetrics};
use tsumugi::train::{Error, Progress, Recipe, Registry, Result, Trainer};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

/// Writes `losses.csv`.
struct Csv(PathBuf);

impl Csv {
    fn write(&self, text: &str) -> Result<()> {
        std::fs::write(&self.0, text).map_err(|source| Error::Io { path: self.0.clone(), source })
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }
}

impl MetricSink for Csv {
    fn begin(&mut self, stage: &str, step: u64) -> Result<()> {
        let later = |line: &&str| step_of(line, stage).is_some_and(|of_line| of_line > step);
        self.write(
            &self.read().lines().filter(|line| !later(line)).map(|l| format!("{l}\n")).collect::<String>(),
        )
    }

    fn step(&mut self, m: &StepMetrics) -> Result<()> {
        self.scalar(&m.stage, m.step, "loss", m.loss)
    }

    fn scalar(&mut self, stage: &str, step: u64, name: &str, value: f64) -> Result<()> {
        self.write(&format!("{}{stage},{step},{name},{value}\n", self.read()))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The step of a line `STAGE,STEP,NAME,VALUE`, if it belongs to this stage.
fn step_of(line: &str, stage: &str) -> Option<u64> {
    line.strip_prefix(stage)?.strip_prefix(',')?.split(',').next()?.parse().ok()
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.sink("csv", |out, _config| Ok(Box::new(Csv(out.join("losses.csv")))));

    let sets = ["metrics=[{name=\"csv\"}]"];
    let mut recipe = Recipe::from_toml(&squares::recipe(""), &sets.map(str::to_owned))?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}

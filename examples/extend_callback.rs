//! Adds a callback: `cargo run --example extend_callback -- --out FOLDER`.
//!
//! This one ends a stage when the loss has not fallen for some steps. Its state is kept in checkpoints, so that a run that
//! is killed and resumed stops at the same step.

#[path = "common/squares.rs"]
mod squares;

use std::path::PathBuf;

use clap::Parser;
use tsumugi::train::data::ListSource;
use tsumugi::train::metrics::StepMetrics;
use tsumugi::train::{Action, Callback, CallbackContext, Error, Progress, Recipe, Registry, Result, Trainer};

#[derive(Parser)]
struct Args {
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug)]
struct Patience {
    steps: u64,
    best: f64,
    best_step: u64,
}

impl Callback for Patience {
    fn name(&self) -> &str {
        "patience"
    }

    fn step_done(&mut self, context: &CallbackContext<'_>, metrics: &StepMetrics) -> Result<Action> {
        if metrics.loss < self.best {
            (self.best, self.best_step) = (metrics.loss, metrics.step);
        }
        let waited = metrics.step - self.best_step;
        if waited >= self.steps {
            eprintln!("{}: no better loss than {:.4} for {waited} steps", context.stage, self.best);
        }
        Ok(Action {
            scalars: vec![("best_loss".into(), self.best)],
            stop: waited >= self.steps,
            ..Action::default()
        })
    }

    fn save(&self) -> serde_json::Value {
        serde_json::json!({ "best": self.best, "best_step": self.best_step })
    }

    fn load(&mut self, state: &serde_json::Value) -> Result<()> {
        let number = |key: &str| {
            let reason = || format!("the checkpoint has no {key}");
            state[key].as_f64().ok_or_else(|| Error::Callback { name: "patience".into(), reason: reason() })
        };
        (self.best, self.best_step) = (number("best")?, number("best_step")? as u64);
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut registry = Registry::default();
    registry.source("squares", |_| Ok(Box::new(ListSource::new(squares::samples()))));
    registry.callback("patience", |config| {
        let steps = config.options.get("steps").and_then(|v| v.as_integer()).unwrap_or(10);
        Ok(Box::new(Patience { steps: steps.max(1) as u64, best: f64::INFINITY, best_step: 0 }))
    });

    let mut recipe = Recipe::from_toml(&squares::recipe(""), &["stages.squares.duration.steps=400".into()])?;
    recipe.callbacks =
        toml::from_str::<toml::Table>("list = [{ name = \"patience\", options = { steps = 8 } }]")?["list"]
            .clone()
            .try_into()?;
    recipe.out = args.out;
    let summary = Trainer::new(recipe).registry(registry).progress(Progress::stderr()).run()?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}

//! A small model learns to see: `cargo run --release --example learn_to_see -- --out runs/learn_to_see`.
//!
//! Images of shapes or a katakana are drawn by the program itself, with Japanese questions about each. A tiny VILA is
//! trained on them from random weights, and is then asked about images whose combination of answers it has never seen;
//! and, to tell seeing from guessing, about the same images in another order.

mod kana;
mod questions;
mod scene;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use tsumugi::report::{Chart, LineChart, Series};
use tsumugi::train::metrics::StepMetrics;
use tsumugi::train::{Action, Callback, CallbackContext, Progress, Recipe, Registry, Trainer};
use tsumugi::vlm::{Model, Tokenizer, torch_ext};

use crate::questions::{Scenes, Score, ask};

/// Trains a tiny vision-language model on drawn images and asks it about others.
#[derive(Parser)]
struct Args {
    /// The recipe.
    #[arg(long, default_value = "examples/recipes/learn_to_see.toml")]
    recipe: PathBuf,
    /// Folder of the run.
    #[arg(long, default_value = "runs/learn_to_see")]
    out: PathBuf,
    /// Changes a value of the recipe, such as `stages.see.optimizer.lr=1e-3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Held-out images that are asked about at the end, two or three questions each.
    #[arg(long, default_value_t = 1000)]
    images: u64,
}

/// Seed of the images asked about on the way, and of those at the end.
const ON_THE_WAY: u64 = 77;
const AT_THE_END: u64 = 99;

/// Asks about a few held-out images now and then.
struct Sight {
    every: u64,
}

impl Callback for Sight {
    fn name(&self) -> &str {
        "sight"
    }

    fn step_done(
        &mut self,
        context: &CallbackContext<'_>,
        metrics: &StepMetrics,
    ) -> tsumugi::train::Result<Action> {
        if !metrics.step.is_multiple_of(self.every) {
            return Ok(Action::default());
        }
        let model = Model {
            vlm: context.model.clone(),
            weights: (context.weights)()?,
            tokenizer: Tokenizer::open(context.tokenizer)?,
            processor: context.model.image_processor(),
            generation: Default::default(),
        };
        let score = ask(&model, ON_THE_WAY, 100, 0)?;
        Ok(Action { scalars: score.shares(), ..Action::default() })
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut recipe = Recipe::from_file(&args.recipe, &args.set)?;
    recipe.out = args.out;
    let out = recipe.out.clone();
    let mut registry = Registry::default();
    registry.source("scenes", |request| Ok(Box::new(Scenes::new(&request.config.options)?)));
    let began = Instant::now();
    let summary = Trainer::new(recipe)
        .registry(registry)
        .progress(Progress::stderr())
        .callback(Box::new(Sight { every: 200 }))
        .run()?;
    let seconds = began.elapsed().as_secs_f64();

    let folder = summary.model.display().to_string();
    let model = Model::load(&folder, torch_ext::best_device(), tch::Kind::Float)?;
    let seeing = ask(&model, AT_THE_END, args.images, 0)?;
    let guessing = ask(&model, AT_THE_END, args.images, 1)?;
    plot(&out)?;
    println!(
        "{}",
        serde_json::json!({
            "training": summary,
            "wall_seconds": seconds,
            "questions": seeing.questions(),
            "right": seeing.json(),
            "right_with_other_images": guessing.json(),
        })
    );
    Ok(())
}

/// Draws how the shares of right answers grew.
fn plot(out: &Path) -> anyhow::Result<()> {
    let mut shares: Vec<Series> = Score::names().map(|name| Series::new(name, [])).collect();
    for text in std::fs::read_to_string(out.join("metrics.jsonl"))?.lines() {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let (Some(name), Some(step)) = (value["name"].as_str(), value["step"].as_f64()) else { continue };
        if let Some(share) = shares.iter_mut().find(|share| share.name() == name) {
            share.push(step, 100.0 * value["value"].as_f64().unwrap_or(0.0));
        }
    }
    let chart = Chart::line("Held-out questions answered correctly by step").x("step").unit("%");
    if let Some(svg) = Chart::from(shares.into_iter().fold(chart, LineChart::with)).svg()? {
        std::fs::write(out.join("learn_to_see.svg"), svg)?;
    }
    Ok(())
}

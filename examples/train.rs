//! Trains a model by a recipe: `cargo run --example train -- --recipe examples/recipes/tiny.toml --set seed=3`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::train::{TrainConfig, train};
use tsumugi::pipeline::{Progress, cli};

/// Trains a vision-language model in stages. Run again after a kill it goes on where it stopped.
#[derive(Parser)]
struct Args {
    /// The recipe, a TOML file.
    #[arg(long)]
    recipe: PathBuf,
    /// Changes a value of the recipe, such as `stages.align.optimizer.lr=1e-3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let config = TrainConfig { recipe: args.recipe, set: args.set };
    cli::run(|| train(&config, &Progress::new()))
}

//! Trains and evaluates the named runs: `cargo run --example ablate -- --config examples/recipes/ablation-tiny.toml --out runs/ablation`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::ablation::{AblationConfig, run};
use tsumugi::pipeline::{Progress, cli};

/// Trains and evaluates runs that differ in their data or stages, and prints the paper's table 3 with intervals. Run again
/// after a kill it goes on where it stopped. The last line is one JSON object.
#[derive(Parser)]
struct Args {
    /// The ablation, a TOML file.
    #[arg(long)]
    config: PathBuf,
    /// Folder that is written.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        let config = AblationConfig::from_file(&args.config)?;
        let summary = run(&config, &args.out, &Progress::new())?;
        println!("{}", summary.markdown);
        Ok(summary)
    })
}

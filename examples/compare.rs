//! Puts runs of `evaluate` side by side: `cargo run --example compare -- --runs runs/a runs/b`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;
use tsumugi::eval::Registry;
use tsumugi::eval::report::comparison_page;
use tsumugi::eval::results::{Results, compare};

/// Prints the scores of runs and, for each run against the first, the differences with paired intervals; the last line
/// is the same as JSON.
#[derive(Parser)]
struct Args {
    /// Folders that `evaluate` wrote, the one to compare with first.
    #[arg(long, num_args = 1.., required = true)]
    runs: Vec<PathBuf>,
    /// Also write a page with plots here.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let mut runs = Vec::new();
    for folder in &args.runs {
        let name = folder
            .file_name()
            .map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
        runs.push((name, Results::read(folder).map_err(|e| anyhow!("{e}"))?));
    }
    let comparison = compare(&runs, &Registry::default()).map_err(|e| anyhow!("{e}"))?;
    println!("{}", comparison.markdown());
    if let Some(out) = &args.out {
        comparison_page(&comparison).write(out)?;
    }
    println!("{}", serde_json::to_string(&comparison)?);
    Ok(())
}

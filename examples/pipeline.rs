//! All steps in a row: `cargo run --example pipeline` on the embedded sample, or `-- --warc FILE --out DIR` on a real archive.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tsumugi::pipeline::whole::{Api, Until, WholeConfig, run};
use tsumugi::pipeline::{Error, Progress, cli};

/// From a web archive to an evaluated model and one HTML report. Run again after a kill it goes on where it stopped.
#[derive(Parser)]
struct Args {
    /// Archives (WARC, ARC); without one the embedded sample site is used.
    #[arg(long, num_args = 1..)]
    warc: Vec<PathBuf>,
    /// Output folder.
    #[arg(long, default_value = "demo")]
    out: PathBuf,
    /// Where the steps run.
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    engine: Engine,
    /// Pages of the embedded sample.
    #[arg(long, default_value_t = tsumugi::demo::PAGES)]
    pages: usize,
    /// Language of the documents that are kept, and of the embedded sample (ja, en or ko).
    #[arg(long, default_value = "ja")]
    language: String,
    /// Profile of the text filter; by default that of the language's pack.
    #[arg(long)]
    profile: Option<String>,
    /// OpenAI-compatible endpoint that writes the instruction data; without one a loopback stand-in answers. The key
    /// is read from OPENAI_API_KEY.
    #[arg(long, env = "OPENAI_BASE_URL")]
    base_url: Option<String>,
    /// Model at that endpoint.
    #[arg(long, default_value = "gpt-4o-mini")]
    model: String,
    /// Endpoint of the judge; by default that of the instruction data.
    #[arg(long)]
    judge_base_url: Option<String>,
    /// Model that judges.
    #[arg(long, default_value = "gpt-4o-2024-05-13")]
    judge_model: String,
    /// Recipe of the trainer; by default examples/recipes/tiny.toml.
    #[arg(long)]
    recipe: Option<PathBuf>,
    /// Changes a value of the recipe, such as `stages.align.optimizer.lr=1e-3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Benchmark (JSONL or Parquet); by default that of the embedded sample.
    #[arg(long)]
    benchmark: Option<PathBuf>,
    /// Last step to run.
    #[arg(long, default_value = "evaluate")]
    until: Until,
    /// Threads of the data steps; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Where the steps run.
#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// In this process.
    Local,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let Engine::Local = args.engine;
    let progress = Progress::new();
    cli::run(|| {
        let summary = run(&config(args)?, &progress)?;
        progress.line(&format!("The report is in {}", summary.report.display()));
        Ok(summary)
    })
}

fn config(args: Args) -> Result<WholeConfig, Error> {
    let recipe = match &args.recipe {
        None => include_str!("recipes/tiny.toml").to_owned(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| Error::config(path.display().to_string(), e.to_string()))?,
    };
    let judge_url = args.judge_base_url.or_else(|| args.base_url.clone());
    Ok(WholeConfig {
        warc: args.warc,
        out: args.out,
        pages: args.pages,
        language: args.language,
        profile: args.profile,
        api: args.base_url.map(|base_url| Api { base_url, model: args.model }),
        judge: judge_url.map(|base_url| Api { base_url, model: args.judge_model }),
        recipe,
        set: args.set,
        benchmark: args.benchmark,
        until: args.until,
        threads: args.threads,
        ..WholeConfig::default()
    })
}

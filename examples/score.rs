//! Scores predictions against references: `cargo run --example score -- --predictions answers.jsonl --profile sakana`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use tsumugi::eval::profile::{Corpus, Profile};
use tsumugi::eval::rouge::score_all;
use tsumugi::eval::stats::{Resampling, bootstrap_median};
use tsumugi::text::mecab::Dictionary;

/// Prints a JSON line with `score` for each line of the input, and the corpus score at the end.
#[derive(Parser)]
struct Args {
    /// JSONL file with `prediction` and `reference` in each line.
    #[arg(long)]
    predictions: PathBuf,
    /// What is computed.
    #[arg(long, value_enum, default_value = "rouge-l")]
    metric: Metric,
    /// paper, eval-mm, sakana or heron: the reference whose rules are followed.
    #[arg(long, default_value = "paper")]
    profile: Profile,
    /// Folder of the dictionary unidic-lite.
    #[arg(long)]
    dictionary: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Metric {
    RougeL,
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
    let Metric::RougeL = args.metric;
    let text =
        std::fs::read_to_string(&args.predictions).with_context(|| args.predictions.display().to_string())?;
    let mut pairs = Vec::new();
    for (number, line) in text.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}: line {}", args.predictions.display(), number + 1);
        let row: Value = serde_json::from_str(line).with_context(place)?;
        let text = |name: &str| {
            row[name].as_str().map(str::to_owned).with_context(|| format!("`{name}` is missing"))
        };
        pairs.push((text("prediction").with_context(place)?, text("reference").with_context(place)?));
    }
    if pairs.is_empty() {
        bail!("{}: it holds no predictions", args.predictions.display());
    }
    let dictionary = Dictionary::find(args.dictionary.as_deref()).map_err(|e| anyhow!("{e}"))?;
    let settings = args.profile.settings();
    let scores = score_all(&dictionary, settings.normalizer, &pairs);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for score in &scores {
        writeln!(out, "{}", json!({ "score": score }))?;
    }
    let mean = |drawn: &[usize]| drawn.iter().map(|i| scores[*i]).sum::<f64>() / drawn.len().max(1) as f64;
    let all: Vec<usize> = (0..scores.len()).collect();
    let score = match settings.corpus {
        Corpus::Mean => mean(&all),
        Corpus::BootstrapMedian => bootstrap_median(&scores),
    };
    let interval = Resampling::by_question(scores.iter().map(|_| "")).interval(mean);
    let summary = json!({"metric": "rouge-l", "profile": args.profile, "pairs": scores.len(), "corpus_score": score, "interval": interval});
    writeln!(out, "{summary}")?;
    Ok(out.flush()?)
}

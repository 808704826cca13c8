//! Splits texts into the words that ROUGE-L compares: `cargo run --example tokenize -- --input texts.jsonl`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use serde_json::{Value, json};
use tsumugi::eval::profile::Profile;
use tsumugi::eval::rouge::RougeL;
use tsumugi::text::mecab::Dictionary;

/// Prints a JSON line with `tokens` for each line of the input, and the counts at the end.
#[derive(Parser)]
struct Args {
    /// JSONL file with `text` in each line.
    #[arg(long)]
    input: PathBuf,
    /// The profile whose normalisation comes first.
    #[arg(long, default_value = "paper")]
    profile: Profile,
    /// Folder of the dictionary unidic-lite.
    #[arg(long)]
    dictionary: Option<PathBuf>,
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
    let input = std::fs::read_to_string(&args.input).with_context(|| args.input.display().to_string())?;
    let dictionary = Dictionary::find(args.dictionary.as_deref()).map_err(|e| anyhow!("{e}"))?;
    let mut scorer = RougeL::new(&dictionary, args.profile.settings().normalizer);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut texts, mut words) = (0, 0);
    for (number, line) in input.split('\n').enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}: line {}", args.input.display(), number + 1);
        let row: Value = serde_json::from_str(line).with_context(place)?;
        let text = row["text"].as_str().context("`text` is missing").with_context(place)?;
        let tokens = scorer.tokens(text);
        (texts, words) = (texts + 1, words + tokens.len());
        writeln!(out, "{}", json!({ "tokens": tokens }))?;
    }
    writeln!(out, "{}", json!({ "texts": texts, "words": words }))?;
    Ok(out.flush()?)
}

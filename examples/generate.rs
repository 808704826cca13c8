//! Asks a vision-language model: the answer streams to standard error as it grows; the last line of standard output is a
//! JSON object with it.
//!
//! `cargo run --example generate -- --model DIR --image cat.jpg --prompt 何が写っていますか?`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use tch::Kind;
use tsumugi::vlm::{GenerateOptions, Model, Question, torch_ext};

/// Asks a vision-language model about pictures.
#[derive(Parser)]
struct Args {
    /// Folder of the checkpoint, or the name of a repository on the Hugging Face hub.
    #[arg(long)]
    model: String,
    /// Picture files, in order.
    #[arg(long, num_args = 0..)]
    image: Vec<PathBuf>,
    /// The question; `<image>` in it says where a picture stands.
    #[arg(long)]
    prompt: String,
    /// Most tokens of the answer.
    #[arg(long, default_value_t = 256)]
    max_new_tokens: usize,
    /// Temperature of sampling; zero is greedy.
    #[arg(long, default_value_t = 0.0)]
    temperature: f64,
    /// Sample only the likeliest tokens that together have this probability.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Seed of sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Beams of the search; one is none.
    #[arg(long, default_value_t = 1)]
    num_beams: usize,
    /// Makes tokens that were there before less likely where above one.
    #[arg(long, default_value_t = 1.0)]
    repetition_penalty: f64,
    /// What to compute in.
    #[arg(long, default_value = "float32", value_parser = ["float32", "bfloat16"])]
    dtype: String,
}

fn main() -> ExitCode {
    match answer(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(args: &Args) -> anyhow::Result<()> {
    let kind = if args.dtype == "bfloat16" { Kind::BFloat16 } else { Kind::Float };
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
    let images = args.image.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let model = Model::load(&args.model, torch_ext::best_device(), kind)?;
    let options = GenerateOptions {
        max_new_tokens: args.max_new_tokens,
        temperature: args.temperature,
        top_p: args.top_p,
        seed: args.seed,
        num_beams: args.num_beams,
        repetition_penalty: args.repetition_penalty,
        ..GenerateOptions::default()
    };
    let answers =
        model.answer(&[Question::new(args.prompt.as_str(), images)], &options, &mut |_, piece| {
            eprint!("{piece}");
            // A stream that cannot be flushed shows the text later; the answer is printed at the end all the same.
            let _ = std::io::stderr().flush();
        })?;
    eprintln!();
    println!(
        "{}",
        serde_json::json!({"model": args.model, "prompt": args.prompt, "answer": answers.first()})
    );
    Ok(())
}

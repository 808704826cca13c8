//! Holds a checkpoint against another implementation: the same inputs in, logits, loss, features, hidden states (and
//! gradients, greedy tokens, parameters after optimiser steps) out.
//!
//! `cargo run --example parity -- --model DIR --inputs FILE.safetensors --out FILE.safetensors --gradients`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use tch::{Device, Kind};
use tsumugi::vlm::parity::{ParityOptions, run};
use tsumugi::vlm::torch_ext;

/// Runs a model on given inputs and writes everything worth comparing.
#[derive(Parser)]
struct Args {
    /// Folder of the checkpoint: LLaVA, VILA, Llama or SigLIP.
    #[arg(long)]
    model: PathBuf,
    /// input_ids, and where there are any attention_mask, labels, pixel_values, seqlens (packed rows).
    #[arg(long)]
    inputs: PathBuf,
    /// Where to write.
    #[arg(long)]
    out: PathBuf,
    /// Write the gradient of every parameter.
    #[arg(long)]
    gradients: bool,
    /// Continue the rows greedily by this many tokens.
    #[arg(long, value_name = "TOKENS")]
    generate: Option<usize>,
    /// Write the parameters after the optimiser steps of this JSON file.
    #[arg(long, value_name = "FILE")]
    steps: Option<PathBuf>,
    /// What to compute in.
    #[arg(long, default_value = "float32", value_parser = ["float32", "bfloat16"])]
    dtype: String,
    /// What to compute on.
    #[arg(long, default_value = "cpu", value_parser = ["cpu", "cuda", "auto"])]
    device: String,
}

fn main() -> ExitCode {
    match compute(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compute(args: &Args) -> anyhow::Result<()> {
    let steps = match &args.steps {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?)
        }
    };
    let kind = if args.dtype == "bfloat16" { Kind::BFloat16 } else { Kind::Float };
    let device = match args.device.as_str() {
        "cuda" => {
            torch_ext::load_cuda()?;
            Device::Cuda(0)
        }
        "auto" => torch_ext::best_device(),
        _ => Device::Cpu,
    };
    torch_ext::set_numerics(true, false)?;
    let options = ParityOptions {
        gradients: args.gradients,
        generate: args.generate,
        steps,
        device,
        kind,
        ..ParityOptions::default()
    };
    run(&args.model, &args.inputs, &args.out, &options)?;
    println!("{}", serde_json::json!({"out": args.out}));
    Ok(())
}

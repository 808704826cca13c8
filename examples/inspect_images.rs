//! Inspects pictures: a JSON line each with size, format and perceptual hash, and a summary at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use tsumugi::images::{Limits, inspect};

/// Inspect picture files, one JSON line each.
#[derive(Parser)]
struct Arguments {
    /// Picture files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let limits = Limits::default();
    let mut images = 0_u64;
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for file in &arguments.files {
        match line(file, &limits) {
            Ok(line) => {
                images += 1;
                println!("{line}");
            }
            Err((reason, error)) => {
                *errors.entry(reason.to_owned()).or_default() += 1;
                println!("{}", json!({"file": file, "error": error, "reason": reason}));
            }
        }
    }
    println!("{}", json!({"files": arguments.files.len(), "images": images, "errors": errors}));
    if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(file: &Path, limits: &Limits) -> Result<Value, (&'static str, String)> {
    let bytes = std::fs::read(file).map_err(|error| ("unreadable", error.to_string()))?;
    let facts = inspect(&bytes, limits).map_err(|error| (error.reason(), error.to_string()))?;
    Ok(json!({
        "file": file,
        "width": facts.width,
        "height": facts.height,
        "format": facts.format.as_str(),
        "phash": facts.phash.to_string(),
        "animated": facts.animated,
        "colours": facts.colours,
        "orientation": facts.orientation,
    }))
}

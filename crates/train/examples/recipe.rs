//! Follows a recipe with this crate alone: `recipe FILE.toml [KEY=VALUE ...]`.

use std::path::Path;
use std::process::ExitCode;

use tsumugi_train::{Error, Progress, Recipe, train};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: recipe FILE.toml [KEY=VALUE ...]");
        return ExitCode::from(2);
    };
    let overrides: Vec<String> = arguments.collect();
    let run = || -> Result<String, Error> {
        let recipe = Recipe::from_file(Path::new(&file), &overrides)?;
        let summary = train(&recipe, &Progress::stderr())?;
        Ok(serde_json::to_string(&summary).unwrap_or_default())
    };
    match run() {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.is_usage() { 2 } else { 1 })
        }
    }
}

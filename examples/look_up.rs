//! Tells what became of an item: every row with its identifier in the tables of what steps dropped.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use tsumugi::pipeline::runner::input_table;
use tsumugi::pipeline::{Error, cli};
use tsumugi::record::{Excluded, Record, ShardReader};

/// Look up which step dropped an item, and why: a JSON line for each row found.
#[derive(Parser)]
struct Arguments {
    /// Identifier of a document, picture, pair or question, or a piece of the value (an address, a text) with --value.
    id: String,
    /// Folders that steps wrote.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Look in the values rather than for the identifier.
    #[arg(long)]
    value: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::run(|| {
        let mut found = 0_u64;
        for folder in &arguments.folders {
            for shard in input_table(folder, Excluded::KIND)?.shards {
                for batch in ShardReader::<Excluded>::open(&shard)? {
                    for row in batch?.iter().filter(|row| is_wanted(row, &arguments)) {
                        found += 1;
                        let line = serde_json::to_string(row).map_err(Error::step("look_up", "JSON"))?;
                        // Whoever reads may have enough of it (`| head`).
                        if writeln!(std::io::stdout(), "{line}").is_err() {
                            std::process::exit(0);
                        }
                    }
                }
            }
        }
        Ok(json!({"found": found}))
    })
}

fn is_wanted(row: &Excluded, arguments: &Arguments) -> bool {
    match &row.value {
        Some(value) if arguments.value => value.contains(&arguments.id),
        _ => !arguments.value && row.id == arguments.id,
    }
}

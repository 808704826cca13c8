//! Shows random items that a builder kept, and random ones that it dropped, by reason, with their pictures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use tsumugi::pipeline::report::contact_sheet;
use tsumugi::pipeline::{Error, cli};

/// Make a contact sheet of what build_pairs or build_interleaved wrote.
#[derive(Parser)]
struct Arguments {
    /// Folder that build_pairs or build_interleaved wrote.
    #[arg(long, value_name = "DIR")]
    built: PathBuf,
    /// Folder with the tables of images and fetches.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// HTML file that is written.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Items of each kind.
    #[arg(long, default_value_t = 24)]
    count: usize,
    /// Another seed draws other items.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::run(|| {
        let page = contact_sheet(&arguments.built, &arguments.images, arguments.count, arguments.seed)?;
        page.write(&arguments.out)
            .map_err(Error::step("contact_sheet", arguments.out.display().to_string()))?;
        Ok(json!({"out": arguments.out}))
    })
}

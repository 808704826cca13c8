//! Fetches the pictures that documents name, out of archives or folders.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::fetch_images::{FetchImagesConfig, fetch_images};
use tsumugi::pipeline::{Progress, cli};

/// Fetch the pictures of documents.
#[derive(Parser)]
struct Arguments {
    /// Folder with the table of documents.
    #[arg(long, value_name = "DIR")]
    documents: PathBuf,
    /// Where pictures come from: `warc:FILE` (or a folder of archives), or `dir:FOLDER` (laid out as HOST/PATH).
    #[arg(long, value_name = "SOURCE", num_args = 1.., required = true)]
    from: Vec<String>,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = FetchImagesConfig {
        documents: arguments.documents,
        from: arguments.from,
        out: arguments.out,
        ..FetchImagesConfig::default()
    };
    cli::run(|| cli::with_threads(arguments.threads, || fetch_images(&config, &Progress::new())))
}

//! Reads web archives and writes the documents of one language as tables.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::extract_documents::{ExtractDocumentsConfig, extract_documents};
use tsumugi::pipeline::{Progress, cli};

/// Extract the documents of one language from web archives.
#[derive(Parser)]
struct Arguments {
    /// Archives (WARC or ARC, plain or packed), or folders of them.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    warc: Vec<PathBuf>,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Language to keep, as BCP 47 code, or `any`.
    #[arg(long, default_value = "ja")]
    language: String,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = ExtractDocumentsConfig {
        warc: arguments.warc,
        out: arguments.out,
        language: arguments.language,
        ..ExtractDocumentsConfig::default()
    };
    cli::run(|| cli::with_threads(arguments.threads, || extract_documents(&config, &Progress::new())))
}

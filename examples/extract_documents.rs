//! Reads web archives and writes the documents of one language as tables.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::extract_documents::{ExtractDocumentsConfig, ExtractDocuments};
use tsumugi::pipeline::{Context, cli, runner};

/// Extract the documents of one language from web archives.
#[derive(Parser)]
struct Arguments {
    /// Archives (WARC or ARC, plain or packed): files, folders, https:// or s3:// URLs, lists of them (*.paths.gz).
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "index")]
    warc: Vec<PathBuf>,
    /// Read only the records that these indexes name: CDXJ, cluster.idx, Parquet of the columnar index; files or URLs.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "warc")]
    index: Vec<PathBuf>,
    /// Which records of the index: language=jpn,mime=text/html,domain=example.jp,status=200,charset=utf-8.
    #[arg(
        long,
        value_name = "KEY=VALUE,...",
        default_value = "",
        requires = "index",
        hide_default_value = true
    )]
    select: String,
    /// Folder or URL below which the paths of lists and indexes lie; without it those of Common Crawl are found by
    /// themselves (s3://commoncrawl/ reads them from S3).
    #[arg(long, value_name = "URL")]
    base: Option<String>,
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
        index: arguments.index,
        select: arguments.select,
        base: arguments.base,
        out: arguments.out,
        language: arguments.language,
        ..ExtractDocumentsConfig::default()
    };
    cli::run(|| cli::with_threads(arguments.threads, || runner::run::<ExtractDocuments>(config, &Context::new())))
}

//! Filters documents: language and quality rules of a profile, masking of personal data, exact and near duplicates.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::filter_documents::{FilterDocumentsConfig, Mask, FilterDocuments};
use tsumugi::pipeline::{Context, cli, runner};

/// Filter documents by a profile, mask personal data, and drop exact and near duplicates.
#[derive(Parser)]
struct Arguments {
    /// Folder with the table of documents.
    #[arg(long, value_name = "DIR")]
    documents: PathBuf,
    /// Profile: paper, paper-pairs, swallow-v1, hojichar, llm-jp, llm-jp-strict, gopher, ko, zh-hans, zh-hant, en, th, or a TOML file.
    #[arg(long, default_value = "paper")]
    profile: String,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with the word lists (a word a line) and models that the profile names.
    #[arg(long, value_name = "DIR")]
    words: Option<PathBuf>,
    /// Mask postal addresses, My Number and card numbers too.
    #[arg(long)]
    mask_strict: bool,
    /// Keep documents whose page forbids its use for training.
    #[arg(long)]
    keep_opt_out: bool,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = FilterDocumentsConfig {
        documents: arguments.documents,
        out: arguments.out,
        profile: arguments.profile,
        words: arguments.words,
        mask: if arguments.mask_strict { Mask::Strict } else { Mask::Contact },
        keep_opt_out: arguments.keep_opt_out,
        ..FilterDocumentsConfig::default()
    };
    cli::run(|| cli::with_threads(arguments.threads, || runner::run::<FilterDocuments>(config, &Context::new())))
}

//! Builds image-text pairs from documents and their pictures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::interleave::PairConfig;
use tsumugi::pipeline::steps::build_pairs::{BuildPairsConfig, build_pairs};
use tsumugi::pipeline::{Error, Progress, cli};

/// Build image-text pairs.
#[derive(Parser)]
struct Arguments {
    /// Folder with the table of documents.
    #[arg(long, value_name = "DIR")]
    documents: PathBuf,
    /// Folder with the tables of images and fetches.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT` once or more: a folder, or a repository at the Hugging Face hub.
    #[arg(long, value_name = "SCORER", default_value = "none")]
    scorer: Vec<String>,
    /// A probe over the first scorer's pictures that finds what is not safe for work (a safetensors file).
    #[arg(long, value_name = "PROBE")]
    nsfw: Option<PathBuf>,
    /// Recipe: paper, mmc4, obelics, waon, or a TOML file.
    #[arg(long, default_value = "paper")]
    profile: String,
    /// Adult words, one a line; texts with one of them are dropped.
    #[arg(long, value_name = "FILE")]
    adult_words: Option<PathBuf>,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::run(|| {
        let mut recipe = PairConfig::profile(&arguments.profile).map_err(Error::setting("--profile"))?;
        recipe.text.adult_words = arguments.adult_words;
        let config = BuildPairsConfig {
            documents: arguments.documents,
            images: arguments.images,
            out: arguments.out,
            scorers: arguments.scorer,
            nsfw: arguments.nsfw,
            recipe,
        };
        cli::with_threads(arguments.threads, || build_pairs(&config, &Progress::new()))
    })
}

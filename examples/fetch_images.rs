//! Fetches the pictures that documents name, out of archives or folders, and over HTTP.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::images::fetch::HttpConfig;
use tsumugi::pipeline::steps::fetch_images::{FetchImagesConfig, fetch_images};
use tsumugi::pipeline::{Progress, cli};

/// Fetch the pictures of documents.
#[derive(Parser)]
struct Arguments {
    /// Folder with the table of documents.
    #[arg(long, value_name = "DIR")]
    documents: PathBuf,
    /// Where pictures come from: `warc:FILE` (or a folder of archives), `dir:FOLDER` (laid out as HOST/PATH), and `http` for
    /// what these do not have.
    #[arg(long, value_name = "SOURCE", num_args = 1.., required = true)]
    from: Vec<String>,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Over HTTP: an address or page by which the owner of a site reaches you; part of the User-Agent.
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Over HTTP: requests at a time.
    #[arg(long, value_name = "N", default_value_t = HttpConfig::default().connections)]
    connections: usize,
    /// Over HTTP: requests at a time to one host.
    #[arg(long, value_name = "N", default_value_t = HttpConfig::default().per_host)]
    per_host: usize,
    /// Over HTTP: domains of which more pictures are wanted are left out; 0 leaves out none.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    most_per_domain: u64,
    /// Over HTTP: reach addresses of private networks too.
    #[arg(long)]
    allow_private: bool,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut http = HttpConfig {
        connections: arguments.connections,
        per_host: arguments.per_host,
        allow_private: arguments.allow_private,
        ..HttpConfig::default()
    };
    http.contact = arguments.contact.unwrap_or(http.contact);
    let config = FetchImagesConfig {
        documents: arguments.documents,
        from: arguments.from,
        out: arguments.out,
        http,
        most_per_domain: (arguments.most_per_domain > 0).then_some(arguments.most_per_domain),
        ..FetchImagesConfig::default()
    };
    cli::run(|| cli::with_threads(arguments.threads, || fetch_images(&config, &Progress::new())))
}

//! Fetches the pictures that documents name, out of archives or folders, and over HTTP.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::images::fetch::HttpConfig;
use tsumugi::pipeline::steps::fetch_images::{FetchImagesConfig, FetchImages};
use tsumugi::pipeline::{Context, cli, runner};

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
    #[command(flatten)]
    http: Http,
    /// Threads; 0 is one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// How pictures are fetched over HTTP.
#[derive(clap::Args)]
struct Http {
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
}

impl Http {
    fn apply(self, config: &mut FetchImagesConfig) {
        let contact = self.contact.unwrap_or_else(|| config.http.contact.clone());
        config.http = HttpConfig {
            contact,
            connections: self.connections,
            per_host: self.per_host,
            allow_private: self.allow_private,
            ..HttpConfig::default()
        };
        config.most_per_domain = (self.most_per_domain > 0).then_some(self.most_per_domain);
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut config = FetchImagesConfig {
        documents: arguments.documents,
        from: arguments.from,
        out: arguments.out,
        ..FetchImagesConfig::default()
    };
    arguments.http.apply(&mut config);
    cli::run(|| cli::with_threads(arguments.threads, || runner::run::<FetchImages>(config, &Context::new())))
}

//! Writes instruction data with a vision-language model behind an OpenAI-compatible API.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::chat::Azure;
use tsumugi::pipeline::steps::synthesize::{SynthesizeConfig, synthesize};
use tsumugi::pipeline::{Progress, cli};
use tsumugi::synth::{CheckConfig, Task};

/// Write instruction data with a model behind an OpenAI-compatible API. The key is taken from OPENAI_API_KEY.
#[derive(Parser)]
struct Arguments {
    /// Folder with the table of pairs or images; with annotation files, the folder of the pictures that they name.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// COCO's caption annotations.
    #[arg(long, value_name = "FILE")]
    captions: Option<PathBuf>,
    /// COCO's box annotations.
    #[arg(long, value_name = "FILE")]
    boxes: Option<PathBuf>,
    /// English instructions in LLaVA's form, to translate.
    #[arg(long, value_name = "FILE")]
    instructions: Option<PathBuf>,
    /// Output folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Tasks: conversation, detail, reasoning, photo, vqa, ocr, translate.
    #[arg(long, value_delimiter = ',', default_value = "conversation")]
    task: Vec<Task>,
    /// The endpoint up to `/v1`; else OPENAI_BASE_URL, else OpenAI.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A deployment of Azure OpenAI; the key is then taken from AZURE_OPENAI_API_KEY.
    #[arg(long, value_name = "NAME")]
    azure_deployment: Option<String>,
    /// Version of Azure's API.
    #[arg(long, value_name = "DATE", default_value = "2024-10-21")]
    azure_api_version: String,
    /// The model's name at the endpoint.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Requests in flight at once.
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
    /// Requests a minute; else learned from the server's headers.
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Tokens a minute; else learned from the server's headers.
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u32>,
    /// Attempts after the first of each request; waiting at a rate limit is none.
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// Seed of the sampling; `none` for endpoints that take none.
    #[arg(long, value_name = "N|none", default_value = "0", value_parser = seed, allow_hyphen_values = true)]
    seed: Seed,
    /// Price table (TOML) in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Stop before more than this is spent.
    #[arg(long, value_name = "X")]
    budget_usd: Option<f64>,
    /// Send through the Batch API.
    #[arg(long)]
    batch: bool,
    /// Leave out what stays unanswered after all attempts.
    #[arg(long)]
    give_up: bool,
    /// Folder of prompt files that replace the built-in ones.
    #[arg(long, value_name = "DIR")]
    prompts: Option<PathBuf>,
    /// Files of benchmark questions (lines, or JSON with `question`) to keep out of the data.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    keep_out: Vec<PathBuf>,
    /// Table (TOML) of how models cut pictures into tiles, in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    tiles: Option<PathBuf>,
    /// Ask the model a second time, without the picture, and drop conversations of which fewer than this share of the questions
    /// need it.
    #[arg(long, value_name = "SHARE", num_args = 0..=1, default_missing_value = "0.5")]
    image_needed: Option<f64>,
    /// The model for that second call, if it is to be another.
    #[arg(long, value_name = "NAME")]
    check_model: Option<String>,
}

#[derive(Clone, Copy)]
struct Seed(Option<i64>);

fn seed(text: &str) -> Result<Seed, String> {
    match text {
        "none" => Ok(Seed(None)),
        _ => {
            text.parse().map(|seed| Seed(Some(seed))).map_err(|_| "neither a whole number nor `none`".into())
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let api_version = arguments.azure_api_version;
    let azure = arguments.azure_deployment.map(|deployment| Azure { deployment, api_version });
    let config = SynthesizeConfig {
        images: arguments.images,
        captions: arguments.captions,
        boxes: arguments.boxes,
        instructions: arguments.instructions,
        out: arguments.out,
        tasks: arguments.task,
        base_url: arguments.base_url,
        azure,
        model: arguments.model,
        check_model: arguments.check_model,
        concurrency: arguments.concurrency,
        requests_per_minute: arguments.requests_per_minute,
        tokens_per_minute: arguments.tokens_per_minute,
        max_retries: arguments.max_retries,
        seed: arguments.seed.0,
        prices: arguments.prices,
        budget_usd: arguments.budget_usd,
        batch: arguments.batch,
        give_up: arguments.give_up,
        prompts: arguments.prompts,
        keep_out: arguments.keep_out,
        tiles: arguments.tiles,
        checks: CheckConfig { image_needed: arguments.image_needed, ..CheckConfig::default() },
        ..SynthesizeConfig::default()
    };
    cli::run(|| synthesize(&config, &Progress::new()))
}

//! Writes instruction data with a vision-language model behind an OpenAI-compatible API.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::pipeline::steps::synthesize::{SynthesizeConfig, synthesize};
use tsumugi::pipeline::{Progress, cli};
use tsumugi::synth::Task;

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
    /// The model's name at the endpoint.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Requests in flight at once.
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
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
    /// Files of benchmark questions, one a line, to keep out of the data.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    keep_out: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = SynthesizeConfig {
        images: arguments.images,
        captions: arguments.captions,
        boxes: arguments.boxes,
        instructions: arguments.instructions,
        out: arguments.out,
        tasks: arguments.task,
        base_url: arguments.base_url,
        model: arguments.model,
        concurrency: arguments.concurrency,
        prices: arguments.prices,
        budget_usd: arguments.budget_usd,
        batch: arguments.batch,
        give_up: arguments.give_up,
        prompts: arguments.prompts,
        keep_out: arguments.keep_out,
        ..SynthesizeConfig::default()
    };
    cli::run(|| synthesize(&config, &Progress::new()))
}

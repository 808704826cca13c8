//! Evaluates a model on a benchmark:
//! `cargo run --example evaluate -- --benchmark questions.jsonl --model CHECKPOINT --profile paper --out runs/a`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tsumugi::eval::profile::Profile;
use tsumugi::pipeline::steps::evaluate::{Endpoint, EvaluateConfig, JudgeConfig, Model, evaluate};
use tsumugi::pipeline::{Progress, cli};

/// Lets a model answer a benchmark, scores the answers, and writes tables, results.json and report.html. Run again
/// after a kill or a fault, it asks only what is missing.
#[derive(Parser)]
struct Args {
    /// heron-bench, ja-vlm-bench-in-the-wild, ja-vg-vqa-500, or a JSONL or Parquet file.
    #[arg(long)]
    benchmark: String,
    /// Folder of the Parquet files of a named benchmark; without it they are fetched from the Hugging Face hub (HF_ENDPOINT,
    /// HF_HOME, HF_TOKEN).
    #[arg(long)]
    data: Option<PathBuf>,
    /// A checkpoint's folder; with --base-url the model's name at the endpoint.
    #[arg(long)]
    model: String,
    /// An OpenAI-compatible endpoint that answers, up to /v1. The key is taken from OPENAI_API_KEY.
    #[arg(long)]
    base_url: Option<String>,
    /// The endpoint of the judge; that of --base-url or OPENAI_BASE_URL where absent.
    #[arg(long)]
    judge_base_url: Option<String>,
    /// The judge's name; without it nobody judges.
    #[arg(long)]
    judge_model: Option<String>,
    /// Judge runs over the same answers; the profile's number where absent.
    #[arg(long)]
    judge_runs: Option<u32>,
    /// The judge's prompt: TOML (system, user with {context} {question} {reference} {answer} {rule}), or a reference's own
    /// Python file (heron_bench_scorer.py, llm_as_a_judge_scorer.py, eval_heron_bench.py).
    #[arg(long)]
    judge_template: Option<PathBuf>,
    /// The judge's rules by category: JSON, such as heron's rule.json.
    #[arg(long)]
    judge_rules: Option<PathBuf>,
    /// paper, eval-mm, sakana or heron: the reference whose rules are followed.
    #[arg(long, default_value = "paper")]
    profile: Profile,
    /// Questions answered together by a local checkpoint.
    #[arg(long, default_value_t = 4)]
    batch: usize,
    /// Requests in flight at once.
    #[arg(long)]
    concurrency: Option<usize>,
    /// Money after which each endpoint's client stops.
    #[arg(long)]
    budget_usd: Option<f64>,
    /// Folder of the dictionary unidic-lite.
    #[arg(long)]
    dictionary: Option<PathBuf>,
    /// Folders of training tables (pairs, interleaved, conversations) in which the benchmark is looked for.
    #[arg(long, num_args = 1..)]
    training: Vec<PathBuf>,
    /// A remark at the top of the report.
    #[arg(long)]
    note: Option<String>,
    /// Folder that is written.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (concurrency, budget_usd) = (args.concurrency, args.budget_usd);
    let endpoint = |base_url, model| Endpoint { base_url, model, concurrency, budget_usd };
    let judge = args.judge_model.map(|model| JudgeConfig {
        endpoint: endpoint(args.judge_base_url.or_else(|| args.base_url.clone()), model),
        runs: args.judge_runs,
        template: args.judge_template,
        rules: args.judge_rules,
        ..JudgeConfig::default()
    });
    let model = match args.base_url {
        Some(url) => Model::Api(endpoint(Some(url), args.model)),
        None => Model::Local { model: args.model, batch: args.batch },
    };
    let config = EvaluateConfig {
        benchmark: args.benchmark,
        data: args.data,
        profile: args.profile,
        model,
        judge,
        dictionary: args.dictionary,
        out: args.out,
        note: args.note,
        training: args.training,
        ..EvaluateConfig::default()
    };
    cli::run(|| evaluate(&config, &Progress::new()))
}

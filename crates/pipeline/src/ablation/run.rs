//! The runs, one after the other.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tsumugi_eval::Registry;
use tsumugi_eval::report::comparison_page;
use tsumugi_eval::results::{Comparison, Results, compare};
use tsumugi_record::{write_atomic, write_json};
use tsumugi_train::{Recipe, StageSummary, Trainer};

use super::config::{AblationConfig, Asked, Run};
use super::{sample, share, table};
use crate::steps::evaluate::{EvaluateConfig, JudgeConfig, check_endpoint, check_settings, evaluate};
use crate::{Error, Progress};
use tsumugi_demo::{MODEL, StandIn};

/// Name of the tables' file.
const TABLE: &str = "table.md";

/// What an ablation found.
#[derive(Debug, Serialize)]
pub struct AblationSummary {
    /// The tables as Markdown: scores with intervals, and differences to the first run.
    pub table: PathBuf,
    /// The runs in their order.
    pub runs: Vec<RunSummary>,
    /// The runs side by side on each benchmark.
    pub comparisons: Vec<Comparison>,
    /// True where a loopback stand-in judged, whose points say nothing about quality.
    pub judged_by_stand_in: bool,
    /// The tables themselves.
    #[serde(skip)]
    pub markdown: String,
}

/// One run of an ablation.
#[derive(Debug, Serialize)]
pub struct RunSummary {
    /// Its name.
    pub name: String,
    /// The trained model.
    pub model: PathBuf,
    /// Stages that were taken over from an earlier run.
    pub shared_stages: usize,
    /// All stages, the shared ones included.
    pub stages: Vec<StageSummary>,
    /// The reports by benchmark.
    pub reports: BTreeMap<String, PathBuf>,
}

/// Trains and evaluates every run, and writes `table.md`, `ablation.json` and a page of plots for each benchmark into
/// `out`. An ablation that was stopped goes on where it was.
///
/// # Errors
/// [`Error::Config`] and [`Error::Setting`] where the configuration, a recipe or what they name is at fault, which is found
/// before anything is trained; else the fault of the run that failed. What was done stays.
pub fn run(config: &AblationConfig, out: &Path, progress: &Progress) -> Result<AblationSummary, Error> {
    config.validate()?;
    let data = config.sample.as_ref().map(|_| out.join("data"));
    let folder = |run: &Run| out.join("runs").join(run.folder());
    let recipes: Vec<Recipe> = config
        .runs
        .iter()
        .map(|run| run.recipe(config, data.as_deref(), &folder(run).join("train")))
        .collect::<Result<_, _>>()?;
    if let Some(judge) = config.judge.as_ref().filter(|judge| !judge.stand_in) {
        check_endpoint("judge.base_url", judge.base_url.as_deref())?;
    }
    check_benchmarks(config, &config.benchmarks)?;
    if config.sample.is_some() {
        check_recipes(config, &recipes, Trainer::check_without_data)?;
    }
    fs::create_dir_all(out).map_err(Error::io("create folder", out))?;
    let sampled = config.sample.as_ref().zip(data.as_deref());
    let own = sampled.map(|(sample, data)| sample::write(sample, config, data, progress)).transpose()?;
    let mut asked = config.benchmarks.clone();
    if let Some(benchmark) = own.filter(|_| asked.is_empty()) {
        asked.push(Asked { benchmark: benchmark.display().to_string(), data: None });
        check_benchmarks(config, &asked)?;
    }
    check_recipes(config, &recipes, Trainer::check)?;
    let by_stand_in = config.judge.as_ref().is_some_and(|judge| judge.stand_in);
    let stand_in = by_stand_in.then(StandIn::start).transpose().map_err(Error::step("ablate", "stand-in"))?;
    let address = stand_in.as_ref().map(|server| (server.base_url(), MODEL));
    let judge = config.judge.as_ref().map(|judge| judge.of_step(address));
    let mut runs = Vec::new();
    let mut results: Vec<Vec<(String, Results)>> = vec![Vec::new(); asked.len()];
    for (number, (run, recipe)) in config.runs.iter().zip(&recipes).enumerate() {
        progress.line(&format!("run {} of {}: {}", number + 1, recipes.len(), run.name));
        let shared_stages = share::take_over(&recipes[..number], recipe)?;
        let trained = train(recipe, progress)?;
        let mut reports = BTreeMap::new();
        for (asked, results) in asked.iter().zip(&mut results) {
            let step = step(config, asked, &trained.model, judge.clone(), &folder(run));
            let (_, found) = evaluate(&step, progress)?;
            reports.insert(found.benchmark, found.report);
            results.push((run.name.clone(), found.results));
        }
        let (model, stages) = (trained.model, trained.stages);
        runs.push(RunSummary { name: run.name.clone(), model, shared_stages, stages, reports });
    }
    let comparisons: Vec<Comparison> = results
        .iter()
        .map(|runs| compare(runs, &Registry::default()).map_err(Error::step("ablate", "comparison")))
        .collect::<Result<_, _>>()?;
    conclude(config, out, runs, comparisons, by_stand_in)
}

/// Checks the benchmarks and the judge's prompt.
fn check_benchmarks(config: &AblationConfig, asked: &[Asked]) -> Result<(), Error> {
    let judge = config.judge.as_ref().map(|judge| {
        let stand_in = judge.stand_in.then_some(("http://127.0.0.1/v1", MODEL));
        judge.of_step(stand_in)
    });
    for (index, asked) in asked.iter().enumerate() {
        let step = step(config, asked, Path::new("to be trained"), judge.clone(), Path::new(""));
        check_settings(&format!("benchmarks.{index}"), &step)?;
    }
    Ok(())
}

/// Checks every run's recipe before the first one trains.
fn check_recipes(
    config: &AblationConfig,
    recipes: &[Recipe],
    check: fn(&Trainer) -> tsumugi_train::Result<()>,
) -> Result<(), Error> {
    for (run, recipe) in config.runs.iter().zip(recipes) {
        let place = format!("run {:?}", run.name);
        check(&Trainer::new(recipe.clone())).map_err(|error| crate::steps::train::error(&place, error))?;
    }
    Ok(())
}

fn train(recipe: &Recipe, progress: &Progress) -> Result<tsumugi_train::Summary, Error> {
    let trained = Trainer::new(recipe.clone()).progress(progress.training()).run();
    trained.map_err(|error| crate::steps::train::error(&recipe.out.display().to_string(), error))
}

fn step(
    config: &AblationConfig,
    asked: &Asked,
    model: &Path,
    judge: Option<JudgeConfig>,
    folder: &Path,
) -> EvaluateConfig {
    let name = Path::new(&asked.benchmark).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let note = config.judge.as_ref().is_some_and(|judge| judge.stand_in).then(|| table::STAND_IN.to_owned());
    EvaluateConfig {
        benchmark: asked.benchmark.clone(),
        data: asked.data.clone(),
        profile: config.profile,
        model: model.display().to_string(),
        batch: config.batch,
        generation: config.generation,
        judge,
        out: folder.join(format!("evaluation-{}", name.unwrap_or_else(|| "benchmark".to_owned()))),
        note,
        ..EvaluateConfig::default()
    }
}

fn conclude(
    config: &AblationConfig,
    out: &Path,
    runs: Vec<RunSummary>,
    comparisons: Vec<Comparison>,
    judged_by_stand_in: bool,
) -> Result<AblationSummary, Error> {
    let markdown = table::markdown(config, &runs, &comparisons);
    let table = out.join(TABLE);
    write_atomic(&table, |file| file.write_all(markdown.as_bytes()))?;
    for comparison in &comparisons {
        let page = out.join(format!("comparison-{}.html", comparison.benchmark));
        comparison_page(comparison)
            .write(&page)
            .map_err(Error::step("ablation", page.display().to_string()))?;
    }
    let summary = AblationSummary { table, runs, comparisons, judged_by_stand_in, markdown };
    write_json(&out.join("ablation.json"), &summary)?;
    Ok(summary)
}

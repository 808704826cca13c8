//! The steps, one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use tsumugi_eval::bench::Benchmark;
use tsumugi_eval::results::Results;
use tsumugi_interleave::{InterleavedConfig, PairConfig};
use tsumugi_text::LanguagePack;
use tsumugi_train::{Recipe, Trainer};

use super::endpoints::Endpoints;
use super::records::list_records;
use super::{Api, FullRunConfig, Until};
use crate::runner::{self, Summary};
use crate::steps::build_interleaved::{BuildInterleaved, BuildInterleavedConfig};
use crate::steps::build_pairs::{BuildPairs, BuildPairsConfig};
use crate::steps::evaluate::{EvaluateConfig, JudgeConfig, check_endpoint, check_settings, evaluate};
use crate::steps::extract_documents::{ExtractDocuments, ExtractDocumentsConfig};
use crate::steps::fetch_images::{FetchImages, FetchImagesConfig};
use crate::steps::filter_documents::{FilterDocuments, FilterDocumentsConfig};
use crate::steps::synthesize::{Synthesize, SynthesizeConfig};
use crate::{Context, Error, Progress, with_threads};

/// What a full run did.
#[derive(Debug, Serialize)]
pub struct FullRunSummary {
    /// The page to look at.
    pub report: PathBuf,
    /// What each step did.
    pub steps: Vec<Summary>,
    /// The stages of training.
    pub training: Option<tsumugi_train::Summary>,
    /// Scores by metric: value and 95 % interval.
    pub scores: std::collections::BTreeMap<String, (f64, f64, f64)>,
    /// Named where the loopback stand-in took the place of an API.
    pub stand_in: Vec<&'static str>,
    /// Seconds this call took.
    pub seconds: f64,
}

/// What has been done so far; the report is made of it.
#[derive(Default)]
pub(super) struct Done {
    pub(super) out: PathBuf,
    pub(super) summaries: Vec<Summary>,
    pub(super) training: Option<tsumugi_train::Summary>,
    pub(super) verdict: Option<(Benchmark, Results)>,
    pub(super) writer_is_stand_in: bool,
    pub(super) judge_is_stand_in: bool,
    scores: std::collections::BTreeMap<String, (f64, f64, f64)>,
}

/// Runs all steps up to [`FullRunConfig::until`] and writes the report. A run that was stopped goes on where it was.
///
/// # Errors
/// Where a setting, the recipe or what it names is at fault, which is found before the first step but for the recipe's data; or
/// where a step fails; what the steps before it made stays.
pub fn run(config: &FullRunConfig, context: &Context) -> Result<FullRunSummary, Error> {
    let progress = &context.progress;
    let started = Instant::now();
    pack(config)?;
    let recipe = recipe(config)?;
    check(config, &recipe)?;
    fs::create_dir_all(&config.out).map_err(Error::io("create folder", &config.out))?;
    let mut done = Done { out: config.out.clone(), ..Done::default() };
    with_threads(config.threads, || data_steps(config, context, &mut done))?;
    if config.until >= Until::Synthesize {
        model_steps(config, recipe, progress, &mut done)?;
    }
    let report = super::report::write(&done, &config.language)?;
    let stand_in = [(done.writer_is_stand_in, "synthesize"), (done.judge_is_stand_in, "judge")];
    Ok(FullRunSummary {
        report,
        steps: done.summaries,
        training: done.training,
        scores: done.scores,
        stand_in: stand_in.into_iter().filter_map(|(is, what)| is.then_some(what)).collect(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Reads the recipe first of all: a wrong key is found before an hour of data work, not after.
fn recipe(config: &FullRunConfig) -> Result<Recipe, Error> {
    let mut recipe = Recipe::from_toml(&config.recipe, &config.set).map_err(Error::setting("recipe"))?;
    recipe.out = config.out.join("train");
    for stage in &mut recipe.stages {
        for (index, data) in stage.data.iter_mut().enumerate() {
            if !TABLES.contains(&data.source.as_str()) {
                let (key, tables) = (format!("stage {}: data.{index}.source", stage.name), TABLES.join(", "));
                let reason = format!("is {:?}, but a full run makes {tables}", data.source);
                return Err(Error::config(key, reason));
            }
            data.path = config.out.join(&data.source);
        }
    }
    Ok(recipe)
}

/// The tables for training that a full run makes.
const TABLES: [&str; 3] = ["pairs", "interleaved", "conversations"];

/// Checks what the last steps need as far as it is there, so that a mistake is found before hours of data work.
fn check(config: &FullRunConfig, recipe: &Recipe) -> Result<(), Error> {
    for (key, api) in [("api.base_url", &config.api), ("judge.base_url", &config.judge)] {
        api.as_ref().map_or(Ok(()), |api| check_endpoint(key, Some(&api.base_url)))?;
    }
    if config.until >= Until::Train {
        let checked = Trainer::new(recipe.clone()).check_without_data();
        checked.map_err(|error| crate::steps::train::error("recipe", error))?;
    }
    if config.until >= Until::Evaluate
        && let Some(benchmark) = &config.benchmark
    {
        let stand_in =
            Api { base_url: "http://127.0.0.1/v1".to_owned(), model: tsumugi_demo::MODEL.to_owned() };
        let judge = config.judge.as_ref().unwrap_or(&stand_in);
        check_settings("benchmark", &evaluation(config, benchmark, Path::new("to be trained"), judge, None))?;
    }
    Ok(())
}

/// The language pack of the run.
fn pack(config: &FullRunConfig) -> Result<LanguagePack, Error> {
    LanguagePack::open(&config.language).map_err(Error::setting("language"))
}

fn archives(config: &FullRunConfig) -> Result<Vec<PathBuf>, Error> {
    if !config.warc.is_empty() {
        return Ok(config.warc.clone());
    }
    let folder = config.out.join("sample");
    fs::create_dir_all(&folder).map_err(Error::io("create folder", &folder))?;
    let path = folder.join("sample.warc.gz");
    if !path.exists() {
        tsumugi_demo::write_sample(&path, config.pages, &config.language)
            .map_err(Error::step("sample", path.display().to_string()))?;
    }
    Ok(vec![path])
}

fn data_steps(config: &FullRunConfig, context: &Context, done: &mut Done) -> Result<(), Error> {
    let warc = archives(config)?;
    let out = |name: &str| config.out.join(name);
    let until = config.until;
    done.summaries.push(list_records(&warc, &context.progress)?);
    if until >= Until::ExtractDocuments {
        let step = ExtractDocumentsConfig {
            warc: warc.clone(),
            out: out("documents"),
            language: config.language.clone(),
            ..Default::default()
        };
        done.summaries.push(runner::run::<ExtractDocuments>(step, context)?);
    }
    if until >= Until::FilterDocuments {
        let step = FilterDocumentsConfig {
            documents: out("documents"),
            out: out("filtered"),
            profile: match &config.profile {
                Some(profile) => profile.clone(),
                None => pack(config)?.manifest().profiles.documents.clone(),
            },
            ..Default::default()
        };
        done.summaries.push(runner::run::<FilterDocuments>(step, context)?);
    }
    if until >= Until::FetchImages {
        let from = warc.iter().map(|p| format!("warc:{}", p.display())).collect();
        let step =
            FetchImagesConfig { documents: out("filtered"), from, out: out("images"), ..Default::default() };
        done.summaries.push(runner::run::<FetchImages>(step, context)?);
    }
    if until >= Until::BuildPairs {
        let step = BuildPairsConfig {
            documents: out("filtered"),
            images: out("images"),
            out: out("pairs"),
            recipe: PairConfig { language: config.language.clone(), ..PairConfig::default() },
            ..Default::default()
        };
        done.summaries.push(runner::run::<BuildPairs>(step, context)?);
    }
    if until >= Until::BuildInterleaved {
        let step = BuildInterleavedConfig {
            documents: out("filtered"),
            images: out("images"),
            out: out("interleaved"),
            recipe: InterleavedConfig { language: config.language.clone(), ..InterleavedConfig::default() },
            ..Default::default()
        };
        done.summaries.push(runner::run::<BuildInterleaved>(step, context)?);
    }
    Ok(())
}

fn model_steps(
    config: &FullRunConfig,
    recipe: Recipe,
    progress: &Progress,
    done: &mut Done,
) -> Result<(), Error> {
    let endpoints = Endpoints::start(config.api.as_ref(), config.judge.as_ref())?;
    done.writer_is_stand_in = endpoints.writer_is_stand_in;
    let step = SynthesizeConfig {
        images: Some(config.out.join("pairs")),
        out: config.out.join("conversations"),
        tasks: config.tasks.clone(),
        language: config.language.clone(),
        base_url: Some(endpoints.writer.base_url.clone()),
        model: endpoints.writer.model.clone(),
        ..Default::default()
    };
    let context = Context::new().with_progress(progress.clone());
    done.summaries.push(runner::run::<Synthesize>(step, &context)?);
    if config.until >= Until::Train {
        let place = config.out.join("train").display().to_string();
        let trained = Trainer::new(recipe).progress(progress.training()).run();
        done.training = Some(trained.map_err(|error| crate::steps::train::error(&place, error))?);
    }
    if config.until >= Until::Evaluate {
        done.judge_is_stand_in = endpoints.judge_is_stand_in;
        evaluate_model(config, &endpoints, progress, done)?;
    }
    Ok(())
}

fn evaluate_model(
    config: &FullRunConfig,
    endpoints: &Endpoints,
    progress: &Progress,
    done: &mut Done,
) -> Result<(), Error> {
    let Some(training) = &done.training else { return Ok(()) };
    let benchmark = match &config.benchmark {
        Some(file) => file.clone(),
        None => sample_benchmark(&config.out.join("sample"), &config.language)?,
    };
    let note = endpoints.judge_is_stand_in.then(|| {
        "The judge of this run is a loopback stand-in that follows fixed rules; its points say nothing about quality.".to_owned()
    });
    let step = evaluation(config, &benchmark, &training.model, &endpoints.judge, note);
    let (summary, found) = evaluate(&step, progress)?;
    done.summaries.push(summary);
    done.scores = found.scores;
    done.verdict = Some((found.loaded, found.results));
    Ok(())
}

fn evaluation(
    config: &FullRunConfig,
    benchmark: &Path,
    model: &Path,
    judge: &Api,
    note: Option<String>,
) -> EvaluateConfig {
    let judge = JudgeConfig {
        base_url: Some(judge.base_url.clone()),
        model: judge.model.clone(),
        runs: Some(1),
        language: Some(config.language.clone()),
        ..Default::default()
    };
    EvaluateConfig {
        benchmark: benchmark.display().to_string(),
        model: model.display().to_string(),
        batch: 8,
        judge: Some(judge),
        out: config.out.join("evaluation"),
        note,
        ..Default::default()
    }
}

/// The benchmark of the embedded sample, made once.
fn sample_benchmark(folder: &Path, language: &str) -> Result<PathBuf, Error> {
    fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
    tsumugi_demo::write_benchmark(folder, language)
        .map_err(Error::step("sample", folder.display().to_string()))
}

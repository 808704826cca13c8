//! Step `evaluate`: a model answers a benchmark, the answers are scored, a judge gives points.
//!
//! The first phase asks the model, the second the judge. The step writes the tables `predictions` and `judgements/`,
//! `results.json` and `report.html`. Questions that a server refused, and those whose image cannot be read, are in `excluded/`;
//! the replies of endpoints are kept in `cache/`, so that a run repeated or resumed asks only what is missing.

mod answer;
#[cfg(feature = "train")]
mod check;
mod config;
mod endpoint;
mod judging;
mod results;
mod training;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Runtime;
use tsumugi_eval::Registry;
use tsumugi_eval::bench::{Benchmark, LoadRequest};
use tsumugi_eval::profile::Generation;
use tsumugi_eval::scorer::{Resources, Scorer};
use tsumugi_record::{Record, ShardReader, shards};

use crate::runner::{self, Inputs, Phase, Step, Summary, Work, content_hash};
use crate::steps::once::once;
use crate::{Context, Error, Group, Progress};
use answer::Answerers;
use judging::Judges;

#[cfg(feature = "train")]
pub(crate) use check::{check_endpoint, check_settings};
pub use config::{EvaluateConfig, JudgeConfig};
pub use results::Evaluation;

const STEP: &str = "evaluate";

/// The step.
pub struct Evaluate {
    settings: EvaluateConfig,
    registry: Registry,
    benchmark: Benchmark,
    scorers: Vec<Arc<dyn Scorer>>,
    resources: Resources,
    generation: Generation,
    /// What each prediction says of how it was made.
    answered_with: serde_json::Value,
    judges: Option<Judges>,
    answerers: Answerers,
    runtime: OnceLock<Runtime>,
    evaluation: OnceLock<Evaluation>,
}

/// Answers, judges and scores with the built-in benchmarks and scorers. Run again after a kill or a fault, it asks only what
/// is missing.
///
/// # Errors
/// [`Error::Config`] where the configuration makes no sense; [`Error::Step`] where the dictionary is missing, an
/// endpoint does not answer, or a model fails.
pub fn evaluate(config: &EvaluateConfig, progress: &Progress) -> Result<(Summary, Evaluation), Error> {
    let mut inputs = Inputs::default();
    let step = Evaluate::with_registry(config.clone(), Registry::default(), &mut inputs)?;
    let context = Context::new().with_progress(progress.clone());
    let summary = runner::run_opened(&step, config, inputs, &context)?;
    Ok((summary, step.into_evaluation(progress)?))
}

impl Step for Evaluate {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Evaluates a model on a benchmark: answers, scores, a judge's points";
    type Settings = EvaluateConfig;

    fn out(settings: &EvaluateConfig) -> &Path {
        &settings.out
    }

    fn open(settings: EvaluateConfig, inputs: &mut Inputs, _: &Context) -> Result<Evaluate, Error> {
        Evaluate::with_registry(settings, Registry::default(), inputs)
    }

    fn phases(&self) -> Vec<Phase<Evaluate>> {
        let mut phases = vec![Phase::map("answer", Evaluate::answer_shards, Evaluate::answer)];
        if self.judges.is_some() {
            phases.push(Phase::map("judge", Evaluate::judge_shards, Evaluate::judge));
        }
        phases
    }

    fn conclude(&self, work: &Work, summary: &mut Summary) -> Result<(), Error> {
        let evaluation = once(&self.evaluation, || self.evaluation(work.progress()))?;
        summary.add(evaluation)?;
        evaluation.check()
    }
}

impl Evaluate {
    /// Opens the step with the benchmarks and scorers of a registry, for [`runner::run_opened`].
    ///
    /// # Errors
    /// Where a setting is wrong, or the benchmark, a scorer's resources or the judge's prompt cannot be loaded.
    pub fn with_registry(
        settings: EvaluateConfig,
        registry: Registry,
        inputs: &mut Inputs,
    ) -> Result<Evaluate, Error> {
        let benchmark = load_benchmark(&settings, &registry)?;
        check(&settings)?;
        let names = match &settings.metrics[..] {
            [] => settings.profile.metrics(),
            names => names.to_vec(),
        };
        let scorers = registry.scorers(&names).map_err(failed("metrics"))?;
        let mut resources = Resources::default();
        if let Some(folder) = &settings.dictionary {
            resources = resources.with_dictionary(folder);
        }
        // What scoring needs is loaded before a model is asked.
        scorers.iter().try_for_each(|scorer| scorer.prepare(&resources)).map_err(failed("metrics"))?;
        let judges =
            settings.judge.as_ref().map(|judge| Judges::new(&settings, judge, &benchmark)).transpose()?;
        let generation = settings.generation.unwrap_or(settings.profile.settings().generation);
        let answered_with = serde_json::json!({
            "answered_by": if settings.base_url.is_some() { "api" } else { "local" },
            "profile": settings.profile,
            "max_tokens": generation.max_tokens,
            "beams": generation.beams,
            "repetition_penalty": generation.repetition_penalty,
            "temperature": 0,
        });
        let step = Evaluate {
            settings,
            registry,
            benchmark,
            scorers,
            resources,
            generation,
            answered_with,
            judges,
            answerers: Answerers::default(),
            runtime: OnceLock::new(),
            evaluation: OnceLock::new(),
        };
        step.declare(inputs)?;
        Ok(step)
    }

    fn declare(&self, inputs: &mut Inputs) -> Result<(), Error> {
        // A checkpoint and an endpoint of one name are asked in shards of different sizes.
        inputs.resolved("answered_by", &self.settings.base_url.as_ref().map_or("local", |_| "api"))?;
        inputs.resolved("benchmark", &self.benchmark.name)?;
        inputs.hashes("benchmark", [("questions".to_owned(), self.benchmark.digest())]);
        // What the folder holds is in the digest of the questions.
        inputs.hashes("data", []);
        inputs.resolved("generation", &self.generation)?;
        if let Some(judges) = &self.judges {
            inputs.resolved("judge", &(&judges.settings, judges.judging.runs))?;
        }
        let model = Path::new(&self.settings.model);
        if self.settings.base_url.is_none() && model.is_dir() && inputs.are_hashed() {
            let hash = |file: &PathBuf| {
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
                Ok((name.unwrap_or_default(), content_hash(file)?))
            };
            let hashes: Result<Vec<_>, Error> = weight_files(model)?.iter().map(hash).collect();
            inputs.hashes("model", hashes?);
        }
        Ok(())
    }

    /// What was found, once the step has run.
    ///
    /// # Errors
    /// Where the tables cannot be scored.
    pub fn into_evaluation(mut self, progress: &Progress) -> Result<Evaluation, Error> {
        match self.evaluation.take() {
            Some(evaluation) => Ok(evaluation),
            None => self.evaluation(progress),
        }
    }
}

fn load_benchmark(settings: &EvaluateConfig, registry: &Registry) -> Result<Benchmark, Error> {
    if settings.benchmark.is_empty() {
        return Err(Error::config(
            "benchmark",
            "name one (heron-bench, ja-vlm-bench-in-the-wild, ja-vg-vqa-500) or a JSONL or Parquet file",
        ));
    }
    let request = LoadRequest::new(settings.profile).with_data(settings.data.as_deref());
    let benchmark =
        registry.load_benchmark(&settings.benchmark, &request).map_err(failed(&settings.benchmark))?;
    for row in &benchmark.dropped {
        tracing::warn!("{}: line {} is no question: {}", row.path.display(), row.line, row.reason);
    }
    Ok(benchmark)
}

fn check(settings: &EvaluateConfig) -> Result<(), Error> {
    if let Some(folder) = settings.training.iter().find(|folder| !folder.is_dir()) {
        return Err(Error::config(
            folder.display().to_string(),
            "training data is looked for in folders, and this is none",
        ));
    }
    if settings.model.is_empty() {
        return Err(Error::config("model", "name a checkpoint, or an endpoint (`base_url`) and its model"));
    }
    Ok(())
}

fn failed(place: impl Into<String>) -> impl FnOnce(tsumugi_eval::Error) -> Error {
    let place = place.into();
    move |error| match error {
        tsumugi_eval::Error::Config(reason) => Error::config(place, reason),
        error
        @ (tsumugi_eval::Error::UnknownScorer { .. } | tsumugi_eval::Error::UnknownBenchmark { .. }) => {
            Error::setting(place)(error)
        }
        error => Error::step(STEP, place)(error),
    }
}

fn read_table<R: Record>(folder: &Path) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    if folder.is_dir() {
        for shard in shards(folder, R::KIND)? {
            rows.extend(ShardReader::<R>::open(&shard)?.read_all()?);
        }
    }
    Ok(rows)
}

fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("read folder", folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "safetensors" || e == "json"));
    files.sort();
    Ok(files)
}

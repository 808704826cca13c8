//! Step `evaluate`: a model answers a benchmark, the answers are scored, a judge gives points.
//!
//! It writes the tables `predictions` and `judgements/`, `results.json` and `report.html`. Questions that a server
//! refused are in `excluded/`; the replies of endpoints are kept in `cache/`, so that a run repeated or resumed asks only
//! what is missing.

mod config;
mod training;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "train")]
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::runtime::Runtime;
use tsumugi_chat::{Client, ClientConfig};
use tsumugi_eval::Registry;
#[cfg(feature = "train")]
use tsumugi_eval::answer::LocalAnswerer;
use tsumugi_eval::answer::{Answer, ApiAnswerer};
use tsumugi_eval::bench::{Benchmark, LoadRequest, Question};
use tsumugi_eval::judge::{FailureKind, Judge, JudgeSettings, Template, failure_kind};
use tsumugi_eval::profile::{Generation, Judging, Profile};
use tsumugi_eval::results::{Results, Run, score, set_contamination};
use tsumugi_eval::scorer::{Resources, Scorer};
use tsumugi_record::{Excluded, Judgement, Prediction, Record, ShardReader, shards};

use crate::runner::{Opened, OutputFolder, Outputs, Stage, Summary, content_hash};
use crate::{Error, Progress};

pub use config::{Endpoint, EvaluateConfig, JudgeConfig, Model};

const STEP: &str = "evaluate";
/// Which questions are answered.
const QUESTIONS: Stage = Stage { name: "questions", unit: "questions" };
/// Questions whose answers by a local checkpoint are kept together: what a kill loses at most, and the largest batch.
#[cfg(feature = "train")]
const LOCAL_CHUNK: usize = 32;

/// What an evaluation found.
#[derive(Debug, Clone, Serialize)]
pub struct EvaluateSummary {
    /// Counts of the step.
    #[serde(flatten)]
    pub summary: Summary,
    /// Name of the benchmark.
    pub benchmark: String,
    /// The profile.
    pub profile: Profile,
    /// Who answered.
    pub model: String,
    /// Score and 95 % interval by metric.
    pub scores: BTreeMap<String, (f64, f64, f64)>,
    /// Judgements that failed: replies that could not be read, and such as were not given.
    pub failed_judgements: usize,
    /// Questions of which something was found in training data, where that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contaminated: Option<usize>,
    /// The page to look at.
    pub report: PathBuf,
    /// Everything, as in `results.json`.
    #[serde(skip)]
    pub results: Option<Results>,
    /// The benchmark as it was loaded.
    #[serde(skip)]
    pub loaded: Benchmark,
}

/// Answers, judges and scores. Run again after a kill or a fault, it asks only what is missing.
///
/// # Errors
/// [`Error::Config`] where the configuration makes no sense; [`Error::Step`] where the dictionary is missing, an
/// endpoint does not answer, or a model fails.
pub fn evaluate(config: &EvaluateConfig, progress: &Progress) -> Result<EvaluateSummary, Error> {
    evaluate_with(config, &Registry::default(), progress)
}

/// [`evaluate`] with the benchmarks and scorers of a registry.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_with(
    config: &EvaluateConfig,
    registry: &Registry,
    progress: &Progress,
) -> Result<EvaluateSummary, Error> {
    let plan = Plan::new(config, registry)?;
    let summary = match OutputFolder::open(STEP, &config.out, &plan.identity, plan.inputs()?)? {
        Opened::Finished(summary) => summary,
        Opened::Work(step) => {
            plan.answer(&step, progress)?;
            plan.judge(&step, progress)?;
            step.finish()?
        }
    };
    plan.conclude(summary, progress)
}

/// What decides the result besides the files: the rest of the configuration may change when a run is resumed.
#[derive(Serialize)]
struct Identity {
    benchmark: String,
    profile: Profile,
    model: String,
    generation: Generation,
    judge: Option<JudgeSettings>,
    runs: u32,
}

struct Plan<'a> {
    config: &'a EvaluateConfig,
    registry: &'a Registry,
    benchmark: Benchmark,
    scorers: Vec<Arc<dyn Scorer>>,
    resources: Resources,
    identity: Identity,
    judging: Option<Judging>,
    settings: String,
}

/// The judge's prompt where it is not the profile's own.
fn template(
    wanted: &JudgeConfig,
    profile: Profile,
    judging: Judging,
) -> Result<Option<Template>, tsumugi_eval::Error> {
    let template = wanted.template.as_deref().map(Template::read).transpose()?;
    let Some(rules) = &wanted.rules else { return Ok(template) };
    let template = match template {
        Some(template) => template,
        None => JudgeSettings { language: wanted.language.clone(), ..JudgeSettings::default() }
            .builtin_template(profile, judging.style)?,
    };
    template.with_rules(rules).map(Some)
}

/// The judge that is asked for, and what the profile says about judging.
fn judge_of(
    config: &EvaluateConfig,
    wanted: &JudgeConfig,
    benchmark: &Benchmark,
) -> Result<(JudgeSettings, Judging), Error> {
    let by_profile = config.profile.judging(benchmark.judge).ok_or_else(|| {
        let (profile, name) = (config.profile, &benchmark.name);
        Error::config(
            "judge",
            format!(
                "profile {profile} has no judge for {name}; take another profile, or leave the judge out"
            ),
        )
    })?;
    if wanted.endpoint.model.is_empty() {
        return Err(Error::config("judge", "name the model that judges"));
    }
    let template = template(wanted, config.profile, by_profile).map_err(failed("judge's prompt"))?;
    if let Some(template) = &template {
        template.check(&benchmark.questions).map_err(failed("judge's prompt"))?;
    }
    let judging = Judging { runs: wanted.runs.unwrap_or(by_profile.runs).max(1), ..by_profile };
    let (model, runs, language) = (wanted.endpoint.model.clone(), wanted.runs, wanted.language.clone());
    Ok((JudgeSettings { model, runs, language, template, ..JudgeSettings::default() }, judging))
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

impl<'a> Plan<'a> {
    fn new(config: &'a EvaluateConfig, registry: &'a Registry) -> Result<Self, Error> {
        if config.benchmark.is_empty() {
            return Err(Error::config(
                "benchmark",
                "name one (heron-bench, ja-vlm-bench-in-the-wild, ja-vg-vqa-500) or a JSONL or Parquet file",
            ));
        }
        let request = LoadRequest::new(config.profile).with_data(config.data.as_deref());
        let benchmark =
            registry.load_benchmark(&config.benchmark, &request).map_err(failed(&config.benchmark))?;
        if let Some(folder) = config.training.iter().find(|folder| !folder.is_dir()) {
            return Err(Error::config(
                folder.display().to_string(),
                "training data is looked for in folders, and this is none",
            ));
        }
        let metrics = config.metrics.clone().unwrap_or_else(|| config.profile.metrics());
        let scorers = registry.scorers(&metrics).map_err(failed("metrics"))?;
        let mut resources = Resources::default();
        if let Some(folder) = &config.dictionary {
            resources = resources.with_dictionary(folder);
        }
        // What scoring needs is loaded before a model is asked.
        scorers.iter().try_for_each(|scorer| scorer.prepare(&resources)).map_err(failed("metrics"))?;
        let (model, kind) = match &config.model {
            Model::Local { model, .. } => (model.clone(), "local"),
            Model::Api(endpoint) => (endpoint.model.clone(), "api"),
        };
        if model.is_empty() {
            return Err(Error::config(
                "model",
                "name a checkpoint, or an endpoint (`base_url`) and its model",
            ));
        }
        let judge = config.judge.as_ref().map(|wanted| judge_of(config, wanted, &benchmark)).transpose()?;
        let (judge, judging) = judge.unzip();
        let generation = config.generation.unwrap_or(config.profile.settings().generation);
        let settings = serde_json::json!({
            "answered_by": kind,
            "profile": config.profile,
            "max_tokens": generation.max_tokens,
            "beams": generation.beams,
            "repetition_penalty": generation.repetition_penalty,
            "temperature": 0,
        })
        .to_string();
        let runs = judging.map_or(0, |judging| judging.runs);
        let identity = Identity {
            benchmark: benchmark.name.clone(),
            profile: config.profile,
            model,
            generation,
            judge,
            runs,
        };
        Ok(Self { config, registry, benchmark, scorers, resources, identity, judging, settings })
    }

    fn inputs(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut inputs = BTreeMap::from([("questions".to_owned(), self.benchmark.digest())]);
        if let Model::Local { model, .. } = &self.config.model
            && Path::new(model).is_dir()
        {
            for file in weight_files(Path::new(model))? {
                let name =
                    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                inputs.insert(name, content_hash(&file)?);
            }
        }
        Ok(inputs)
    }

    fn answer(&self, step: &OutputFolder, progress: &Progress) -> Result<(), Error> {
        match &self.config.model {
            Model::Api(endpoint) => {
                let runtime = runtime()?;
                let client = client(endpoint, &self.config.out.join("cache/answers"))?;
                let answerer = ApiAnswerer::new(&client, endpoint.model.as_str(), self.identity.generation);
                self.answer_by(step, progress, 64, |questions| runtime.block_on(answerer.answer(questions)))
            }
            #[cfg(feature = "train")]
            Model::Local { model, batch } => {
                // Loaded only if there is something left to answer. One batch at a time: LibTorch spreads each over the
                // cores by itself.
                let loaded: Mutex<Option<LocalAnswerer>> = Mutex::new(None);
                self.answer_by(step, progress, LOCAL_CHUNK, |questions| {
                    let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
                    let answerer = match loaded.take() {
                        Some(answerer) => answerer,
                        None => LocalAnswerer::load(model, self.identity.generation, *batch)?,
                    };
                    let answers = loaded.insert(answerer).answer(questions)?;
                    Ok(answers.into_iter().map(Answer::Text).collect())
                })
            }
            #[cfg(not(feature = "train"))]
            Model::Local { .. } => Err(Error::config(
                "model",
                "this build has no LibTorch; build with feature `train` to evaluate a checkpoint, or name an endpoint (`base_url`)",
            )),
        }
    }

    fn answer_by(
        &self,
        step: &OutputFolder,
        progress: &Progress,
        chunk: usize,
        answer: impl Fn(&[Question]) -> Result<Vec<Answer>, tsumugi_eval::Error> + Sync,
    ) -> Result<(), Error> {
        let chunks: Vec<&[Question]> = self.benchmark.questions.chunks(chunk).collect();
        step.phase("answer", &chunks, progress, |_, questions, outputs| {
            let answers = answer(questions).map_err(failed(&self.benchmark.name))?;
            self.keep_answers(questions, answers, outputs)
        })
    }

    fn keep_answers(
        &self,
        questions: &[Question],
        answers: Vec<Answer>,
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let missing = answers.iter().filter(|answer| matches!(answer, Answer::Unanswered(_))).count();
        let mut predictions = Vec::new();
        let mut excluded = Vec::new();
        for (question, answer) in questions.iter().zip(answers) {
            match answer {
                Answer::Text(answer) => {
                    outputs.pass(QUESTIONS);
                    predictions.push(self.prediction(question, answer));
                }
                Answer::Refused(why) => {
                    outputs.drop(QUESTIONS, "refused");
                    let (id, step) = (question.id.clone(), STEP.to_owned());
                    excluded.push(Excluded {
                        id,
                        step,
                        reason: "refused".to_owned(),
                        value: Some(why),
                        ..Default::default()
                    });
                }
                Answer::Unanswered(why) => {
                    return Err(incomplete(&format!(
                        "{missing} of {} questions got no answer: {why}",
                        questions.len()
                    )));
                }
            }
        }
        if !excluded.is_empty() {
            outputs.write_all("excluded", excluded)?;
        }
        outputs.write_all("", predictions)
    }

    fn prediction(&self, question: &Question, answer: String) -> Prediction {
        Prediction {
            benchmark: self.benchmark.name.clone(),
            question_id: question.id.clone(),
            category: question.category.clone(),
            question: question.question.clone(),
            reference: question.reference.clone(),
            answer,
            model: self.identity.model.clone(),
            settings: self.settings.clone(),
        }
    }

    fn judge(&self, step: &OutputFolder, progress: &Progress) -> Result<(), Error> {
        let (Some(config), Some(judging), Some(settings)) =
            (&self.config.judge, self.judging, &self.identity.judge)
        else {
            return Ok(());
        };
        let runtime = runtime()?;
        let client = client(&config.endpoint, &self.config.out.join("cache/judge"))?;
        let judge = Judge::new(&client, settings.clone(), &self.benchmark.name, self.config.profile, judging)
            .map_err(failed("judge's prompt"))?;
        let predictions: Vec<Prediction> = read_table(&self.config.out)?;
        let questions: HashMap<&str, &Question> =
            self.benchmark.questions.iter().map(|q| (q.id.as_str(), q)).collect();
        let asked: Vec<(&Question, &str)> = predictions
            .iter()
            .filter_map(|p| Some((*questions.get(p.question_id.as_str())?, p.answer.as_str())))
            .collect();
        let chunks: Vec<(u32, &[(&Question, &str)])> =
            (0..judging.runs).flat_map(|run| asked.chunks(64).map(move |chunk| (run, chunk))).collect();
        step.phase("judge", &chunks, progress, |_, (run, chunk), outputs| {
            let items: Vec<_> = chunk.iter().map(|(question, answer)| (*question, *answer, *run)).collect();
            let judgements = runtime.block_on(judge.judge(&items)).map_err(failed("judge"))?;
            let missing: Vec<&str> = judgements
                .iter()
                .filter_map(|j| j.error.as_deref())
                .filter(|error| failure_kind(error) == FailureKind::Unanswered)
                .collect();
            if let Some(why) = missing.first() {
                return Err(incomplete(&format!(
                    "{} of {} judgements are missing: {why}",
                    missing.len(),
                    judgements.len()
                )));
            }
            outputs.write_all("judgements", judgements)
        })
    }

    /// Scores the tables and writes results and report. Doing so again gives the same.
    fn conclude(&self, summary: Summary, progress: &Progress) -> Result<EvaluateSummary, Error> {
        let out = &self.config.out;
        let predictions: Vec<Prediction> = read_table(out)?;
        let judgements: Vec<Judgement> = read_table(&out.join("judgements"))?;
        let run = Run {
            benchmark: &self.benchmark,
            profile: self.config.profile,
            predictions: &predictions,
            judgements: &judgements,
            judging: self.judging,
        };
        let mut results = score(&run, &self.scorers, &self.resources).map_err(failed("scores"))?;
        if !self.config.training.is_empty() {
            let (folders, how) = (&self.config.training, self.config.contamination);
            let found = training::search(&self.benchmark, folders, how, progress)?;
            set_contamination(&mut results, found, self.registry);
        }
        results.write(out).map_err(failed("results"))?;
        let note = self.config.note.as_deref();
        let report =
            tsumugi_eval::report::write(out, &self.benchmark, &results, &predictions, &judgements, note)
                .map_err(failed("report"))?;
        let scores = results
            .scores
            .iter()
            .map(|score| (score.metric.clone(), (score.score, score.interval.low, score.interval.high)));
        Ok(EvaluateSummary {
            summary,
            benchmark: results.benchmark.clone(),
            profile: results.profile,
            model: results.model.clone(),
            scores: scores.collect(),
            contaminated: results.contamination.as_ref().map(|found| found.questions),
            failed_judgements: results.judge.as_ref().map_or(0, |j| j.unreadable + j.crashes + j.unanswered),
            report,
            results: Some(results),
            loaded: self.benchmark.clone(),
        })
    }
}

/// Something is missing that may be there another time: all else is kept, and the shard is done again.
fn incomplete(what: &str) -> Error {
    Error::step(STEP, "endpoint")(format!(
        "{what}. Replies so far are kept; run again, only what is missing is asked"
    ))
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Error::step(STEP, "threads"))
}

fn client(endpoint: &Endpoint, cache: &Path) -> Result<Client, Error> {
    let config = ClientConfig::from_env(endpoint.base_url.as_deref()).map_err(Error::setting("endpoint"))?;
    let config = ClientConfig {
        cache: Some(cache.to_owned()),
        concurrency: endpoint.concurrency.unwrap_or(config.concurrency),
        budget_usd: endpoint.budget_usd.or(config.budget_usd),
        ..config
    };
    Client::new(config).map_err(|error| match error {
        error @ tsumugi_chat::Error::Config { .. } => Error::setting("endpoint")(error),
        error => Error::step(STEP, "endpoint")(error),
    })
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

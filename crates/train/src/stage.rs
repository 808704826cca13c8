//! One stage: the loop over steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tch::Device;
use tsumugi_vlm::{Vlm, Weights};

use crate::callback::{Action, Callback, CallbackContext};
use crate::checkpoint::{BestSoFar, Checkpoints, StageState};
use crate::collate::{BatchShape, Counts};
use crate::collective::Collective;
use crate::data::{Mixture, random};
use crate::device::synchronize;
use crate::divergence::Divergence;
use crate::engine::{Engine, Updated};
use crate::evaluate::Evaluation;
use crate::flops::measured_peak;
use crate::loader::{End, Loader, LoaderCursor, LoaderParts, StepData};
use crate::metrics::{MetricSink, StepMetrics, peak_memory_mib};
use crate::page::HELD_OUT;
use crate::prepare::{Preparer, SpecialIds};
use crate::progress::Progress;
use crate::recipe::{Best, StageConfig};
use crate::registry::Registry;
use crate::schedule;
use crate::tally::{self, SourceShare};
use crate::watch::Watch;
use crate::{Error, Result};

/// The outcome of a finished stage, besides its weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageDone {
    pub(crate) steps: u64,
    pub(crate) parameters: u64,
    pub(crate) trained_parameters: u64,
    pub(crate) data: LoaderCursor,
    /// The mixture that was trained on.
    #[serde(default)]
    pub(crate) mixture: Vec<SourceShare>,
    pub(crate) watch: Watch,
    /// The lowest held-out loss.
    #[serde(default)]
    pub(crate) best: Option<BestSoFar>,
    /// State of callbacks for the next stage, by name.
    pub(crate) callbacks: BTreeMap<String, serde_json::Value>,
}

/// A stage and everything it runs with.
pub(crate) struct Stage<'a> {
    pub(crate) config: &'a StageConfig,
    pub(crate) registry: &'a Registry,
    pub(crate) preparer: Preparer,
    pub(crate) tokenizer: &'a Path,
    pub(crate) folder: PathBuf,
    /// Folder of the run.
    pub(crate) out: &'a Path,
    /// Updates the run page.
    pub(crate) page: &'a dyn Fn() -> Result<()>,
    /// Peak of the device in operations per second; measured if the recipe does not give it.
    pub(crate) peak: Option<f64>,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) device: Device,
    pub(crate) progress: &'a Progress,
    pub(crate) callbacks: &'a mut [Box<dyn Callback>],
    pub(crate) sinks: &'a mut [Box<dyn MetricSink>],
    pub(crate) collective: &'a dyn Collective,
}

/// Time between two updates of the run page if nothing else updates it.
const BETWEEN_PAGES: Duration = Duration::from_secs(30);

/// The duration of a stage, in steps or in rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    Steps(u64),
    Rows(u64),
}

impl Extent {
    pub(crate) fn of(config: &StageConfig, rows: u64) -> Self {
        let d = &config.duration;
        match (d.steps, d.samples, d.epochs) {
            (Some(steps), ..) => Self::Steps(steps),
            (_, Some(samples), _) => Self::Rows(samples),
            (.., epochs) => Self::Rows(((epochs.unwrap_or(1.0) * rows as f64).round() as u64).max(1)),
        }
    }

    /// What is done, and the total.
    fn progress(self, step: u64, rows: u64) -> (f64, f64) {
        match self {
            Self::Steps(total) => (step as f64, total as f64),
            Self::Rows(total) => (rows as f64, total as f64),
        }
    }
}

/// The data of a step, and how long it was waited for.
struct Fetched {
    data: StepData,
    waited: Duration,
}

/// The data of the step after `step`. None at the end of the stage.
fn fetch(loader: &mut Loader, extent: Extent, step: u64) -> Result<Option<Fetched>> {
    if matches!(extent, Extent::Steps(total) if step >= total) {
        return Ok(None);
    }
    let began = Instant::now();
    let data = loader.next_step()?;
    Ok(data.map(|data| Fetched { data, waited: began.elapsed() }))
}

impl<'a> Stage<'a> {
    /// Trains from `weights`, or from the last checkpoint, to the end.
    pub(crate) fn run(&mut self, model: Vlm, weights: Weights) -> Result<(Engine, StageDone)> {
        let objective = self.registry.make_objective(&self.config.objective)?;
        let mut engine = Engine::new(model, &weights, self.config, objective, self.device)?;
        drop(weights);
        self.peak = Some(match self.peak {
            Some(peak) => peak,
            None => measured_peak(self.device, engine.kind())?,
        });
        let checkpoints = Checkpoints::of_stage(&self.folder, self.config.checkpoint.keep);
        let mut state = checkpoints.resume(&mut engine)?.unwrap_or_default();
        let mixture = self.mixture()?;
        let extent = Extent::of(self.config, mixture.rows());
        let asked = mixture.asked();
        let mut loader = self.loader(mixture, extent, &state.data)?;
        if state.step == 0 {
            self.check_first_weights(&engine)?;
        }
        self.begin(&engine, &state)?;
        let mut evaluation = self.evaluation()?;
        if let Some(evaluation) = &evaluation {
            evaluation.begin(state.step)?;
        }
        self.follow(&mut engine, &mut loader, extent, &checkpoints, &mut evaluation, &mut state)?;
        drop(loader);
        if state.step == 0 {
            let reasons = format!("{:?}", state.data.tally.dropped);
            return Err(Error::NoSamples {
                stage: self.config.name.clone(),
                drawn: state.data.mixture.draws,
                reasons,
            });
        }
        self.check_weights(&engine, state.step)?;
        // The checkpoint of the last step may be one of a program that evaluated later.
        if let Some(evaluation) = evaluation.as_mut().filter(|_| state.evaluated != Some(state.step)) {
            self.evaluate(evaluation, &engine, &checkpoints, &mut state)?;
        }
        if let (Best::Finish, Some(best)) = (self.config.checkpoint.best, state.best)
            && best.step != state.step
        {
            checkpoints.load_best(&mut engine, best)?;
        }
        self.end(&engine, state.step)?;
        let (parameters, trained_parameters) = engine.sizes();
        let mixture = tally::shares(&asked, &state.data.tally);
        for line in tally::lines(&self.config.name, &state.data.tally, &mixture) {
            self.progress.line(&line);
        }
        let callbacks = callback_state(self.callbacks);
        let StageState { step: steps, data, watch, best, .. } = state;
        let done = StageDone { steps, parameters, trained_parameters, data, mixture, watch, best, callbacks };
        Ok((engine, done))
    }

    /// Takes steps from the state's to the end of the stage.
    fn follow(
        &mut self,
        engine: &mut Engine,
        loader: &mut Loader,
        extent: Extent,
        checkpoints: &Checkpoints,
        evaluation: &mut Option<Evaluation<'a>>,
        state: &mut StageState,
    ) -> Result<()> {
        let mut page_updated = Instant::now();
        let (done, total) = extent.progress(state.step, state.data.mixture.draws);
        let mut bar = self.progress.stage(&self.config.name, done / total);
        let mut next = fetch(loader, extent, state.step)?;
        while let Some(fetched) = next {
            let metrics = self.next_step(engine, fetched, extent, state)?;
            let (done, total) = extent.progress(state.step, state.data.mixture.draws);
            bar.step(&metrics, done / total);
            if let Some(divergence) = state.watch.observe(&self.config.rules, metrics.loss, metrics.skipped) {
                return Err(self.diverged(state.step, divergence));
            }
            let action = self.callbacks_after(engine, &metrics)?;
            // Whether this was the last step is known before its checkpoint is written, so that a run which is killed after
            // the last evaluation does not evaluate, and record the loss, again.
            let fetched = if action.stop { Ok(None) } else { fetch(loader, extent, state.step) };
            let is_last = matches!(fetched, Ok(None));
            if let Some(evaluation) = evaluation.as_mut().filter(|e| is_last || e.is_due(state.step)) {
                self.evaluate(evaluation, engine, checkpoints, state)?;
            }
            let every = self.config.checkpoint.every;
            if action.checkpoint || (every > 0 && state.step.is_multiple_of(every)) {
                self.save(checkpoints, engine, state)?;
            }
            if page_updated.elapsed() >= BETWEEN_PAGES {
                (self.page)()?;
                page_updated = Instant::now();
            }
            next = fetched?;
        }
        bar.finish(&format!("{} steps", state.step));
        Ok(())
    }

    /// Takes a step and records its metrics.
    fn next_step(
        &mut self,
        engine: &mut Engine,
        fetched: Fetched,
        extent: Extent,
        state: &mut StageState,
    ) -> Result<StepMetrics> {
        let began = Instant::now();
        let Fetched { data, waited } = fetched;
        let (done, total) = extent.progress(state.step, data.before.mixture.draws);
        let lr = self.config.optimizer.lr * schedule::factor(&self.config.schedule, done, total);
        let (loss, counts, updated) = self.step(engine, &data, lr, state.step)?;
        state.step += 1;
        state.data = data.after;
        let metrics = self.metrics(engine, state, loss, lr, counts, updated, began.elapsed() + waited);
        self.sinks.iter_mut().try_for_each(|s| s.step(&metrics))?;
        Ok(metrics)
    }

    /// Forward and backward over the step's batches, then the update.
    fn step(
        &self,
        engine: &mut Engine,
        data: &StepData,
        lr: f64,
        step: u64,
    ) -> Result<(f64, Counts, Updated)> {
        let mut weight = [data.batches.iter().map(|b| engine.objective().weight(b)).sum::<f64>()];
        self.collective.sum(&mut weight)?;
        let weight = weight[0].max(1.0);
        let mut counts = Counts::default();
        let mut loss = [0.0];
        for batch in &data.batches {
            loss[0] += engine.accumulate(batch, 1.0 / weight)?;
            counts += batch.counts;
        }
        self.collective.sum(&mut loss)?;
        let loss = loss[0] / weight;
        engine.reduce(self.collective)?;
        let updated = engine.update(&self.config.optimizer, lr, loss, random(self.seed, 6, step))?;
        synchronize(self.device);
        Ok((loss, counts, updated))
    }

    /// Evaluates the model on held-out rows, and keeps its weights if the loss is the lowest so far.
    fn evaluate(
        &mut self,
        evaluation: &mut Evaluation<'_>,
        engine: &Engine,
        checkpoints: &Checkpoints,
        state: &mut StageState,
    ) -> Result<()> {
        let collator = self.registry.make_collator(&self.config.batch.collator, evaluation.shape, 0)?;
        let loss = evaluation.loss(engine, collator)?;
        if !loss.is_finite() {
            return Err(self.diverged(state.step, Divergence::HeldOutLoss { loss }));
        }
        evaluation.answer(engine, state.step)?;
        state.evaluated = Some(state.step);
        for sink in self.sinks.iter_mut() {
            sink.scalar(&self.config.name, state.step, HELD_OUT, loss)?;
        }
        self.progress.line(&format!("{} step {}: held-out loss {loss:.4}", self.config.name, state.step));
        if state.best.is_none_or(|best| loss < best.loss) {
            state.best = Some(BestSoFar { step: state.step, loss });
            if self.config.checkpoint.best != Best::Off {
                checkpoints.save_best(engine, state.clone())?;
            }
        }
        (self.page)()
    }

    fn evaluation(&self) -> Result<Option<Evaluation<'a>>> {
        let Some(config) = &self.config.evaluation else { return Ok(None) };
        Ok(Some(Evaluation {
            config,
            members: self.registry.held_out(self.config, config)?,
            preparer: self.preparer.with_length(self.config.length),
            shape: self.shape(),
            stage: &self.config.name,
            out: self.out,
        }))
    }

    fn shape(&self) -> BatchShape {
        shape(self.config, self.preparer.ids())
    }

    fn mixture(&self) -> Result<Mixture> {
        mixture(self.registry, self.config, self.seed)
    }

    fn loader(&self, mixture: Mixture, extent: Extent, from: &LoaderCursor) -> Result<Loader> {
        let batch = &self.config.batch;
        let shape = self.shape();
        let collator = self.registry.make_collator(&batch.collator, shape, random(self.seed, 8, 0))?;
        let parts = LoaderParts {
            mixture,
            preparer: self.preparer.with_length(self.config.length),
            too_long: self.config.too_long,
            collator,
            batches_a_step: shape.batches_a_step(),
            end: match extent {
                Extent::Steps(_) => End::Never,
                Extent::Rows(rows) => End::Rows(rows),
            },
            threads: self.threads,
            stage: self.config.name.clone(),
        };
        Loader::start(parts, from)
    }

    #[expect(clippy::too_many_arguments, reason = "the numbers of a step, each used once")]
    fn metrics(
        &self,
        engine: &Engine,
        state: &StageState,
        loss: f64,
        lr: f64,
        counts: Counts,
        updated: Updated,
        took: Duration,
    ) -> StepMetrics {
        let seconds = took.as_secs_f64();
        StepMetrics {
            stage: self.config.name.clone(),
            step: state.step,
            loss,
            lr,
            grad_norm: updated.grad_norm,
            rows_drawn: state.data.mixture.draws,
            rows_dropped: state.data.tally.rows_dropped(),
            samples: counts.samples,
            images: counts.images,
            tokens: counts.tokens,
            targets: counts.targets,
            padding_fraction: 1.0 - counts.tokens as f64 / counts.slots.max(1) as f64,
            seconds,
            tokens_per_second: counts.tokens as f64 / seconds.max(1e-9),
            images_per_second: counts.images as f64 / seconds.max(1e-9),
            mfu: self.peak.map_or(0.0, |peak| engine.flops(&counts) / seconds.max(1e-9) / peak),
            peak_memory_mib: peak_memory_mib().unwrap_or(0),
            skipped: updated.skipped,
        }
    }

    fn diverged(&self, step: u64, divergence: Divergence) -> Error {
        Error::Diverged { stage: self.config.name.clone(), step, divergence }
    }

    fn check_first_weights(&self, engine: &Engine) -> Result<()> {
        match engine.not_finite()? {
            None => Ok(()),
            Some(group) => Err(self.diverged(0, Divergence::FirstWeights { group: group.to_owned() })),
        }
    }

    /// Weights that are not finite never reach a checkpoint or the next stage.
    fn check_weights(&self, engine: &Engine, step: u64) -> Result<()> {
        match engine.not_finite()? {
            None => Ok(()),
            Some(group) => Err(self.diverged(step, Divergence::Weights { group: group.to_owned() })),
        }
    }

    fn save(&self, checkpoints: &Checkpoints, engine: &Engine, state: &StageState) -> Result<()> {
        self.check_weights(engine, state.step)?;
        let callbacks = callback_state(self.callbacks);
        checkpoints.save(engine, StageState { callbacks, ..state.clone() })?;
        (self.page)()
    }

    fn begin(&mut self, engine: &Engine, state: &StageState) -> Result<()> {
        for sink in self.sinks.iter_mut() {
            sink.begin(&self.config.name, state.step)?;
        }
        self.visit(engine, state.step, |callback, context| {
            if let Some(saved) = state.callbacks.get(callback.name()) {
                callback.load(saved)?;
            }
            callback.stage_begins(context)
        })
    }

    fn end(&mut self, engine: &Engine, step: u64) -> Result<()> {
        self.visit(engine, step, |callback, context| callback.stage_ends(context))?;
        self.sinks.iter_mut().try_for_each(|s| s.flush())
    }

    fn callbacks_after(&mut self, engine: &Engine, metrics: &StepMetrics) -> Result<Action> {
        let mut all = Action::default();
        self.visit(engine, metrics.step, |callback, context| {
            let action = callback.step_done(context, metrics)?;
            all.checkpoint |= action.checkpoint;
            all.stop |= action.stop;
            all.scalars.extend(action.scalars);
            Ok(())
        })?;
        for (name, value) in &all.scalars {
            for sink in self.sinks.iter_mut() {
                sink.scalar(&self.config.name, metrics.step, name, *value)?;
            }
        }
        Ok(all)
    }

    fn visit(
        &mut self,
        engine: &Engine,
        step: u64,
        mut call: impl FnMut(&mut dyn Callback, &CallbackContext<'_>) -> Result<()>,
    ) -> Result<()> {
        let weights = || engine.weights();
        let context = CallbackContext {
            stage: &self.config.name,
            step,
            folder: &self.folder,
            model: engine.model(),
            tokenizer: self.tokenizer,
            weights: &weights,
        };
        self.callbacks.iter_mut().try_for_each(|callback| call(callback.as_mut(), &context))
    }
}

/// Shape of the batches of a stage.
pub(crate) fn shape(stage: &StageConfig, ids: SpecialIds) -> BatchShape {
    let batch = &stage.batch;
    BatchShape { rows: batch.micro.min(batch.rows), step_rows: batch.rows, length: stage.length, ids }
}

/// The mixture of a stage with this seed.
pub(crate) fn mixture(registry: &Registry, config: &StageConfig, seed: u64) -> Result<Mixture> {
    let members = registry.members(config)?;
    Mixture::new(members, random(seed, 7, 0)).map_err(Error::unusable(Some(&config.name), "data"))
}

/// State of callbacks, by name.
fn callback_state(callbacks: &[Box<dyn Callback>]) -> BTreeMap<String, serde_json::Value> {
    callbacks.iter().map(|c| (c.name().to_owned(), c.save())).filter(|(_, v)| !v.is_null()).collect()
}

//! A run: its stages one after another, each resumed from its last checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Device;
use tsumugi_vlm::Weights;

use crate::callback::Callback;
use crate::check;
use crate::checkpoint::Checkpoints;
use crate::collective::Single;
use crate::data::random;
use crate::device;
use crate::folder::{Held, RunFolder};
use crate::metrics::{JsonlSink, MetricSink};
use crate::page::{RunState, write_page};
use crate::progress::Progress;
use crate::recipe::{Best, Recipe, StageConfig};
use crate::registry::Registry;
use crate::stage::{Stage, StageDone};
use crate::start::{Data, Start};
use crate::summary::{StageSummary, Summary, read_metrics};
use crate::{Error, Result};

/// Trains by a recipe with the components of this crate, as [`Trainer`] does by default.
///
/// All that the stages need is checked before the first of them trains. Called again on the same folder, it resumes from the last
/// checkpoint. The final model has the same bytes as that of an uninterrupted run with the same recipe, threads and processor. The
/// folder of each finished stage (`stages/1-NAME`) is a checkpoint, from which another run can begin.
///
/// # Errors
/// [`Error::is_usage`] distinguishes errors of the recipe from those of the run.
pub fn train(recipe: &Recipe, progress: &Progress) -> Result<Summary> {
    Trainer::new(recipe.clone()).progress(progress.clone()).run()
}

/// Builder of a training run.
///
/// ```no_run
/// use std::path::Path;
/// use tsumugi_train::{Progress, Recipe, Trainer};
///
/// let recipe = Recipe::from_file(Path::new("examples/recipes/tiny.toml"), &["seed=3".into()])?;
/// let summary = Trainer::new(recipe).progress(Progress::stderr()).run()?;
/// println!("{}", summary.stages[0].final_loss);
/// # Ok::<(), tsumugi_train::Error>(())
/// ```
pub struct Trainer {
    recipe: Recipe,
    registry: Registry,
    progress: Progress,
    callbacks: Vec<Box<dyn Callback>>,
}

impl Trainer {
    /// A run of this recipe.
    pub fn new(recipe: Recipe) -> Self {
        Self { recipe, registry: Registry::default(), progress: Progress::hidden(), callbacks: Vec::new() }
    }

    /// Sets the components that the recipe can name.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Sets where progress is shown; by default nowhere.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Adds a callback to those that the recipe names.
    #[must_use]
    pub fn callback(mut self, callback: Box<dyn Callback>) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// Checks all that the run needs, as [`Trainer::run`] does before it trains: patterns, components, checkpoints, tokenizer,
    /// and the data and held-out rows of every stage that is not done. Trains and writes nothing.
    ///
    /// # Errors
    /// Those of the recipe, with stage and key: [`Error::is_usage`] is true, except where a hub or a disk fails.
    pub fn check(&self) -> Result<()> {
        self.prepare(Data::Ready).map(drop)
    }

    /// Like [`Trainer::check`], for a recipe whose data is made later.
    ///
    /// # Errors
    /// As [`Trainer::check`].
    pub fn check_without_data(&self) -> Result<()> {
        self.prepare(Data::ToBeMade).map(drop)
    }

    fn prepare(&self, data: Data) -> Result<Prepared> {
        let (recipe, registry) = (&self.recipe, &self.registry);
        recipe.validate()?;
        registry.check(recipe)?;
        for (index, component) in recipe.callbacks.iter().enumerate() {
            let unusable = Error::unusable(None, &format!("callbacks.{index}"));
            registry.make_callback(component).map_err(unusable)?;
        }
        let folder = RunFolder::new(recipe);
        let held = folder.look(recipe)?;
        let device = device::set_up(recipe)?;
        let start = Start::new(recipe, registry, &folder, held, data, device)?;
        check::stages(recipe, held.done, registry, &start, data)?;
        Ok(Prepared { folder, held, device, start })
    }

    /// Checks all that the run needs, then trains.
    ///
    /// # Errors
    /// As [`train`].
    pub fn run(mut self) -> Result<Summary> {
        let Prepared { folder, held, device, start } = self.prepare(Data::Ready)?;
        folder.claim(&self.recipe, held)?;
        let mut summary =
            Summary { run: self.recipe.name.clone(), model: folder.model(), ..Summary::default() };
        let outcome = self.follow(&folder, &start, device, &mut summary);
        let failure = outcome.as_ref().err().map(Error::with_causes);
        let state = failure.as_deref().map_or(RunState::Done, RunState::Failed);
        let page = write_page(&self.recipe, &summary.stages, state);
        // If the run failed, its error matters more than one of the page.
        outcome.and(page)?;
        summary.seconds = summary.stages.iter().map(|s| s.seconds).sum();
        self.progress.line(&format!("model written to {}", summary.model.display()));
        Ok(summary)
    }

    /// Runs all stages and exports the model.
    fn follow(
        &mut self,
        folder: &RunFolder,
        start: &Start,
        device: Device,
        summary: &mut Summary,
    ) -> Result<()> {
        start.keep_tokenizer()?;
        let mut callbacks = std::mem::take(&mut self.callbacks);
        for component in &self.recipe.callbacks {
            callbacks.push(self.registry.make_callback(component)?);
        }
        let mut sinks: Vec<Box<dyn MetricSink>> = vec![Box::new(JsonlSink::new(&folder.metrics()))];
        for component in &self.recipe.metrics {
            sinks.push(self.registry.make_sink(folder.path(), component)?);
        }
        let mut weights: Option<Weights> = None;
        for (index, config) in self.recipe.stages.iter().enumerate() {
            let done = if let Some(done) = folder.outcome(index)? {
                restore(&mut callbacks, &done.callbacks)?;
                weights = None;
                done
            } else {
                let given = match (weights.take(), index) {
                    (Some(weights), _) => weights,
                    (None, 0) => start.weights()?,
                    (None, after) => start.weights_of_stage(folder.stage(after - 1))?,
                };
                let finished = &summary.stages;
                let page = || write_page(&self.recipe, finished, RunState::Running);
                let stage = Stage {
                    config,
                    registry: &self.registry,
                    preparer: start.preparer(config.length),
                    tokenizer: start.tokenizer_folder(),
                    folder: folder.stage(index).to_owned(),
                    out: folder.path(),
                    page: &page,
                    peak: self.recipe.peak_tflops.map(|tera| tera * 1e12),
                    seed: random(self.recipe.seed, 9, index as u64),
                    threads: self.recipe.loader_threads,
                    device,
                    progress: &self.progress,
                    callbacks: &mut callbacks,
                    sinks: &mut sinks,
                    collective: &Single,
                };
                let (trained, done) = self.run_stage(stage, start, given, folder, index)?;
                weights = trained;
                done
            };
            summary.parameters = done.parameters;
            summary.stages.push(stage_summary(config, done, &folder.metrics())?);
        }
        if !folder.is_exported() {
            let last = self.recipe.stages.len().saturating_sub(1);
            let weights = match weights {
                Some(weights) => weights,
                None => start.weights_of_stage(folder.stage(last))?,
            };
            start.export(&summary.model, &weights, &self.recipe)?;
        }
        Ok(())
    }

    /// Runs a stage and writes its outcome. Returns the weights if they are still those of the end of the stage.
    fn run_stage(
        &self,
        mut stage: Stage<'_>,
        start: &Start,
        given: Weights,
        run: &RunFolder,
        index: usize,
    ) -> Result<(Option<Weights>, StageDone)> {
        let folder = run.stage(index);
        let checkpoints = Checkpoints::of_stage(folder, 1);
        let (mut engine, done) = stage.run(start.model().clone(), given)?;
        let of_stage = engine.weights()?;
        start.write_stage(folder, &of_stage)?;
        let mut weights = Some(of_stage);
        if let (Best::Keep, Some(best)) = (stage.config.checkpoint.best, done.best) {
            // The weights are views of the engine's memory, which now receives other values.
            weights = None;
            checkpoints.load_best(&mut engine, best)?;
            start.export(&folder.join("best"), &engine.weights()?, &self.recipe)?;
        }
        run.finish(index, &done)?;
        checkpoints.remove()?;
        Ok((weights, done))
    }
}

/// What a run begins with, checked.
struct Prepared {
    folder: RunFolder,
    held: Held,
    device: Device,
    start: Start,
}

fn restore(callbacks: &mut [Box<dyn Callback>], saved: &BTreeMap<String, serde_json::Value>) -> Result<()> {
    for callback in callbacks {
        if let Some(state) = saved.get(callback.name()) {
            callback.load(state)?;
        }
    }
    Ok(())
}

fn stage_summary(config: &StageConfig, done: StageDone, metrics: &Path) -> Result<StageSummary> {
    let mut summary = StageSummary {
        name: config.name.clone(),
        steps: done.steps,
        trained_parameters: done.trained_parameters,
        rows_drawn: done.data.mixture.draws,
        dropped: done.data.tally.dropped,
        dropped_ids: done.data.tally.dropped_ids,
        mixture: done.mixture,
        skipped_steps: done.watch.skipped,
        loss_spikes: done.watch.spikes,
        held_out_loss: done.best.map(|best| best.loss),
        ..StageSummary::default()
    };
    summary.measure(&read_metrics(metrics, &config.name)?);
    Ok(summary)
}

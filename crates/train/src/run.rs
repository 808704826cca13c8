//! A run: its stages one after another, each resumed from its last checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::Device;
use tsumugi_vlm::Weights;
use tsumugi_vlm::checkpoint::{read_safetensors, write_safetensors};

use crate::atomic::{atomic_file, read_json, write_json};
use crate::callback::Callback;
use crate::collective::Single;
use crate::data::random;
use crate::device;
use crate::metrics::{JsonlSink, MetricSink};
use crate::page::{RunState, write_page};
use crate::progress::Progress;
use crate::recipe::{Best, Recipe, StageConfig};
use crate::registry::Registry;
use crate::stage::{Stage, StageDone};
use crate::start::Start;
use crate::summary::{StageSummary, Summary, read_metrics};
use crate::{Error, Result};

/// Trains by a recipe with the components of this crate, as [`Trainer`] does by default.
///
/// Called again on the same folder, it resumes from the last checkpoint. The final model has the same bytes as that of an
/// uninterrupted run with the same recipe, threads and processor.
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

    /// Trains.
    ///
    /// # Errors
    /// As [`train`].
    pub fn run(mut self) -> Result<Summary> {
        self.recipe.validate()?;
        self.registry.check(&self.recipe)?;
        let device = device::set_up(&self.recipe)?;
        let out = self.recipe.out.clone();
        std::fs::create_dir_all(&out).map_err(Error::io(&out))?;
        self.claim(&out)?;
        let mut summary =
            Summary { run: self.recipe.name.clone(), model: out.join("model"), ..Summary::default() };
        let outcome = self.follow(device, &mut summary);
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
    fn follow(&mut self, device: Device, summary: &mut Summary) -> Result<()> {
        let out = &self.recipe.out;
        let start = Start::new(&self.recipe, &self.registry, device)?;
        let mut callbacks = std::mem::take(&mut self.callbacks);
        for component in &self.recipe.callbacks {
            callbacks.push(self.registry.make_callback(component)?);
        }
        let metrics = out.join("metrics.jsonl");
        let mut sinks: Vec<Box<dyn MetricSink>> = vec![Box::new(JsonlSink::new(&metrics))];
        for component in &self.recipe.metrics {
            sinks.push(self.registry.make_sink(out, component)?);
        }
        let mut weights: Option<Weights> = None;
        let folders = self.folders(out);
        for (number, (config, folder)) in self.recipe.stages.iter().zip(&folders).enumerate() {
            let done_file = folder.join("done.json");
            let done = if done_file.is_file() {
                let done: StageDone = read_json(&done_file)?;
                restore(&mut callbacks, &done.callbacks)?;
                weights = None;
                done
            } else {
                let before = number.checked_sub(1).map(|n| weights_file(&folders[n]));
                let given = match (weights.take(), before) {
                    (Some(weights), _) => weights,
                    (None, Some(file)) => load_weights(&file)?,
                    (None, None) => start.weights()?,
                };
                let finished = &summary.stages;
                let page = || write_page(&self.recipe, finished, RunState::Running);
                let stage = Stage {
                    config,
                    registry: &self.registry,
                    preparer: start.preparer(config.length),
                    tokenizer: start.tokenizer_folder(),
                    folder: folder.clone(),
                    out,
                    page: &page,
                    peak: self.recipe.peak_tflops.map(|tera| tera * 1e12),
                    seed: random(self.recipe.seed, 9, number as u64),
                    threads: self.recipe.loader_threads,
                    device,
                    progress: &self.progress,
                    callbacks: &mut callbacks,
                    sinks: &mut sinks,
                    collective: &Single,
                };
                let (trained, done) = self.run_stage(stage, &start, given, folder)?;
                weights = trained;
                done
            };
            summary.parameters = done.parameters;
            summary.stages.push(stage_summary(config, done, &metrics)?);
        }
        if !summary.model.join("config.json").is_file() {
            let weights = match (weights, folders.last()) {
                (Some(weights), _) => weights,
                (None, Some(folder)) => load_weights(&weights_file(folder))?,
                (None, None) => return Err(Error::recipe("there are no stages")),
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
        folder: &Path,
    ) -> Result<(Option<Weights>, StageDone)> {
        let checkpoints = crate::Checkpoints::new(folder.join("checkpoints"), 1);
        let (mut engine, done) = stage.run(start.model().clone(), given)?;
        let mut weights = Some(engine.weights()?);
        let file = weights_file(folder);
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        write_safetensors(&file, weights.iter().flat_map(Weights::iter).map(|(name, t)| (name.as_str(), t)))?;
        if let (Best::Keep, Some(best)) = (stage.config.checkpoint.best, done.best) {
            // The weights are views of the engine's memory, which now receives other values.
            weights = None;
            checkpoints.load_best(&mut engine, best)?;
            start.export(&folder.join("best"), &engine.weights()?, &self.recipe)?;
        }
        atomic_file(&folder.join("done.json"), |path| write_json(path, &done))?;
        checkpoints.remove()?;
        Ok((weights, done))
    }

    fn folders(&self, out: &Path) -> Vec<PathBuf> {
        let name = |(number, stage): (usize, &StageConfig)| {
            out.join("stages").join(format!("{}-{}", number + 1, stage.name))
        };
        self.recipe.stages.iter().enumerate().map(name).collect()
    }

    /// Writes the recipe to the run's folder, and refuses the folder of another one.
    fn claim(&self, out: &Path) -> Result<()> {
        let path = out.join("recipe.toml");
        let text = self.recipe.to_toml()?;
        if let Ok(before) = std::fs::read_to_string(&path) {
            let earlier = Recipe::from_toml(&before, &[])?;
            let (a, b) = (essence(&earlier).to_toml()?, essence(&self.recipe).to_toml()?);
            let different = a.lines().zip(b.lines()).find(|(a, b)| a != b);
            if let Some((a, b)) = different {
                return Err(Error::OtherRun {
                    path: out.to_owned(),
                    difference: format!("{a} there, {b} here"),
                });
            }
            if a != b {
                return Err(Error::OtherRun { path: out.to_owned(), difference: "other stages".into() });
            }
        }
        atomic_file(&path, |path| std::fs::write(path, &text).map_err(Error::io(path)))
    }
}

/// The part of a recipe that determines the weights.
fn essence(recipe: &Recipe) -> Recipe {
    let mut recipe = Recipe {
        name: String::new(),
        out: PathBuf::new(),
        callbacks: Vec::new(),
        metrics: Vec::new(),
        loader_threads: 1,
        peak_tflops: None,
        ..recipe.clone()
    };
    // Recipes of older runs spell the default out.
    recipe.export.chat_template.get_or_insert_with(|| "llmjp_v3".to_owned());
    for stage in &mut recipe.stages {
        // Only the weights that a stage ends with matter here, not when checkpoints are written.
        let finish = stage.checkpoint.best == Best::Finish;
        stage.checkpoint = Default::default();
        if finish {
            stage.checkpoint.best = Best::Finish;
        } else {
            stage.evaluation = None;
        }
    }
    recipe
}

fn restore(callbacks: &mut [Box<dyn Callback>], saved: &BTreeMap<String, serde_json::Value>) -> Result<()> {
    for callback in callbacks {
        if let Some(state) = saved.get(callback.name()) {
            callback.load(state)?;
        }
    }
    Ok(())
}

fn weights_file(folder: &Path) -> PathBuf {
    folder.join("weights.safetensors")
}

fn load_weights(path: &Path) -> Result<Weights> {
    Ok(read_safetensors(path)?.into_iter().collect())
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

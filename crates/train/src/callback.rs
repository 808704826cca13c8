//! Callbacks: evaluation, sample answers, early stopping and whatever else happens during training.

use std::path::Path;

use tsumugi_vlm::{Vlm, Weights};

use crate::Result;
use crate::metrics::StepMetrics;

/// The state of a run that a callback can read.
pub struct CallbackContext<'a> {
    /// Name of the stage.
    pub stage: &'a str,
    /// Steps done in it.
    pub step: u64,
    /// Folder of the stage.
    pub folder: &'a Path,
    /// The model's family, sizes and units.
    pub model: &'a Vlm,
    /// Folder of the tokenizer.
    pub tokenizer: &'a Path,
    /// Returns the current weights. The tensors share the trainer's memory: read them, never write them.
    pub weights: &'a dyn Fn() -> Result<Weights>,
}

/// What a callback asks of the trainer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Action {
    /// Numbers for the metric sinks.
    pub scalars: Vec<(String, f64)>,
    /// Write a checkpoint after this step.
    pub checkpoint: bool,
    /// End the stage after this step, as if its duration were over.
    pub stop: bool,
}

/// Something that happens during training. Every method has a default that does nothing.
///
/// State that must survive a restart goes through [`Callback::save`] and [`Callback::load`], which checkpoints use.
pub trait Callback: Send {
    /// Unique name, which keys its state in checkpoints.
    fn name(&self) -> &str;

    /// Called when a stage begins, or resumes at `context.step`.
    ///
    /// # Errors
    /// An error ends the run.
    fn stage_begins(&mut self, _context: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }

    /// Called after each step.
    ///
    /// # Errors
    /// An error ends the run.
    fn step_done(&mut self, _context: &CallbackContext<'_>, _metrics: &StepMetrics) -> Result<Action> {
        Ok(Action::default())
    }

    /// Called at the end of a stage.
    ///
    /// # Errors
    /// An error ends the run.
    fn stage_ends(&mut self, _context: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }

    /// The state to keep; `null` keeps nothing.
    fn save(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Restores the state that [`Callback::save`] returned.
    ///
    /// # Errors
    /// If the state is invalid.
    fn load(&mut self, _state: &serde_json::Value) -> Result<()> {
        Ok(())
    }
}

//! What happens beside training: evaluation, sample answers, stopping.

use std::path::Path;

use tsumugi_vlm::{Vlm, Weights};

use crate::Result;
use crate::metrics::StepMetrics;

/// What a callback sees of a run.
pub struct Look<'a> {
    /// Name of the stage.
    pub stage: &'a str,
    /// Steps done in it.
    pub step: u64,
    /// Folder of the stage.
    pub folder: &'a Path,
    /// The model's sizes and units.
    pub model: &'a Vlm,
    /// Folder of the tokenizer.
    pub tokenizer: &'a Path,
    /// Gives the weights as they are now. The tensors share the trainer's memory: read, never write.
    pub weights: &'a dyn Fn() -> Result<Weights>,
}

/// What a callback asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// Numbers for the metric sinks.
    pub scalars: Vec<(String, f64)>,
    /// Write a checkpoint after this step.
    pub checkpoint: bool,
    /// End the stage after this step, as if its duration were over.
    pub stop: bool,
}

/// Something that happens beside training. Every method has a default that does nothing.
///
/// What a callback has to remember beyond a restart goes through [`Callback::save`] and [`Callback::load`]: it is kept in
/// checkpoints.
pub trait Callback: Send {
    /// Unique name, under which its state is kept.
    fn name(&self) -> &str;

    /// A stage begins, or is resumed at `look.step`.
    ///
    /// # Errors
    /// Ends the run.
    fn stage_begins(&mut self, _look: &Look<'_>) -> Result<()> {
        Ok(())
    }

    /// A step is done.
    ///
    /// # Errors
    /// Ends the run.
    fn step_done(&mut self, _look: &Look<'_>, _metrics: &StepMetrics) -> Result<Wish> {
        Ok(Wish::default())
    }

    /// A stage is over.
    ///
    /// # Errors
    /// Ends the run.
    fn stage_ends(&mut self, _look: &Look<'_>) -> Result<()> {
        Ok(())
    }

    /// What to remember.
    fn save(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Takes back what [`Callback::save`] gave.
    ///
    /// # Errors
    /// Where it cannot be understood.
    fn load(&mut self, _state: &serde_json::Value) -> Result<()> {
        Ok(())
    }
}

//! Numbers of a run, step by step, and where they go.

mod jsonl;
mod tensorboard;

use serde::{Deserialize, Serialize};

pub use jsonl::JsonlSink;
pub(crate) use jsonl::rewind;
pub use tensorboard::TensorBoardSink;

use crate::Result;

/// What is known after an optimiser step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Name of the stage.
    pub stage: String,
    /// The step within the stage, from 1.
    pub step: u64,
    /// Mean loss of the step's tokens.
    pub loss: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Norm of all gradients before clipping.
    pub grad_norm: f64,
    /// Rows drawn from the mixture so far.
    pub rows_drawn: u64,
    /// Rows dropped so far.
    pub rows_dropped: u64,
    /// Samples of the step.
    pub samples: u64,
    /// Pictures of the step.
    pub images: u64,
    /// Tokens of the step, features of pictures included and filling not.
    pub tokens: u64,
    /// Positions with loss in the step.
    pub targets: u64,
    /// Part of the positions that was filling.
    pub filling: f64,
    /// Seconds the step took.
    pub seconds: f64,
    /// Tokens a second in this step.
    pub tokens_per_second: f64,
    /// Pictures a second in this step.
    #[serde(default)]
    pub images_per_second: f64,
    /// Part of the device's peak that the model's operations reach (MFU); 0 where it is not known.
    #[serde(default)]
    pub mfu: f64,
    /// Memory of the process at its highest, in MiB; 0 where it is not known.
    pub peak_memory_mib: u64,
    /// True where the step was left out because loss or gradient was no number.
    pub skipped: bool,
}

/// Where metrics go.
pub trait MetricSink: Send {
    /// Begins a stage at a step: 0, or where a checkpoint was made. What was written of later steps is dropped.
    ///
    /// # Errors
    /// Where the sink cannot be written to.
    fn begin(&mut self, stage: &str, step: u64) -> Result<()>;

    /// Takes the numbers of a step.
    ///
    /// # Errors
    /// Where the sink cannot be written to.
    fn step(&mut self, metrics: &StepMetrics) -> Result<()>;

    /// Takes a number that a callback measured.
    ///
    /// # Errors
    /// Where the sink cannot be written to.
    fn scalar(&mut self, stage: &str, step: u64, name: &str, value: f64) -> Result<()>;

    /// Everything taken so far has to be on disk.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn flush(&mut self) -> Result<()>;
}

/// The highest memory of this process so far in MiB, as Linux knows it.
pub fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

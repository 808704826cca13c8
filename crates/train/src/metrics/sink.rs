//! Metrics and their sinks.

use serde::{Deserialize, Serialize};

use crate::Result;

/// The numbers of an optimiser step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Name of the stage.
    pub stage: String,
    /// The step within the stage, from 1.
    pub step: u64,
    /// Mean loss of the step.
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
    /// Images of the step.
    pub images: u64,
    /// Tokens of the step, including features of images but not padding.
    pub tokens: u64,
    /// Positions with loss in the step.
    pub targets: u64,
    /// Padding as a fraction of all positions.
    #[serde(alias = "filling")]
    pub padding_fraction: f64,
    /// Duration in seconds.
    pub seconds: f64,
    /// Tokens per second.
    pub tokens_per_second: f64,
    /// Images per second.
    #[serde(default)]
    pub images_per_second: f64,
    /// Model FLOPs utilisation: the model's operations as a fraction of the device's peak; 0 if unknown.
    #[serde(default)]
    pub mfu: f64,
    /// Peak memory of the process, in MiB; 0 if unknown.
    pub peak_memory_mib: u64,
    /// True if the step was skipped because the loss or a gradient was not finite.
    pub skipped: bool,
}

/// A destination of metrics.
pub trait MetricSink: Send {
    /// Begins a stage at a step: 0, or that of a checkpoint. Records of later steps must be dropped.
    ///
    /// # Errors
    /// If the sink cannot be written to.
    fn begin(&mut self, stage: &str, step: u64) -> Result<()>;

    /// Records the numbers of a step.
    ///
    /// # Errors
    /// If the sink cannot be written to.
    fn step(&mut self, metrics: &StepMetrics) -> Result<()>;

    /// Records a number that a callback measured.
    ///
    /// # Errors
    /// If the sink cannot be written to.
    fn scalar(&mut self, stage: &str, step: u64, name: &str, value: f64) -> Result<()>;

    /// Writes everything recorded so far to disk.
    ///
    /// # Errors
    /// If the sink cannot be written to.
    fn flush(&mut self) -> Result<()>;
}

/// Peak memory of this process in MiB, from Linux's `/proc`.
pub fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

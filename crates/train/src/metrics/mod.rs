//! Numbers of a run, step by step, and their destinations.

mod jsonl;
mod sink;
mod tensorboard;

pub use jsonl::JsonlSink;
pub(crate) use jsonl::{keep_stages, rewind};
pub use sink::{MetricSink, StepMetrics, peak_memory_mib};
pub use tensorboard::TensorBoardSink;

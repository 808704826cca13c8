//! Objectives: what training minimises.

use std::sync::Arc;

use tsumugi_vlm::Unit;

use crate::collate::Batch;

/// What training minimises: a last unit that computes a sum, and the divisor of a step's sums.
pub trait Objective: Send {
    /// The unit that ends the chain. `head` is the model's own, which computes the sum of the cross entropies of all
    /// positions with loss. Another unit must compute a scalar and may read `head`'s parameters under their names.
    fn last_unit(&self, head: Arc<dyn Unit>) -> Arc<dyn Unit> {
        head
    }

    /// A batch's part of the divisor. The sums of a step's batches are divided by the sum of their weights.
    fn weight(&self, batch: &Batch) -> f64;
}

/// The mean cross entropy over all tokens with loss in a step, whatever their batch: accumulation does not change it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenMean;

impl Objective for TokenMean {
    fn weight(&self, batch: &Batch) -> f64 {
        batch.counts.targets as f64
    }
}

/// The mean over samples of the cross entropy summed over each sample's tokens: long answers count more.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampleMean;

impl Objective for SampleMean {
    fn weight(&self, batch: &Batch) -> f64 {
        batch.counts.samples as f64
    }
}

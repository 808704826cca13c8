//! What is minimised.

use std::sync::Arc;

use tsumugi_vlm::Unit;

use crate::collate::Batch;

/// What is minimised: a last unit that gives a sum, and what the sums of a step are divided by.
pub trait Objective: Send {
    /// The unit that ends the chain. `head` is the model's own, which gives the sum of the cross entropies of all positions
    /// with loss. A unit of one's own gives a scalar, and may read `head`'s parameters under their names.
    fn last_unit(&self, head: Arc<dyn Unit>) -> Arc<dyn Unit> {
        head
    }

    /// The batch's part of the divisor. All batches of a step are divided by the sum of theirs.
    fn weight(&self, batch: &Batch) -> f64;
}

/// The mean cross entropy over all tokens with loss, whatever batch they are in: accumulation does not change it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenMean;

impl Objective for TokenMean {
    fn weight(&self, batch: &Batch) -> f64 {
        batch.counts.targets as f64
    }
}

/// The cross entropy of a sample, summed over its tokens, meaned over samples: long answers count more.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampleMean;

impl Objective for SampleMean {
    fn weight(&self, batch: &Batch) -> f64 {
        batch.counts.samples as f64
    }
}

//! Collective operations of ranks.

use tch::Tensor;

use crate::Result;

/// The processes that train one model. All ranks call the same operations in the same order.
///
/// The only implementation is [`Single`]. The training loop uses this trait wherever ranks communicate, so that a process
/// group can replace it.
pub trait Collective: Send {
    /// Index of this process, from 0.
    fn rank(&self) -> usize;

    /// Number of processes.
    fn world_size(&self) -> usize;

    /// Replaces a tensor by its sum over all ranks.
    ///
    /// # Errors
    /// If a rank is lost.
    fn all_reduce(&self, tensor: &mut Tensor) -> Result<()>;

    /// Sums numbers over all ranks.
    ///
    /// # Errors
    /// If a rank is lost.
    fn sum(&self, values: &mut [f64]) -> Result<()>;

    /// Waits for all ranks.
    ///
    /// # Errors
    /// If a rank is lost.
    fn barrier(&self) -> Result<()>;
}

/// A single process, for which every operation is trivial.
#[derive(Debug, Clone, Copy, Default)]
pub struct Single;

impl Collective for Single {
    fn rank(&self) -> usize {
        0
    }

    fn world_size(&self) -> usize {
        1
    }

    fn all_reduce(&self, _tensor: &mut Tensor) -> Result<()> {
        Ok(())
    }

    fn sum(&self, _values: &mut [f64]) -> Result<()> {
        Ok(())
    }

    fn barrier(&self) -> Result<()> {
        Ok(())
    }
}

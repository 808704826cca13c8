//! What ranks do together.

use tch::Tensor;

use crate::Result;

/// The processes that train one model. All ranks call the same operations in the same order.
///
/// There is one implementation so far, [`Single`]. The trainer's loop goes through this trait wherever ranks would have to
/// meet, so that a group over c10d can take its place.
pub trait Collective: Send {
    /// Number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn world_size(&self) -> usize;

    /// Replaces a tensor by the sum over all ranks.
    ///
    /// # Errors
    /// Where a rank is lost.
    fn all_reduce(&self, tensor: &mut Tensor) -> Result<()>;

    /// Sums numbers over all ranks.
    ///
    /// # Errors
    /// Where a rank is lost.
    fn sum(&self, values: &mut [f64]) -> Result<()>;

    /// Waits for all.
    ///
    /// # Errors
    /// Where a rank is lost.
    fn barrier(&self) -> Result<()>;
}

/// One process alone: nothing to be done.
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

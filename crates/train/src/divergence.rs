//! How runs diverge.

/// What to do about a run that diverged.
const REMEDY: &str = "lower optimizer.lr, lengthen schedule.warmup, set optimizer.clip or look for the fault in the data, and train the stage anew in another `out`, or in this one after deleting the stage's folder";

/// How a run diverged. The message names the rule and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Divergence {
    /// Too many steps in a row were skipped.
    #[error(
        "the loss or a gradient was not finite {steps} times in a row (rules.skip_not_finite = {limit}); {}",
        REMEDY
    )]
    SkippedInARow {
        /// Steps skipped in a row.
        steps: u64,
        /// Steps that may be.
        limit: u64,
    },
    /// Too many of the last steps were skipped.
    #[error(
        "the loss or a gradient was not finite in {skipped} of the last {window} steps (rules.skipped_share = {share}, rules.skipped_window); {}",
        REMEDY
    )]
    SkippedShare {
        /// Steps skipped within the window.
        skipped: u64,
        /// Steps of the window.
        window: u64,
        /// The share of it that may be skipped.
        share: f64,
    },
    /// The loss stays far above its running mean.
    #[error(
        "the loss was above {factor} times its running mean {mean:.4} for {steps} steps in a row (rules.spikes_to_stop) and is now {loss:.4}; {}",
        REMEDY
    )]
    Spikes {
        /// The multiple of the mean above which a loss is a spike.
        factor: f64,
        /// The running mean.
        mean: f64,
        /// Spikes in a row.
        steps: u64,
        /// The last loss.
        loss: f64,
    },
    /// Updates made weights that are not finite.
    #[error("weights of {group} are not finite; {}", REMEDY)]
    Weights {
        /// The first group of parameters that has such weights.
        group: String,
    },
    /// A stage begins with weights that are not finite.
    #[error(
        "the stage begins with weights of {group} that are not finite; begin with another checkpoint (`model`)"
    )]
    FirstWeights {
        /// The first group of parameters that has such weights.
        group: String,
    },
    /// The loss on held-out rows is not finite.
    #[error("the held-out loss is {loss}; {}", REMEDY)]
    HeldOutLoss {
        /// The loss.
        loss: f64,
    },
}

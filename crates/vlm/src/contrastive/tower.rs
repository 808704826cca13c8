//! What the contrastive encoders have in common.

use tch::Tensor;

use super::ids::Ids;
use crate::error::{Error, Result};
use crate::processor::ImageProcessor;
use crate::unit::ParamDef;
use crate::weights::Weights;

/// One half of a contrastive encoder.
pub(super) trait Tower: Send {
    /// Its parameters.
    fn defs(&self) -> Vec<ParamDef>;

    /// Vectors `[n,d]` of pixels `[n,3,h,w]` or of ids `[n,t]`, not normalised.
    fn embed(&self, weights: &Weights, input: &Tensor) -> Result<Tensor>;
}

/// A loaded encoder.
pub(super) struct Parts {
    pub(super) image: Box<dyn Tower>,
    pub(super) text: Box<dyn Tower>,
    pub(super) weights: Weights,
    pub(super) processor: ImageProcessor,
    pub(super) ids: Ids,
}

/// An unsupported setting.
pub(super) fn unsupported(what: &str, found: impl std::fmt::Display, possible: &str) -> Error {
    Error::config(format!("{what} {found} is not supported (supported: {possible})"))
}

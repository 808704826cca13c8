//! What a model family finds in a folder.

use std::fmt;

use super::tensors::StoredTensors;
use crate::config::{LlamaConfig, VisionConfig, VlmConfig};

/// What a checkpoint holds, with its sizes.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each opened checkpoint")]
pub enum Contents {
    /// A vision-language model.
    Vlm(VlmConfig),
    /// A language model.
    Language(LlamaConfig),
    /// A vision tower, with all its layers.
    Vision(VisionConfig),
}

impl Contents {
    /// What it holds, in words, and the key of a recipe that takes it.
    #[must_use]
    pub fn describe(&self) -> (&'static str, &'static str) {
        match self {
            Self::Vlm(_) => ("a whole vision-language model", "model.checkpoint"),
            Self::Language(_) => ("a language model", "model.language"),
            Self::Vision(_) => ("a vision encoder (SigLIP)", "model.vision"),
        }
    }
}

/// A folder that a model family has opened: sizes and stored tensors. No weight is read yet.
pub struct Opened {
    /// What it holds.
    pub contents: Contents,
    /// Its tensors.
    pub tensors: StoredTensors,
    pub(crate) unused: Unused,
    pub(crate) image_token_stored: bool,
}

/// Whether a stored tensor of this name is known not to be needed.
type Unused = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("contents", &self.contents).finish_non_exhaustive()
    }
}

impl Opened {
    /// A checkpoint all of whose tensors are needed.
    #[must_use]
    pub fn new(contents: Contents, tensors: StoredTensors) -> Self {
        Self { contents, tensors, unused: Box::new(|_| false), image_token_stored: true }
    }

    /// Ignores stored tensors for which `unused` is true, such as a pooling head.
    #[must_use]
    pub fn ignoring(self, unused: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { unused: Box::new(unused), ..self }
    }

    /// Marks a layout that does not store the id of the image token: whatever the tokenizer's is serves.
    #[must_use]
    pub fn without_image_token(self) -> Self {
        Self { image_token_stored: false, ..self }
    }
}

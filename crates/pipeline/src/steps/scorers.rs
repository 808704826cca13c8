//! Scorers of images and texts by their names in the settings.
//!
//! `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT`: a folder, or a repository at the Hugging Face hub, with a contrastive
//! encoder. Its files tell which architecture it has; the word before the colon only names its scores.

use std::path::Path;
use std::sync::Arc;

use tsumugi_interleave::{NsfwClassifier, Similarity};

use crate::Error;
use crate::runner::Inputs;

/// What scores images.
#[derive(Clone, Default)]
pub struct Scorers {
    /// Against texts; several are combined as the paper does.
    pub similarity: Vec<Arc<dyn Similarity + Send + Sync>>,
    /// By themselves: the probability of being not safe for work.
    pub nsfw: Option<Arc<dyn NsfwClassifier + Send + Sync>>,
}

impl std::fmt::Debug for Scorers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.similarity.iter().map(|scorer| scorer.identity())).finish()
    }
}

impl Scorers {
    /// Whether nothing is scored.
    pub fn are_none(&self) -> bool {
        self.similarity.is_empty() && self.nsfw.is_none()
    }

    /// Declares what they are as the inputs `scorer` and `nsfw`.
    pub(super) fn declare(&self, inputs: &mut Inputs) -> Result<(), Error> {
        let similarity: Vec<String> = self.similarity.iter().map(|scorer| scorer.identity()).collect();
        inputs.resolved("scorer", &similarity)?;
        inputs.resolved("nsfw", &self.nsfw.as_ref().map(|classifier| classifier.identity()))
    }

    /// Opens what is named.
    pub(super) fn open(names: &[String], nsfw: Option<&Path>) -> Result<Scorers, Error> {
        let mut wanted = Vec::new();
        for name in names.iter().filter(|name| *name != "none") {
            let checkpoint = name.split_once(':').filter(|(kind, _)| matches!(*kind, "clip" | "siglip"));
            let Some((_, checkpoint)) = checkpoint else {
                let reason = "there is no such scorer; give none, clip:CHECKPOINT or siglip:CHECKPOINT";
                return Err(Error::config(format!("scorer {name}"), reason));
            };
            wanted.push((name.as_str(), checkpoint));
        }
        if !wanted.is_empty() {
            return open(&wanted, nsfw);
        }
        match nsfw {
            None => Ok(Scorers::default()),
            Some(_) => {
                let reason = "classifies an image by the vector that a scorer gives it; name a scorer too";
                Err(Error::config("nsfw", reason))
            }
        }
    }
}

#[cfg(not(feature = "train"))]
fn open(wanted: &[(&str, &str)], _: Option<&Path>) -> Result<Scorers, Error> {
    let name = wanted.first().map_or("", |(name, _)| *name);
    let reason = "this build has no contrastive encoder (feature `train`); the scorer `none` needs none";
    Err(Error::config(format!("scorer {name}"), reason))
}

#[cfg(feature = "train")]
fn open(wanted: &[(&str, &str)], nsfw: Option<&Path>) -> Result<Scorers, Error> {
    use super::encoder::{Encoder, NsfwScorer};

    let mut encoders: Vec<Arc<Encoder>> = Vec::new();
    for (name, checkpoint) in wanted {
        let encoder = Encoder::open(name, checkpoint)?;
        if encoders.iter().any(|other| other.name() == encoder.name()) {
            return Err(Error::config(format!("scorer {name}"), "two scorers have this name"));
        }
        encoders.push(Arc::new(encoder));
    }
    let mut scorers = Scorers::default();
    if let (Some(path), Some(encoder)) = (nsfw, encoders.first()) {
        scorers.nsfw = Some(Arc::new(NsfwScorer::open(path, Arc::clone(encoder))?));
    }
    scorers.similarity =
        encoders.into_iter().map(|encoder| encoder as Arc<dyn Similarity + Send + Sync>).collect();
    Ok(scorers)
}

//! Scorers of pictures and texts by the names that the command line gives them.
//!
//! `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT`: a folder, or a repository at the Hugging Face hub, with a dual
//! encoder. What kind it is of is told by its files; the word before the colon only names its scores.

use std::path::Path;

use serde::Serialize;
use tsumugi_interleave::{NsfwClassifier, Similarity};

use crate::Error;

/// What scores pictures.
#[derive(Clone, Copy, Default)]
pub struct Scorers<'a> {
    /// Against texts; several are combined as the paper does.
    pub similarity: &'a [&'a dyn Similarity],
    /// By themselves: the probability of being not safe for work.
    pub nsfw: Option<&'a dyn NsfwClassifier>,
}

impl std::fmt::Debug for Scorers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.identities()).finish()
    }
}

impl Scorers<'_> {
    /// Whether nothing is scored.
    pub fn are_none(&self) -> bool {
        self.similarity.is_empty() && self.nsfw.is_none()
    }

    fn identities(&self) -> Vec<String> {
        let similarity = self.similarity.iter().map(|scorer| scorer.identity());
        similarity.chain(self.nsfw.map(|judge| judge.identity())).collect()
    }

    /// What tells a run with these scorers and this recipe from others.
    pub(super) fn identity<R: Serialize>(&self, recipe: &R) -> serde_json::Value {
        serde_json::json!({ "recipe": recipe, "scorers": self.identities() })
    }
}

/// Opens what is named, and works with it.
pub(super) fn with_scorers<T>(
    names: &[String],
    nsfw: Option<&Path>,
    work: impl FnOnce(&Scorers<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut wanted = Vec::new();
    for name in names.iter().filter(|name| *name != "none") {
        let checkpoint = name.split_once(':').filter(|(kind, _)| matches!(*kind, "clip" | "siglip"));
        let Some((_, checkpoint)) = checkpoint else {
            let reason = "there is no such scorer; give none, clip:CHECKPOINT or siglip:CHECKPOINT";
            return Err(Error::config(format!("--scorer {name}"), reason));
        };
        wanted.push((name.as_str(), checkpoint));
    }
    if wanted.is_empty() {
        return match nsfw {
            None => work(&Scorers::default()),
            Some(_) => {
                let reason = "a probe judges a picture by what a scorer makes of it; give --scorer clip:CHECKPOINT too";
                Err(Error::config("--nsfw", reason))
            }
        };
    }
    open(&wanted, nsfw, work)
}

#[cfg(not(feature = "train"))]
fn open<T>(
    wanted: &[(&str, &str)],
    _: Option<&Path>,
    _: impl FnOnce(&Scorers<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let name = wanted.first().map_or("", |(name, _)| *name);
    let reason = "this build has no image-text encoder (feature `train`); use --scorer none";
    Err(Error::config(format!("--scorer {name}"), reason))
}

#[cfg(feature = "train")]
fn open<T>(
    wanted: &[(&str, &str)],
    nsfw: Option<&Path>,
    work: impl FnOnce(&Scorers<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    use super::encoder::{Encoder, SafetyProbe};

    let mut encoders: Vec<Encoder> = Vec::new();
    for (name, checkpoint) in wanted {
        let encoder = Encoder::open(name, checkpoint)?;
        if encoders.iter().any(|other| other.name() == encoder.name()) {
            return Err(Error::config(format!("--scorer {name}"), "two scorers have this name"));
        }
        encoders.push(encoder);
    }
    let similarity: Vec<&dyn Similarity> =
        encoders.iter().map(|encoder| encoder as &dyn Similarity).collect();
    let probe = match (nsfw, encoders.first()) {
        (Some(path), Some(encoder)) => Some(SafetyProbe::open(path, encoder)?),
        _ => None,
    };
    work(&Scorers { similarity: &similarity, nsfw: probe.as_ref().map(|probe| probe as &dyn NsfwClassifier) })
}

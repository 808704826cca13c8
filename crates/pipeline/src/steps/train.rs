//! Step `train`: a recipe followed to its end.

use std::path::PathBuf;

use tsumugi_train::{Progress, Recipe, Registry, Summary, Trainer};

use crate::Error;

/// What the step is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainConfig {
    /// The recipe, a TOML file.
    pub recipe: PathBuf,
    /// `key=value` overrides of it.
    pub set: Vec<String>,
}

/// Follows a recipe. Run again after a kill it goes on where it stopped, and the final model is the same to the byte.
///
/// # Errors
/// [`Error::Config`] where the recipe is at fault, before any weight is loaded; [`Error::Step`] where the run fails.
pub fn train(config: &TrainConfig, progress: &Progress) -> Result<Summary, Error> {
    train_with(config, Registry::default(), progress)
}

/// [`train`] with components of one's own.
///
/// # Errors
/// As [`train`].
pub fn train_with(config: &TrainConfig, registry: Registry, progress: &Progress) -> Result<Summary, Error> {
    let place = config.recipe.display().to_string();
    let recipe = Recipe::from_file(&config.recipe, &config.set).map_err(|e| error(&place, e))?;
    Trainer::new(recipe).registry(registry).progress(progress.clone()).run().map_err(|e| error(&place, e))
}

/// Tells faults of the recipe (exit code 2) from those of the run (exit code 1).
pub(crate) fn error(place: &str, error: tsumugi_train::Error) -> Error {
    match error {
        tsumugi_train::Error::Recipe { reason, .. } => Error::Config { what: place.to_owned(), reason },
        fault if fault.is_usage() => Error::Config { what: place.to_owned(), reason: fault.to_string() },
        failed => Error::Step { step: "train", place: place.to_owned(), source: Box::new(failed) },
    }
}

//! Step `train`: trains by a recipe.

use std::path::PathBuf;

use tsumugi_train::{Recipe, Registry, Summary, Trainer};

use crate::{Error, Progress};

/// Settings of the step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainConfig {
    /// The recipe, a TOML file.
    pub recipe: PathBuf,
    /// `key=value` overrides of it.
    pub set: Vec<String>,
}

/// Trains by a recipe. Run again after a kill, it resumes, and the final model has the same bytes.
///
/// # Errors
/// [`Error::Config`] if the recipe is at fault, before any weight is loaded; [`Error::Step`] if the run fails.
pub fn train(config: &TrainConfig, progress: &Progress) -> Result<Summary, Error> {
    train_with(config, Registry::default(), progress)
}

/// Like [`train`], with your own components.
///
/// # Errors
/// As [`train`].
pub fn train_with(config: &TrainConfig, registry: Registry, progress: &Progress) -> Result<Summary, Error> {
    let place = config.recipe.display().to_string();
    let recipe = recipe(config)?;
    Trainer::new(recipe).registry(registry).progress(progress.training()).run().map_err(|e| error(&place, e))
}

/// Draws `rows` rows of each stage, prepares them as training does, and trains nothing. Returns the figures as text, and the
/// page that it has written into the run's folder.
///
/// # Errors
/// As [`train`].
pub fn dry_run(config: &TrainConfig, rows: u64) -> Result<(String, PathBuf), Error> {
    let place = config.recipe.display().to_string();
    let recipe = recipe(config)?;
    let seen = tsumugi_train::dry_run(&recipe, &Registry::default(), rows).map_err(|e| error(&place, e))?;
    std::fs::create_dir_all(&recipe.out).map_err(Error::io("making the folder", &recipe.out))?;
    let page = recipe.out.join("dry-run.html");
    seen.page().write(&page).map_err(Error::step("train", page.display().to_string()))?;
    Ok((seen.text(), page))
}

/// Reads a recipe with its overrides.
pub(crate) fn recipe(config: &TrainConfig) -> Result<Recipe, Error> {
    let place = config.recipe.display().to_string();
    Recipe::from_file(&config.recipe, &config.set).map_err(|e| error(&place, e))
}

/// Distinguishes errors of the recipe from those of the run.
pub(crate) fn error(place: &str, error: tsumugi_train::Error) -> Error {
    match error {
        tsumugi_train::Error::Recipe { reason, .. } => Error::Config { what: place.to_owned(), reason },
        fault if fault.is_usage() => Error::Config { what: place.to_owned(), reason: fault.with_causes() },
        failed => Error::Step { step: "train", place: place.to_owned(), source: Box::new(failed) },
    }
}

//! The folder of a run: what is where, and which recipes may go on in it.

use std::fs;
use std::path::{Path, PathBuf};

use tsumugi_record::write_atomic;

use crate::checkpoint::Checkpoints;
use crate::evaluate::ANSWERS;
use crate::json::read_json;
use crate::metrics::keep_stages;
use crate::recipe::{Recipe, Trained, difference};
use crate::stage::StageDone;
use crate::{Error, Result};

/// The folder of a run.
pub(crate) struct RunFolder {
    out: PathBuf,
    stages: Vec<PathBuf>,
}

/// What a folder holds of a run when it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Number of the first stages that are done or begun.
    pub(crate) trained: usize,
    /// Number of the first stages that are done.
    pub(crate) done: usize,
    /// Whether what an earlier recipe left behind must go, since none of its stages was begun.
    pub(crate) abandoned: bool,
}

impl RunFolder {
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let out = recipe.out.clone();
        let names = recipe.stages.iter().enumerate().map(|(n, stage)| format!("{}-{}", n + 1, stage.name));
        Self { stages: names.map(|name| out.join("stages").join(name)).collect(), out }
    }

    /// Folder of everything that the run writes.
    pub(crate) fn path(&self) -> &Path {
        &self.out
    }

    /// Folder of a stage, by its index.
    pub(crate) fn stage(&self, index: usize) -> &Path {
        &self.stages[index]
    }

    pub(crate) fn metrics(&self) -> PathBuf {
        self.out.join("metrics.jsonl")
    }

    pub(crate) fn tokenizer(&self) -> PathBuf {
        self.out.join("tokenizer")
    }

    /// Folder of the finished model.
    pub(crate) fn model(&self) -> PathBuf {
        self.out.join("model")
    }

    pub(crate) fn is_exported(&self) -> bool {
        self.model().join("config.json").is_file()
    }

    /// The outcome of a stage, if it is done.
    pub(crate) fn outcome(&self, index: usize) -> Result<Option<StageDone>> {
        let path = self.stages[index].join(DONE);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Marks a stage as done.
    pub(crate) fn finish(&self, index: usize, outcome: &StageDone) -> Result<()> {
        Ok(tsumugi_record::write_json(&self.stages[index].join(DONE), outcome)?)
    }

    /// Looks at what the folder holds. Writes nothing.
    ///
    /// # Errors
    /// [`Error::OtherRun`] if the recipe would not go on with the stages that are done or begun.
    pub(crate) fn look(&self, recipe: &Recipe) -> Result<Held> {
        let done = self.stages.iter().take_while(|folder| folder.join(DONE).is_file()).count();
        let begun = match self.stages.get(done) {
            Some(folder) => usize::from(has_checkpoint(folder)?),
            None => 0,
        };
        let trained = done + begun;
        self.check_others(trained)?;
        let Ok(text) = fs::read_to_string(self.recipe()) else {
            // The folder is new, or its first stages were taken over from another run.
            return Ok(Held { trained, done, abandoned: false });
        };
        let earlier = Recipe::from_toml(&text, &[]).map_err(|error| error.in_file(&self.recipe()));
        if trained == 0 {
            let abandoned = !earlier.is_ok_and(|earlier| same_tokenizer(&earlier, recipe));
            return Ok(Held { trained, done, abandoned });
        }
        let earlier = earlier?;
        match difference(&earlier, recipe, Trained { stages: trained, exported: self.is_exported() })? {
            Some(difference) => Err(self.other_run(difference)),
            None => {
                self.check_micro(&earlier, recipe, done)?;
                Ok(Held { trained, done, abandoned: false })
            }
        }
    }

    /// Refuses stages that are done or begun and which the recipe does not have, or not yet.
    fn check_others(&self, trained: usize) -> Result<()> {
        let Ok(entries) = fs::read_dir(self.out.join("stages")) else { return Ok(()) };
        for entry in entries {
            let folder = entry.map_err(Error::io(&self.out))?.path();
            let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let ours = self.stages[..trained].contains(&folder);
            if !hidden && !ours && (folder.join(DONE).is_file() || has_checkpoint(&folder)?) {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let reason = match self.stages.contains(&folder) {
                    true => "is trained there, but not the stage before it",
                    false => "is trained there, but is not a stage of this recipe",
                };
                return Err(self.other_run(format!("stages/{name} {reason}")));
            }
        }
        Ok(())
    }

    /// Refuses another `batch.micro` within a group of batches that the collator has sorted by their sizes: the position in
    /// the data is counted in batches there.
    fn check_micro(&self, there: &Recipe, here: &Recipe, index: usize) -> Result<()> {
        let (Some(a), Some(b)) = (there.stages.get(index), here.stages.get(index)) else { return Ok(()) };
        if a.batch.micro == b.batch.micro {
            return Ok(());
        }
        let position = Checkpoints::of_stage(&self.stages[index], 1).position()?;
        if position.is_some_and(|position| position.skip > 0) {
            return Err(self.other_run(format!(
                "stages.{}.batch.micro is {} there and {} here, and the last checkpoint is within a group of batches that the collator {} has formed",
                b.name, a.batch.micro, b.batch.micro, b.batch.collator
            )));
        }
        Ok(())
    }

    fn other_run(&self, difference: String) -> Error {
        Error::OtherRun { path: self.out.clone(), difference }
    }

    /// Makes the folder that of a recipe, and removes what does not belong to it: an abandoned run's tokenizer, a model of
    /// fewer stages, and the metrics and answers of stages that were not begun.
    pub(crate) fn claim(&self, recipe: &Recipe, held: Held) -> Result<()> {
        if held.abandoned {
            remove(&self.tokenizer())?;
        }
        if held.done < self.stages.len() {
            remove(&self.model())?;
        }
        let begun: Vec<&str> = recipe.stages[..held.trained].iter().map(|s| s.name.as_str()).collect();
        keep_stages(&self.metrics(), &begun)?;
        keep_stages(&self.out.join(ANSWERS), &begun)?;
        let text = recipe.to_toml()?;
        Ok(write_atomic(&self.recipe(), |file| std::io::Write::write_all(file, text.as_bytes()))?)
    }

    fn recipe(&self) -> PathBuf {
        self.out.join("recipe.toml")
    }
}

/// Whether two recipes begin with the same tokenizer.
fn same_tokenizer(a: &Recipe, b: &Recipe) -> bool {
    let built_from = |recipe: &Recipe| -> Vec<_> {
        let stages = recipe.stages.iter().filter(|_| recipe.tokenizer.build.is_some());
        stages.map(|stage| (stage.template.clone(), stage.data.clone())).collect()
    };
    let frame = |recipe: &Recipe| {
        (recipe.model.clone(), recipe.tokenizer.clone(), recipe.export.chat_template.clone())
    };
    frame(a) == frame(b) && built_from(a) == built_from(b)
}

/// The mark of a finished stage in its folder.
const DONE: &str = "done.json";

fn has_checkpoint(stage: &Path) -> Result<bool> {
    Ok(Checkpoints::of_stage(stage, 1).position()?.is_some())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

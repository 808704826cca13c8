//! Stages that runs have in common are trained once.
//!
//! A stage's weights are a function of the recipe up to that stage. So a run whose first stages are those of an earlier
//! run takes the folders of these stages over, and the trainer goes on as if it had been stopped there.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tsumugi_record::{write_atomic, write_folder};
use tsumugi_train::Recipe;

use crate::Error;

/// Gives a run the stages and the vocabulary of earlier runs (recipes in the order they ran). Returns how many stages it
/// need not train. A run that has begun is left as it is.
pub(super) fn take_over(earlier: &[Recipe], recipe: &Recipe) -> Result<usize, Error> {
    let Some(first) = earlier.first() else { return Ok(0) };
    fs::create_dir_all(&recipe.out).map_err(Error::io("create folder", &recipe.out))?;
    let (theirs, own) = (first.out.join("tokenizer"), recipe.out.join("tokenizer"));
    if recipe.tokenizer.build.is_some() && recipe.tokenizer == first.tokenizer && !own.is_dir() {
        write_folder(&own, |folder| link_files(&theirs, folder))?;
    }
    let common = |donor: &&Recipe| common_stages(donor, recipe);
    // The first of those that have most in common.
    let Some(donor) = earlier.iter().rev().max_by_key(common) else { return Ok(0) };
    let count = common(&donor);
    for (number, stage) in recipe.stages.iter().take(count).enumerate() {
        let name = format!("stages/{}-{}", number + 1, stage.name);
        let own = recipe.out.join(&name);
        if !own.exists() {
            write_folder(&own, |folder| link_files(&donor.out.join(&name), folder))?;
        }
    }
    if count > 0 {
        let names: Vec<&str> = recipe.stages.iter().take(count).map(|stage| stage.name.as_str()).collect();
        copy_metrics(&donor.out, &recipe.out, &names)?;
    }
    Ok(count)
}

/// How many stages from the beginning give the same weights under both recipes.
fn common_stages(a: &Recipe, b: &Recipe) -> usize {
    let frame = |recipe: &Recipe| Recipe {
        name: String::new(),
        out: Default::default(),
        loader_threads: 1,
        metrics: Vec::new(),
        stages: Vec::new(),
        ..recipe.clone()
    };
    // What callbacks remember may depend on the whole run.
    if frame(a) != frame(b) || !a.callbacks.is_empty() {
        return 0;
    }
    a.stages.iter().zip(&b.stages).take_while(|(a, b)| a == b).count()
}

/// Gives every file below a folder a second name below another one, or copies it if the file system has no hard links.
fn link_files(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(from).map_err(Error::io("read folder", from))? {
        let entry = entry.map_err(Error::io("read folder", from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&target).map_err(Error::io("create folder", &target))?;
            link_files(&path, &target)?;
        } else if fs::hard_link(&path, &target).is_err() {
            let mut source = fs::File::open(&path).map_err(Error::io("read", &path))?;
            write_atomic(&target, |file| io::copy(&mut source, file).map(drop))?;
        }
    }
    Ok(())
}

/// The lines of these stages in a run's `metrics.jsonl`, unless the other run has begun its own.
fn copy_metrics(from: &Path, to: &Path, stages: &[&str]) -> Result<(), Error> {
    let (from, to) = (from.join("metrics.jsonl"), to.join("metrics.jsonl"));
    if to.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(&from).map_err(Error::io("read", &from))?;
    let belongs = |line: &&str| {
        let stage: Option<serde_json::Value> = serde_json::from_str(line).ok();
        stage.and_then(|line| Some(stages.contains(&line["stage"].as_str()?))).unwrap_or(false)
    };
    let kept: String = text.lines().filter(belongs).flat_map(|line| [line, "\n"]).collect();
    Ok(write_atomic(&to, |file| file.write_all(kept.as_bytes()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_what_comes_before_their_first_difference() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let text = "[model.config.vision]\nhidden_size = 16\n[tokenizer]\nbuild = 9\n[[stages]]\nname = \"a\"\nduration = { steps = 2 }\ndata = [{ source = \"pairs\" }]\n[[stages]]\nname = \"b\"\nduration = { steps = 2 }\ndata = [{ source = \"pairs\" }]\n";
        let mut donor = Recipe::from_toml(text, &[])?;
        donor.out = folder.path().join("donor");
        for name in ["tokenizer", "stages/1-a", "stages/2-b"] {
            fs::create_dir_all(donor.out.join(name))?;
        }
        fs::write(donor.out.join("tokenizer/tokenizer.json"), "{}")?;
        for stage in ["1-a", "2-b"] {
            fs::write(donor.out.join(format!("stages/{stage}/model.safetensors")), stage)?;
            fs::write(donor.out.join(format!("stages/{stage}/done.json")), "{}")?;
        }
        fs::write(
            donor.out.join("metrics.jsonl"),
            "{\"stage\":\"a\",\"step\":1}\n{\"stage\":\"b\",\"step\":1}\n",
        )?;
        let mut other = donor.clone();
        other.out = folder.path().join("other");
        other.name = "other".into();
        other.stages[1].length = 7;
        for _ in 0..2 {
            assert_eq!(take_over(std::slice::from_ref(&donor), &other)?, 1);
            assert_eq!(fs::read_to_string(other.out.join("stages/1-a/model.safetensors"))?, "1-a");
            assert!(!other.out.join("stages/2-b").exists());
            assert!(other.out.join("tokenizer/tokenizer.json").is_file());
            assert_eq!(fs::read_to_string(other.out.join("metrics.jsonl"))?.lines().count(), 1);
        }
        let mut seeded = donor.clone();
        (seeded.seed, seeded.out) = (5, folder.path().join("seeded"));
        assert_eq!(take_over(std::slice::from_ref(&donor), &seeded)?, 0);
        assert_eq!(take_over(&[], &seeded)?, 0);
        Ok(())
    }
}

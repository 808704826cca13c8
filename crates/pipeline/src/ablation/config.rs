//! What an ablation is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_eval::profile::{Generation, Profile};
use tsumugi_train::Recipe;

use crate::Error;
use crate::steps::evaluate::JudgeConfig;

/// An ablation: one recipe, and runs that each change something in it. Read from TOML; paths are relative to the current
/// folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AblationConfig {
    /// The recipe that every run begins with.
    pub recipe: PathBuf,
    /// `key=value` overrides of it in every run.
    pub set: Vec<String>,
    /// Train and evaluate on the embedded sample instead of data of one's own.
    pub sample: Option<Sample>,
    /// The reference whose rules the evaluation follows.
    pub profile: Profile,
    /// What the models are asked; the sample's own benchmark where there is a sample and no other.
    pub benchmarks: Vec<Asked>,
    /// Who judges; nobody where absent.
    pub judge: Option<Judge>,
    /// Generation other than the profile's.
    pub generation: Option<Generation>,
    /// Questions answered together.
    pub batch: usize,
    /// The runs. Differences are to the first.
    pub runs: Vec<Run>,
}

impl Default for AblationConfig {
    fn default() -> Self {
        Self {
            recipe: PathBuf::new(),
            set: Vec::new(),
            sample: None,
            profile: Profile::default(),
            benchmarks: Vec::new(),
            judge: None,
            generation: None,
            batch: 4,
            runs: Vec::new(),
        }
    }
}

/// The embedded sample as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sample {
    /// Pages of its site.
    pub pages: usize,
}

impl Default for Sample {
    fn default() -> Self {
        Self { pages: tsumugi_demo::PAGES }
    }
}

/// A benchmark that every model is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Its name, or a JSONL or Parquet file.
    pub benchmark: String,
    /// Folder of the Parquet files of a named one; fetched from the hub where absent.
    pub data: Option<PathBuf>,
}

/// Who judges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Judge {
    /// The loopback stand-in, whose points say nothing about quality.
    pub stand_in: bool,
    /// The endpoint up to `/v1`; `OPENAI_BASE_URL` or OpenAI's own where absent.
    pub base_url: Option<String>,
    /// The judge's name there.
    pub model: String,
    /// Runs over the same answers; the profile's number where absent.
    pub runs: Option<u32>,
    /// A file with another prompt.
    pub template: Option<PathBuf>,
    /// A file with rules by category.
    pub rules: Option<PathBuf>,
    /// Requests in flight at once.
    pub concurrency: Option<usize>,
    /// Money after which the judge of one evaluation stops.
    pub budget_usd: Option<f64>,
}

impl Judge {
    /// The same for the step `evaluate`; `stand_in` is the address and name of the stand-in where it judges.
    pub(super) fn of_step(&self, stand_in: Option<(&str, &str)>) -> JudgeConfig {
        let (base_url, model) = match stand_in {
            Some((url, model)) => (Some(url.to_owned()), model.to_owned()),
            None => (self.base_url.clone(), self.model.clone()),
        };
        JudgeConfig {
            base_url,
            model,
            concurrency: self.concurrency,
            budget_usd: self.budget_usd,
            runs: self.runs,
            template: self.template.clone(),
            language: None,
            rules: self.rules.clone(),
        }
    }
}

/// One run: the recipe with something changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// What the tables call it; its folder is named after it.
    pub name: String,
    /// Stages that are left out.
    pub without_stages: Vec<String>,
    /// Data sources that are left out of every stage.
    pub without_sources: Vec<String>,
    /// Other folders for data sources, by the name of the source. With the embedded sample they are names of its tables:
    /// `pairs`, `interleaved`, `conversations` and `translated`.
    pub replace: BTreeMap<String, PathBuf>,
    /// Further `key=value` overrides of the recipe.
    pub set: Vec<String>,
    /// The row of the paper's table 3 that it repeats, such as `no step 1`.
    pub paper: Option<String>,
}

impl AblationConfig {
    /// Reads a configuration from a TOML file.
    ///
    /// # Errors
    /// [`Error::Config`] where the file cannot be read or says something impossible.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::config(path.display().to_string(), reason);
        let text = std::fs::read_to_string(path).map_err(|e| fault(e.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|e| fault(e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key.
    pub fn validate(&self) -> Result<(), Error> {
        if self.runs.is_empty() {
            return Err(Error::config("runs", "there is none; each [[runs]] names one"));
        }
        let mut folders = BTreeSet::new();
        for run in &self.runs {
            if run.folder().is_empty() {
                return Err(Error::config("runs.name", format!("{:?} has no letter or digit", run.name)));
            }
            if !folders.insert(run.folder()) {
                return Err(Error::config(
                    "runs.name",
                    format!("two runs would share the folder {}", run.folder()),
                ));
            }
            let known = |row: &str| tsumugi_eval::published::PUBLISHED.iter().any(|p| p.model == row);
            if let Some(row) = run.paper.as_deref().filter(|row| !known(row)) {
                return Err(Error::config("runs.paper", format!("the paper's tables have no row {row:?}")));
            }
        }
        if self.benchmarks.is_empty() && self.sample.is_none() {
            return Err(Error::config("benchmarks", "there is none; each [[benchmarks]] names one"));
        }
        Ok(())
    }
}

impl Run {
    /// Name of its folder.
    pub(super) fn folder(&self) -> String {
        let safe = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
        self.name.trim().chars().map(safe).collect::<String>().trim_matches(['-', '.']).to_owned()
    }

    /// The recipe of this run. `data` is the folder of the sample's tables, where it is the data.
    pub(super) fn recipe(
        &self,
        config: &AblationConfig,
        data: Option<&Path>,
        out: &Path,
    ) -> Result<Recipe, Error> {
        let overrides: Vec<String> = config.set.iter().chain(&self.set).cloned().collect();
        let mut recipe = Recipe::from_file(&config.recipe, &overrides)
            .map_err(|e| crate::steps::train::error(&config.recipe.display().to_string(), e))?;
        let place = || format!("run {:?}", self.name);
        for name in &self.without_stages {
            if !recipe.stages.iter().any(|stage| stage.name == *name) {
                return Err(Error::config(place(), format!("the recipe has no stage {name:?} to leave out")));
            }
        }
        for name in self.without_sources.iter().chain(self.replace.keys()) {
            if !recipe.stages.iter().flat_map(|stage| &stage.data).any(|data| data.source == *name) {
                return Err(Error::config(place(), format!("no stage of the recipe draws from {name:?}")));
            }
        }
        recipe.stages.retain(|stage| !self.without_stages.contains(&stage.name));
        for stage in &mut recipe.stages {
            stage.data.retain(|data| !self.without_sources.contains(&data.source));
            for source in &mut stage.data {
                let other = self.replace.get(&source.source);
                match (data, other) {
                    (Some(folder), Some(table)) => source.path = folder.join(table),
                    (Some(folder), None) => source.path = folder.join(&source.source),
                    (None, Some(path)) => source.path.clone_from(path),
                    (None, None) => {}
                }
            }
        }
        recipe.stages.retain(|stage| !stage.data.is_empty());
        recipe.name.clone_from(&self.name);
        recipe.out = out.to_owned();
        recipe.validate().map_err(|e| crate::steps::train::error(&place(), e))?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<AblationConfig, Error> {
        let config: AblationConfig = toml::from_str(text).map_err(Error::step("test", "toml"))?;
        config.validate().map(|()| config)
    }

    #[test]
    fn runs_change_the_recipe() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let recipe = folder.path().join("r.toml");
        std::fs::write(
            &recipe,
            "[model.config.vision]\nhidden_size = 16\n[[stages]]\nname = \"a\"\nduration = { steps = 2 }\ndata = [{ source = \"pairs\", path = \"p\" }]\n[[stages]]\nname = \"b\"\nduration = { steps = 2 }\ndata = [{ source = \"interleaved\", path = \"i\" }, { source = \"pairs\", path = \"p\" }]\n",
        )?;
        let text = format!(
            "recipe = {recipe:?}\n[sample]\n[[runs]]\nname = \"all\"\n[[runs]]\nname = \"no i\"\nwithout_sources = [\"interleaved\"]\nset = [\"stages.a.length=7\"]\n[[runs]]\nname = \"no a\"\nwithout_stages = [\"a\"]\nreplace = {{ pairs = \"other\" }}\n"
        );
        let config = config(&text)?;
        let recipes: Vec<Recipe> = config
            .runs
            .iter()
            .map(|run| run.recipe(&config, None, Path::new("out")))
            .collect::<Result<_, _>>()?;
        assert_eq!(recipes[0].stages.len(), 2);
        assert_eq!((recipes[1].stages[0].length, recipes[1].stages[1].data.len()), (7, 1));
        assert_eq!(recipes[2].stages.len(), 1);
        assert_eq!(recipes[2].stages[0].data[1].path, Path::new("other"));
        let sampled = config.runs[2].recipe(&config, Some(Path::new("d")), Path::new("out"))?;
        assert_eq!(sampled.stages[0].data[0].path, Path::new("d/interleaved"));
        assert_eq!(sampled.stages[0].data[1].path, Path::new("d/other"));
        let wrong = Run { name: "x".into(), without_stages: vec!["c".into()], ..Run::default() };
        let error = wrong.recipe(&config, None, Path::new("out")).err().map(|e| e.to_string());
        assert!(error.is_some_and(|e| e.contains("\"c\"")));
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (text, word) in [
            ("[sample]", "runs"),
            ("[sample]\n[[runs]]\nname = \"?\"", "letter"),
            ("[sample]\n[[runs]]\nname = \"a b\"\n[[runs]]\nname = \"a-b\"", "a-b"),
            ("[[runs]]\nname = \"a\"", "benchmarks"),
            ("[sample]\n[[runs]]\nname = \"a\"\npaper = \"no such\"", "no such"),
        ] {
            let error = config(text).err().map(|e| (e.exit_code(), e.to_string()));
            assert!(error.as_ref().is_some_and(|(code, e)| *code == 2 && e.contains(word)), "{error:?}");
        }
    }
}

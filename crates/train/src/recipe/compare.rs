//! Whether two recipes train the same.

use toml::{Table, Value};

use super::{Best, CheckpointPolicy, EvaluationConfig, LossRules, Recipe};
use crate::{Error, Result};

/// What of a run is in its folder already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trained {
    /// Number of the first stages that are done, or that a checkpoint has been written of.
    pub(crate) stages: usize,
    /// Whether the model has been exported.
    pub(crate) exported: bool,
}

/// The first key that keeps a run of the recipe `there` from going on under the recipe `here`, with both values.
///
/// Stages that are not trained yet do not count, and neither do keys that leave the weights as they are or change only
/// their last digits (see [`Recipe`]).
pub(crate) fn difference(there: &Recipe, here: &Recipe, trained: Trained) -> Result<Option<String>> {
    if trained.stages == 0 {
        return Ok(None);
    }
    let table = |recipe: &Recipe| -> Result<Value> {
        let table = Table::try_from(essence(recipe, trained));
        Ok(Value::Table(table.map_err(|error| Error::RecipeValue(Box::new(error)))?))
    };
    Ok(differ("", Some(&table(there)?), Some(&table(here)?)))
}

/// The part of a recipe that determines what is in the folder.
fn essence(recipe: &Recipe, trained: Trained) -> Recipe {
    let same = Recipe::default();
    let mut recipe = Recipe {
        name: same.name,
        out: same.out,
        callbacks: same.callbacks,
        metrics: same.metrics,
        threads: same.threads,
        loader_threads: same.loader_threads,
        device: same.device,
        deterministic: same.deterministic,
        peak_tflops: same.peak_tflops,
        ..recipe.clone()
    };
    if !trained.exported {
        recipe.export.dtype = same.export.dtype;
    }
    // Recipes of older runs spell the default out.
    recipe.export.chat_template.get_or_insert_with(|| "llmjp_v3".to_owned());
    recipe.stages.truncate(trained.stages);
    for stage in &mut recipe.stages {
        // Only the weights that a stage ends with matter here, not when checkpoints are written.
        let finish = stage.checkpoint.best == Best::Finish;
        stage.checkpoint = CheckpointPolicy::default();
        if finish {
            stage.checkpoint.best = Best::Finish;
            if let Some(evaluation) = &mut stage.evaluation {
                let EvaluationConfig { answers, max_new_tokens, .. } = EvaluationConfig::default();
                (evaluation.answers, evaluation.max_new_tokens) = (answers, max_new_tokens);
            }
        } else {
            stage.evaluation = None;
        }
        stage.rules = LossRules::default();
        stage.recompute = 0;
        stage.batch.micro = 1;
    }
    recipe
}

fn differ(key: &str, there: Option<&Value>, here: Option<&Value>) -> Option<String> {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (there, here) {
        (Some(Value::Table(a)), Some(Value::Table(b))) => {
            let only_here = b.keys().filter(|name| !a.contains_key(*name));
            a.keys().chain(only_here).find_map(|name| differ(&below(name), a.get(name), b.get(name)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.iter().chain(b).all(Value::is_table) => {
            let name_of = |at: usize| {
                let entry = a.get(at).or(b.get(at)).and_then(|entry| entry.get("name"));
                entry.and_then(Value::as_str).map_or(at.to_string(), str::to_owned)
            };
            (0..a.len().max(b.len())).find_map(|at| differ(&below(&name_of(at)), a.get(at), b.get(at)))
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("{key} is {} there and {} here", shown(a), shown(b))),
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "not set".into(),
        Some(Value::Table(_)) => "set".into(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [model.config.vision]
        hidden_size = 16
        [[stages]]
        name = "a"
        duration = { steps = 3 }
        data = [{ source = "pairs", path = "p" }]
        [[stages]]
        name = "b"
        duration = { steps = 3 }
        checkpoint = { best = "finish" }
        evaluation = { data = [{ source = "pairs", path = "q" }] }
        data = [{ source = "pairs", path = "p" }]
    "#;

    fn found(set: &str, stages: usize, exported: bool) -> Option<String> {
        let there = Recipe::from_toml(TEXT, &[]).unwrap();
        let here = Recipe::from_toml(TEXT, &[set.to_owned()]).unwrap();
        difference(&there, &here, Trained { stages, exported }).unwrap()
    }

    #[test]
    fn what_changes_the_weights_is_named() {
        for (set, said) in [
            ("seed=4", "seed is 0 there and 4 here"),
            ("stages.a.optimizer.lr=0.5", "stages.a.optimizer.lr is 0.001 there and 0.5 here"),
            ("stages.a.data.0.path=r", "stages.a.data.0.path is \"p\" there and \"r\" here"),
            ("stages.a.data.0.limit=3", "stages.a.data.0.limit is not set there and 3 here"),
            ("stages.a.tune=[\"vision\"]", "stages.a.tune is"),
            ("stages.a.batch.rows=2", "stages.a.batch.rows is 128 there and 2 here"),
            ("model.config.language.hidden_size=8", "model.config.language.hidden_size is"),
        ] {
            assert!(found(set, 1, false).unwrap().starts_with(said), "{set}: {:?}", found(set, 1, false));
            assert_eq!(found(set, 0, false), None, "nothing is trained yet: {set}");
        }
        assert!(found("stages.b.evaluation.rows=3", 2, false).is_some());
        assert!(found("export.dtype=bf16", 2, true).is_some());
    }

    #[test]
    fn what_leaves_the_weights_as_they_are_may_change() {
        for set in [
            "name=x",
            "out=elsewhere",
            "threads=2",
            "loader_threads=5",
            "device=cuda:1",
            "deterministic=false",
            "peak_tflops=3.5",
            "metrics=[{name=\"tensorboard\"}]",
            "callbacks=[{name=\"x\"}]",
            "export.dtype=bf16",
            "stages.a.batch.micro=2",
            "stages.a.recompute=1",
            "stages.a.checkpoint.every=7",
            "stages.a.checkpoint.keep=7",
            "stages.a.rules.spike=9",
            "stages.a.evaluation={data=[{source=\"pairs\"}]}",
            "stages.b.evaluation.answers=1",
        ] {
            assert_eq!(found(set, 2, false), None, "{set}");
        }
        assert_eq!(found("stages.b.optimizer.lr=0.5", 1, false), None, "stage b is not trained yet");
        assert!(found("stages.b.optimizer.lr=0.5", 2, false).is_some());
    }
}

//! `score`: predictions against references.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tsumugi_eval::profile::{Corpus, Profile};
use tsumugi_eval::rouge::score_all;
use tsumugi_eval::stats::{Resampling, bootstrap_median};
use tsumugi_text::mecab::Dictionary;

use super::{Lines, json_lines};
use crate::{Context, Error, Group, Tool};

/// Scores predictions against references: a JSON line with `score` for each line of the input, and the corpus score with its
/// interval at the end.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// JSON lines with `prediction` and `reference`.
    #[schemars(extend("x-required" = true, "x-value-name" = "FILE.jsonl"))]
    pub predictions: PathBuf,
    /// What is computed.
    pub metric: Metric,
    /// The reference implementation whose rules are followed: paper, eval-mm, sakana or heron.
    pub profile: String,
    /// Folder of the dictionary unidic-lite.
    #[schemars(extend("x-value-name" = "DIR"))]
    pub dictionary: Option<PathBuf>,
}

/// A measure of how well a prediction fits a reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Metric {
    /// The longest common subsequence of words, from 0 to 100.
    #[default]
    RougeL,
}

impl Default for Settings {
    fn default() -> Self {
        let profile = Profile::default().as_str().to_owned();
        Settings { predictions: PathBuf::new(), metric: Metric::RougeL, profile, dictionary: None }
    }
}

/// The command `score`.
pub struct Score;

impl Tool for Score {
    const NAME: &'static str = "score";
    const GROUP: Group = Group::Evaluation;
    const ABOUT: &'static str = "Scores predictions against references";
    type Settings = Settings;

    fn run(settings: Settings, _: &Context) -> Result<Value, Error> {
        let mut out = Lines::new();
        let result = run(&settings, &mut out);
        // What was found before a failure is shown too.
        out.finish().and(result)
    }
}

fn run(settings: &Settings, out: &mut Lines) -> Result<Value, Error> {
    let Metric::RougeL = settings.metric;
    let profile = super::profile(&settings.profile)?;
    let mut pairs = Vec::new();
    for row in json_lines(&settings.predictions)? {
        pairs.push((row.text("prediction")?, row.text("reference")?));
    }
    if pairs.is_empty() {
        let place = settings.predictions.display().to_string();
        return Err(Error::step("score", place)("the file holds no predictions"));
    }
    let dictionary =
        Dictionary::find(settings.dictionary.as_deref()).map_err(Error::step("score", "dictionary"))?;
    let rules = profile.settings();
    let scores = score_all(&dictionary, rules.normalizer, &pairs);
    for score in &scores {
        out.write(&json!({ "score": score }))?;
    }
    let mean = |drawn: &[usize]| drawn.iter().map(|i| scores[*i]).sum::<f64>() / drawn.len().max(1) as f64;
    let all: Vec<usize> = (0..scores.len()).collect();
    let score = match rules.corpus {
        Corpus::Mean => mean(&all),
        Corpus::BootstrapMedian => bootstrap_median(&scores),
    };
    let interval = Resampling::by_question(scores.iter().map(|_| "")).interval(mean);
    Ok(
        json!({"metric": settings.metric, "profile": profile, "pairs": scores.len(), "corpus_score": score, "interval": interval}),
    )
}

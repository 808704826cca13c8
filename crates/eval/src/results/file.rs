//! The result file: one writer, and one reader of all versions.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tsumugi_chat::ParameterChanges;

use crate::Error;
use crate::contamination::Contaminated;
use crate::item::Item;
use crate::number;
use crate::profile::Profile;
use crate::scorer::names;
use crate::stats::{Interval, Variance};

/// Version of the file format. Version 3 keeps the values of an item by metric, and the title and maximum of each
/// score; version 4 the number of answers that each score is of.
pub const VERSION: u32 = 4;
/// Name of the file in a run's folder.
pub const FILE: &str = "results.json";

/// Everything a run found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of this format.
    pub version: u32,
    /// Name of the benchmark.
    pub benchmark: String,
    /// The reference whose rules were followed.
    pub profile: Profile,
    /// Who answered.
    pub model: String,
    /// How the model was asked.
    pub settings: serde_json::Value,
    /// Questions of the benchmark.
    pub questions: usize,
    /// Questions that got no answer and are in no score.
    pub unanswered: usize,
    /// The scores.
    pub scores: Vec<MetricScore>,
    /// Facts about the judge, where there was one.
    pub judge: Option<JudgeFacts>,
    /// The detector of the language gate, where the profile has one (since version 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_detector: Option<String>,
    /// What of the benchmark was found again in training data, where that was looked for (since version 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contamination: Option<Contaminated>,
    /// Each answered question.
    pub items: Vec<Item>,
}

/// One score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricScore {
    /// Name of the metric, such as `rouge-l`.
    pub metric: String,
    /// Name of the metric in tables and charts (since version 3).
    #[serde(default)]
    pub title: String,
    /// The best score there can be (since version 3).
    #[serde(default)]
    pub maximum: f64,
    /// Answers that the score is of (since version 4).
    #[serde(default)]
    pub answers: usize,
    /// The score.
    #[serde(with = "number")]
    pub score: f64,
    /// 95 % bootstrap interval over questions, drawn within their categories.
    pub interval: Interval,
    /// 95 % bootstrap interval over images, each drawn with all its questions.
    #[serde(alias = "interval_by_picture")]
    pub interval_by_image: Interval,
    /// Score of each category.
    pub categories: Vec<CategoryScore>,
    /// Score over the questions of which nothing was found in training data, where something was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<f64>,
}

impl MetricScore {
    /// The number of answers that the score is of, in brackets, where it is not of all questions; empty where it is.
    #[must_use]
    pub fn share_of(&self, questions: usize) -> String {
        if self.answers < questions {
            format!(" ({} of {questions} answers)", self.answers)
        } else {
            String::new()
        }
    }
}

/// Score of one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryScore {
    /// Its name.
    pub category: String,
    /// Its score.
    #[serde(with = "number")]
    pub score: f64,
    /// Its questions.
    pub questions: usize,
}

/// Facts about the judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeFacts {
    /// The judge.
    pub model: String,
    /// Runs over the same answers; the score is the mean of the scores of the runs.
    pub runs: u32,
    /// Score of each run.
    pub run_scores: Vec<Option<f64>>,
    /// Judgements that were asked for.
    pub judgements: usize,
    /// Replies that could not be read where the reference puts fixed points; those points are in the score.
    pub unreadable: usize,
    /// Replies over which the reference would stop; in no score.
    pub crashes: usize,
    /// Judgements that the server did not give; in no score.
    pub unanswered: usize,
    /// Where the variance of the points comes from, failures left out.
    pub variance: Option<Variance>,
    /// What was sent to the judge instead of parameters that it refuses (since version 4).
    #[serde(default, skip_serializing_if = "ParameterChanges::is_empty")]
    pub sent_instead: ParameterChanges,
}

impl Results {
    /// Reads the result file of a run's folder (or the file itself).
    ///
    /// # Errors
    /// Where it is missing, not a result file, or of a later version.
    pub fn read(place: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Stated {
            version: u32,
        }
        let path = if place.is_dir() { place.join(FILE) } else { place.to_owned() };
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        let json = |source: serde_json::Error| Error::unreadable(&path, "results", source);
        let stated: Stated = serde_json::from_str(&text).map_err(json)?;
        if stated.version > VERSION {
            return Err(Error::Version { path, found: stated.version, known: VERSION });
        }
        let mut results: Self = serde_json::from_str(&text).map_err(json)?;
        results.scores.iter_mut().filter(|score| score.title.is_empty()).for_each(name_old_metric);
        if stated.version < 4 {
            // The points that a judge did not give were not counted before.
            results.scores.iter_mut().for_each(|score| score.answers = results.items.len());
        }
        Ok(results)
    }

    /// Writes the result file into a run's folder atomically.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        Ok(tsumugi_record::write_json(&folder.join(FILE), self)?)
    }

    /// The score of a metric.
    #[must_use]
    pub fn metric(&self, metric: &str) -> Option<&MetricScore> {
        self.scores.iter().find(|score| score.metric == metric)
    }

    /// The scores as a Markdown table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| benchmark | profile | model | metric | answers | score | 95 % interval | by image |\n|---|---|---|---|---|---|---|---|\n",
        );
        for score in &self.scores {
            let (a, b) = (score.interval, score.interval_by_image);
            out.push_str(&format!(
                "| {} | {} | {} | {} | {} of {} | {:.2} | {:.2} to {:.2} | {:.2} to {:.2} |\n",
                cell(&self.benchmark),
                self.profile,
                cell(&self.model),
                cell(&score.title),
                score.answers,
                self.questions,
                score.score,
                a.low,
                a.high,
                b.low,
                b.high
            ));
        }
        out
    }
}

/// Gives a score of a file before version 3 its title and maximum.
fn name_old_metric(score: &mut MetricScore) {
    let (title, maximum) = match score.metric.as_str() {
        names::ROUGE_L => ("ROUGE-L", 100.0),
        names::ROUGE_L_JA => ("ROUGE-L, ja only", 100.0),
        names::JUDGE_RELATIVE => ("Judge, % of reference", 100.0),
        names::JUDGE_POINTS => ("Judge, points", 5.0),
        other => (other, 100.0),
    };
    score.title = title.to_owned();
    score.maximum = maximum;
}

/// Escapes a text for a cell of a Markdown table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

//! Result files: scores of one run with all that is needed to look at it again and to compare it.
//!
//! There is one writer and one reader; the file states its version, and [`Results::read`] takes all versions up to
//! its own.

mod compare;
pub(crate) mod number;
mod score;

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::compare::{Comparison, Difference, Row, compare};
pub use self::score::score;
use crate::Error;
use crate::contamination::Contaminated;
use crate::profile::Profile;
use crate::stats::{Interval, Variance};

/// Version of the file format.
pub const VERSION: u32 = 2;
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
    /// What was measured.
    pub metric: Metric,
    /// The score.
    #[serde(with = "number")]
    pub score: f64,
    /// 95 % bootstrap interval, questions drawn (within categories).
    pub interval: Interval,
    /// 95 % bootstrap interval, pictures drawn with all their questions.
    pub interval_by_picture: Interval,
    /// Score of each category.
    pub categories: Vec<CategoryScore>,
    /// Score over the questions of which nothing was found in training data, where something was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<f64>,
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

/// What a score measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// ROUGE-L F1, 0 to 100.
    RougeL,
    /// ROUGE-L F1 where answers in another language than a Japanese reference count as empty, 0 to 100.
    RougeLJa,
    /// A judge's points in percent of those of the reference answers.
    JudgeRelative,
    /// A judge's points, 1 to 5 (0 where `eval-mm` gives none).
    JudgePoints,
}

impl Metric {
    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::RougeL => "ROUGE-L",
            Self::RougeLJa => "ROUGE-L, Japanese only",
            Self::JudgeRelative => "Judge, % of reference",
            Self::JudgePoints => "Judge, points",
        }
    }
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
}

/// One answered question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The question.
    pub question_id: String,
    /// Its category.
    pub category: String,
    /// Identifier of its picture.
    pub picture: Option<String>,
    /// ROUGE-L F1, 0 to 100.
    pub rouge_l: f64,
    /// ROUGE-L F1 behind the language gate, where the profile has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rouge_l_ja: Option<f64>,
    /// The judge's points by run as they enter the score: fixed points where the reference puts such, null where
    /// there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Option<f64>>,
    /// The judge's points of the reference answer by run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_points: Vec<Option<f64>>,
    /// Judgements of this question that failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
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
        let json = |source| Error::Json { path: path.clone(), source };
        let stated: Stated = serde_json::from_str(&text).map_err(json)?;
        if stated.version > VERSION {
            return Err(Error::Version { path, found: stated.version, known: VERSION });
        }
        serde_json::from_str(&text).map_err(json)
    }

    /// Writes the result file into a run's folder, whole or not at all.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        Ok(tsumugi_record::write_json(&folder.join(FILE), self)?)
    }

    /// The score of a metric.
    #[must_use]
    pub fn metric(&self, metric: Metric) -> Option<&MetricScore> {
        self.scores.iter().find(|score| score.metric == metric)
    }

    /// Notes what was found in training data, and gives each score also over the questions of which nothing was found.
    pub fn set_contamination(&mut self, found: Contaminated) {
        let names: HashSet<&str> = found.findings.iter().map(|f| f.question_id.as_str()).collect();
        let clean: Vec<usize> =
            (0..self.items.len()).filter(|i| !names.contains(self.items[*i].question_id.as_str())).collect();
        for score in &mut self.scores {
            score.clean = (!clean.is_empty())
                .then(|| score::statistic(&self.items, score.metric, self.profile, &clean))
                .filter(|score| score.is_finite());
        }
        self.contamination = Some(found);
    }

    /// The scores as a Markdown table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| benchmark | profile | model | metric | score | 95 % interval | by picture |\n|---|---|---|---|---|---|---|\n",
        );
        for score in &self.scores {
            let (a, b) = (score.interval, score.interval_by_picture);
            out.push_str(&format!(
                "| {} | {} | {} | {} | {:.2} | {:.2} to {:.2} | {:.2} to {:.2} |\n",
                cell(&self.benchmark),
                self.profile,
                cell(&self.model),
                score.metric.title(),
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

/// A text inside a Markdown table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

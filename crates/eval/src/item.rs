//! One answered question with all its scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One answered question, as result files keep it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredItem")]
pub struct Item {
    /// The question's id.
    pub question_id: String,
    /// Its category; empty where the benchmark has none.
    pub category: String,
    /// Id of its image.
    pub image: Option<String>,
    /// Values by metric, such as `rouge-l`: one for each scorer that gives a value to each answer.
    pub scores: BTreeMap<String, f64>,
    /// The judge's points by run as they enter the score: the fixed points where the reference tool assigns such, null
    /// where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Option<f64>>,
    /// The judge's points of the reference answer by run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference_points: Vec<Option<f64>>,
    /// Judgements of this question that failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// An item of any version of the file: up to version 2 the two ROUGE-L values had fields of their own.
#[derive(Deserialize)]
struct StoredItem {
    question_id: String,
    #[serde(default)]
    category: String,
    #[serde(default, alias = "picture")]
    image: Option<String>,
    #[serde(default)]
    scores: BTreeMap<String, f64>,
    rouge_l: Option<f64>,
    rouge_l_ja: Option<f64>,
    #[serde(default)]
    points: Vec<Option<f64>>,
    #[serde(default)]
    reference_points: Vec<Option<f64>>,
    #[serde(default)]
    failures: usize,
}

impl From<StoredItem> for Item {
    fn from(stored: StoredItem) -> Self {
        let mut scores = stored.scores;
        let old = [("rouge-l", stored.rouge_l), ("rouge-l-ja", stored.rouge_l_ja)];
        scores.extend(old.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Self {
            question_id: stored.question_id,
            category: stored.category,
            image: stored.image,
            scores,
            points: stored.points,
            reference_points: stored.reference_points,
            failures: stored.failures,
        }
    }
}

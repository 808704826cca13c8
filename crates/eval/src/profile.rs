//! Profiles: the reference tool that a score is comparable with.
//!
//! Scores of different tools and versions are not comparable. A profile therefore fixes questions, generation,
//! normalisation, metrics, judge and aggregation together, and is reported with every score.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use tsumugi_text::normalize::Normalizer;

use crate::scorer::names;

/// The reference tool that an evaluation follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// llm-jp-eval-mm v0.0.4, with which the LLM-jp-3 VILA paper was evaluated.
    #[default]
    Paper,
    /// llm-jp-eval-mm in its current form.
    EvalMm,
    /// SakanaAI/evolutionary-model-merge.
    Sakana,
    /// turingmotors/heron.
    Heron,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Paper, Self::EvalMm, Self::Sakana, Self::Heron];

    /// Its name in configurations and results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::EvalMm => "eval-mm",
            Self::Sakana => "sakana",
            Self::Heron => "heron",
        }
    }

    /// The settings that it fixes.
    #[must_use]
    pub fn settings(self) -> Settings {
        let usual = Settings {
            language: "ja",
            normalizer: Normalizer::Nfkc,
            corpus: Corpus::Mean,
            generation: Generation { max_tokens: 256, beams: 1, repetition_penalty: 1.0 },
            first_question_only: false,
            pair: Some(PairReply::TwoIntegers),
            point: Some(PointReply::Labelled),
            empty_is_zero: false,
            language_gate: None,
        };
        match self {
            Self::Paper => usual,
            Self::EvalMm => Settings {
                pair: Some(PairReply::Json),
                point: Some(PointReply::FirstDigit),
                empty_is_zero: true,
                ..usual
            },
            Self::Sakana => Settings {
                normalizer: Normalizer::Neologdn,
                corpus: Corpus::BootstrapMedian,
                generation: Generation { max_tokens: 512, beams: 5, repetition_penalty: 1.5 },
                first_question_only: true,
                pair: None,
                point: None,
                language_gate: Some("ja"),
                ..usual
            },
            Self::Heron => Settings { pair: Some(PairReply::TwoNumbers), point: None, ..usual },
        }
    }

    /// How a judge is asked about a benchmark with this plan; `None` where the reference tool has no such judge.
    #[must_use]
    pub fn judging(self, plan: JudgePlan) -> Option<Judging> {
        let settings = self.settings();
        let pair = settings.pair.map(Style::Pair);
        let point = settings.point.map(Style::Point);
        let style = match plan.kind {
            JudgeKind::Pair => pair,
            JudgeKind::Point => point,
            JudgeKind::Either => point.or(pair),
        };
        style.map(|style| Judging { style, runs: plan.runs })
    }

    /// Names of the metrics that the reference tool reports. A judge's metrics apply only where a judge of that kind gave
    /// points.
    #[must_use]
    pub fn metrics(self) -> Vec<String> {
        let gated = self.settings().language_gate.map(|language| format!("{}-{language}", names::ROUGE_L));
        let mut metrics = vec![names::ROUGE_L.to_owned()];
        metrics.extend(gated);
        metrics.extend([names::JUDGE_RELATIVE, names::JUDGE_POINTS].map(str::to_owned));
        metrics
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == name);
        found.ok_or_else(|| format!("unknown profile {name:?}; known are paper, eval-mm, sakana and heron"))
    }
}

/// The settings that a profile fixes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Language of the reference tool's judge prompts (ISO 639-1).
    pub language: &'static str,
    /// Normalisation before ROUGE-L and exact match.
    pub normalizer: Normalizer,
    /// How the values of the questions become one score.
    pub corpus: Corpus,
    /// How answers are generated.
    pub generation: Generation,
    /// Whether JA-VG-VQA-500 asks only the first of the eight questions of each image.
    pub first_question_only: bool,
    /// Reply of a judge that compares with the reference answer; `None` where there is no such judge.
    pub pair: Option<PairReply>,
    /// Reply of a judge that gives 1 to 5 points; `None` where there is no such judge.
    pub point: Option<PointReply>,
    /// Whether an empty answer gets 0 points without a call of the judge.
    pub empty_is_zero: bool,
    /// Reports a second ROUGE-L in which answers that are not in this language (ISO 639-1), where the reference is, count as
    /// empty.
    pub language_gate: Option<&'static str>,
}

/// How the values of the questions become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corpus {
    /// The plain mean.
    Mean,
    /// The median of the means of 1,000 bootstrap samples, as `rouge_score`'s aggregator gives it. The reference draws
    /// without a seed; ours is seeded, so that a score is the same each time.
    BootstrapMedian,
}

/// How answers are generated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Generation {
    /// Maximum length of an answer in tokens. Default: the profile's (256 in llm-jp-eval-mm, 512 in SakanaAI's tool).
    pub max_tokens: u32,
    /// Number of beams; 1 is greedy search. Default: the profile's (1, or 5 in SakanaAI's tool).
    pub beams: u32,
    /// Penalty on tokens that occurred before; 1 is none. Default: the profile's (1, or 1.5 in SakanaAI's tool).
    pub repetition_penalty: f32,
}

/// The judge's task and the form of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Points from 1 to 10 for the reference answer and for the model's.
    Pair(PairReply),
    /// Points from 1 to 5 for the model's answer beside the reference.
    Point(PointReply),
}

/// Reply of a judge that compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairReply {
    /// First line: two integers, the reference's first, exactly one space or comma between (`paper`).
    TwoIntegers,
    /// First line: two numbers, the reference's first (`heron`).
    TwoNumbers,
    /// A JSON object with `score` and `score_gpt` (`eval-mm`).
    Json,
}

/// Reply of a judge that gives points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointReply {
    /// `Score: N` anywhere; 1 where it is missing or out of range (`paper`).
    Labelled,
    /// The first digit; 0 where there is none (`eval-mm`).
    FirstDigit,
}

/// How the answers to a benchmark are judged, whatever the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgePlan {
    /// The kind of judge.
    pub kind: JudgeKind,
    /// Runs over the same answers whose mean is the score.
    pub runs: u32,
}

impl Default for JudgePlan {
    /// One run of either kind of judge.
    fn default() -> Self {
        Self { kind: JudgeKind::Either, runs: 1 }
    }
}

/// A kind of judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgeKind {
    /// One that gives points to the reference answer and the model's.
    Pair,
    /// One that gives points to the model's answer beside the reference.
    Point,
    /// One that gives points where the profile has such a judge, else one that gives a pair of points.
    Either,
}

/// How a judge is asked about a benchmark under a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// Task and reply.
    pub style: Style,
    /// Runs over the same answers whose mean is the score.
    pub runs: u32,
}

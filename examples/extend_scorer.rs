//! A benchmark and a metric of one's own: `cargo run --example extend_scorer`.
//!
//! A scorer gives one value to each answer; a benchmark's source gives questions. Registered once, both are selected by
//! name from a configuration, and intervals, categories and comparisons of runs work as for every other metric.

use tsumugi::eval::bench::{Benchmark, BenchmarkSource, LoadRequest, Question};
use tsumugi::eval::profile::{JudgePlan, Profile};
use tsumugi::eval::results::{Results, Run, score};
use tsumugi::eval::scorer::{Answers, Resources, Scorer};
use tsumugi::eval::{Error, Registry};
use tsumugi::record::Prediction;

/// Compares the first number of an answer with that of the reference answer: 100 where they are equal, less the further
/// apart they are.
#[derive(Debug)]
struct NumberMatch;

impl Scorer for NumberMatch {
    fn name(&self) -> &str {
        "number-match"
    }

    fn title(&self) -> &str {
        "Number match"
    }

    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        let value = |p: &Prediction| match (number(&p.answer), number(&p.reference)) {
            (Some(answer), Some(reference)) => 100.0 / (1.0 + (answer - reference).abs()),
            _ => 0.0,
        };
        Ok(answers.predictions.iter().map(value).collect())
    }
}

fn number(text: &str) -> Option<f64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits = &text[start..];
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

/// Sums of two numbers. A lab's source would read its own files or database here.
#[derive(Debug)]
struct Sums;

impl BenchmarkSource for Sums {
    fn name(&self) -> &str {
        "sums"
    }

    fn load(&self, _request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let question = |n: usize| Question {
            id: n.to_string(),
            category: if n < 10 { "small" } else { "large" }.to_owned(),
            question: format!("What is {n} + {n}?"),
            reference: (n + n).to_string(),
            context: None,
            image: None,
        };
        Benchmark::new(self.name(), JudgePlan::default(), (0..20).map(question).collect())
    }
}

/// A model that is wrong by one for every fourth question.
fn answer(number: usize, question: &Question) -> Prediction {
    let wrong = usize::from(number % 4 == 3);
    Prediction {
        question_id: question.id.clone(),
        category: question.category.clone(),
        reference: question.reference.clone(),
        answer: format!("It is {}.", 2 * number + wrong),
        model: "stand-in".to_owned(),
        ..Prediction::default()
    }
}

fn run() -> Result<Results, Error> {
    let registry = Registry::default().with_scorer(NumberMatch).with_benchmark(Sums);
    // These names would come from a configuration: `benchmark = "sums"`, `metrics = [...]`.
    let scorers = registry.scorers(&["number-match", "exact-match"])?;
    let profile = Profile::Paper;
    let benchmark = registry.load_benchmark("sums", &LoadRequest::new(profile))?;
    let predictions: Vec<Prediction> =
        benchmark.questions.iter().enumerate().map(|(number, question)| answer(number, question)).collect();
    let run =
        Run { benchmark: &benchmark, profile, predictions: &predictions, judgements: &[], judging: None };
    score(&run, &scorers, &Resources::default())
}

fn main() -> Result<(), Error> {
    run().map(|results| println!("{}", results.markdown()))
}

#[test]
fn the_lab_s_metric_is_scored_like_ours() {
    let results = run().unwrap();
    assert_eq!(results.metric("number-match").unwrap().score, 87.5);
    assert_eq!(results.metric("exact-match").unwrap().score, 0.0);
}

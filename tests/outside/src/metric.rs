//! The lab's metric and benchmark.

use tsumugi::eval::bench::{Benchmark, BenchmarkSource, Image, LoadRequest, Question};
use tsumugi::eval::profile::JudgePlan;
use tsumugi::eval::scorer::{Answers, Scorer};
use tsumugi::eval::{Error, Registry};

use crate::data;

/// Fraction of an answer's letters that the reference answer has too, in percent.
#[derive(Debug)]
struct Letters;

impl Scorer for Letters {
    fn name(&self) -> &str {
        "letters"
    }

    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        let value = |answer: &str, reference: &str| {
            let shared = answer.chars().filter(|c| reference.contains(*c)).count();
            100.0 * shared as f64 / answer.chars().count().max(1) as f64
        };
        Ok(answers.predictions.iter().map(|p| value(&p.answer, &p.reference)).collect())
    }
}

/// One question for each colour.
#[derive(Debug)]
struct Colours;

impl BenchmarkSource for Colours {
    fn name(&self) -> &str {
        "colours"
    }

    fn load(&self, _request: &LoadRequest<'_>) -> Result<Benchmark, Error> {
        let question = |(number, name): (usize, &str)| Question {
            id: number.to_string(),
            category: "colour".to_owned(),
            question: "What colour?".to_owned(),
            reference: name.to_owned(),
            context: None,
            image: Some(Image::new(data::image(number))),
        };
        let questions = data::names().into_iter().enumerate().map(question).collect();
        Benchmark::new(self.name(), JudgePlan::default(), questions)
    }
}

/// The evaluator's components and the lab's.
pub fn evaluation() -> Registry {
    Registry::default().with_scorer(Letters).with_benchmark(Colours)
}

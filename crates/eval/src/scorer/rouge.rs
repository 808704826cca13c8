//! ROUGE-L over MeCab's words, as it is and behind a language gate.

use super::contract::{Answers, Scorer};
use super::names;
use super::resources::Resources;
use crate::Error;
use crate::item::Item;
use crate::profile::{Corpus, Profile};
use crate::rouge::{gated, score_all};
use crate::stats::{bootstrap_median, mean};

/// ROUGE-L F1 over MeCab's words, 0 to 100, with the profile's normalisation and aggregation.
#[derive(Debug, Clone, Copy, Default)]
pub struct MecabRougeL;

impl Scorer for MecabRougeL {
    fn name(&self) -> &str {
        names::ROUGE_L
    }

    fn title(&self) -> &str {
        "ROUGE-L"
    }

    fn prepare(&self, resources: &Resources) -> Result<(), Error> {
        resources.dictionary().map(|_| ())
    }

    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        rouge(answers, &pairs(answers))
    }

    fn corpus_score(&self, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
        corpus_score(self.name(), items, indices, profile)
    }
}

/// ROUGE-L F1 over MeCab's words in which answers in another language than the reference count as empty, 0 to 100.
#[derive(Debug, Clone)]
pub struct GatedRougeL {
    language: String,
    name: String,
    title: String,
}

impl GatedRougeL {
    /// Counts answers as empty that are not in `language` (an ISO 639-1 code), where the reference answer is.
    #[must_use]
    pub fn new(language: &str) -> Self {
        Self {
            language: language.to_owned(),
            name: format!("{}-{language}", names::ROUGE_L),
            title: format!("ROUGE-L, {language} only"),
        }
    }
}

impl Scorer for GatedRougeL {
    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn prepare(&self, resources: &Resources) -> Result<(), Error> {
        resources.dictionary().map(|_| ())
    }

    fn uses_detector(&self) -> bool {
        true
    }

    fn values(&self, answers: &Answers<'_>) -> Result<Vec<f64>, Error> {
        let detector = answers.resources.detector();
        let gate = |(answer, reference)| (gated(detector, &self.language, answer, reference), reference);
        rouge(answers, &pairs(answers).into_iter().map(gate).collect::<Vec<_>>())
    }

    fn corpus_score(&self, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
        corpus_score(self.name(), items, indices, profile)
    }
}

fn pairs<'a>(answers: &Answers<'a>) -> Vec<(&'a str, &'a str)> {
    answers.predictions.iter().map(|p| (p.answer.as_str(), p.reference.as_str())).collect()
}

fn rouge(answers: &Answers<'_>, pairs: &[(&str, &str)]) -> Result<Vec<f64>, Error> {
    Ok(score_all(answers.resources.dictionary()?, answers.profile.settings().normalizer, pairs))
}

fn corpus_score(metric: &str, items: &[Item], indices: &[usize], profile: Profile) -> f64 {
    let value = |i: &usize| items[*i].scores.get(metric).copied().unwrap_or(0.0);
    match profile.settings().corpus {
        Corpus::Mean => mean(indices.iter().map(value)).unwrap_or(0.0),
        Corpus::BootstrapMedian => bootstrap_median(&indices.iter().map(value).collect::<Vec<_>>()),
    }
}

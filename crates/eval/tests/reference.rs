//! Tokens and ROUGE-L against the values that `fixtures/make_eval_cases.py` wrote with the Python packages.

use std::io::Read;

use serde::Deserialize;
use tsumugi_eval::rouge::{RougeL, score_all};
use tsumugi_text::mecab::Dictionary;
use tsumugi_text::normalize::Normalizer;

type Failure = Box<dyn std::error::Error>;

/// Tokens of the reference, tokens of the prediction, score.
type Expected = (String, String, f64);

#[derive(Deserialize)]
struct Case {
    reference: String,
    prediction: String,
    nfkc: Expected,
    neologdn: Expected,
}

impl Case {
    fn of(&self, normalizer: Normalizer) -> &Expected {
        match normalizer {
            Normalizer::Nfkc => &self.nfkc,
            Normalizer::Neologdn => &self.neologdn,
        }
    }
}

fn cases() -> Result<Vec<Case>, Failure> {
    let packed = include_bytes!("fixtures/rouge_cases.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

#[test]
fn tokens_and_scores_equal_the_python_packages() -> Result<(), Failure> {
    let dictionary = Dictionary::find(None)?;
    let cases = cases()?;
    assert!(cases.len() >= 1000);
    check(&dictionary, &cases);
    Ok(())
}

fn check(dictionary: &Dictionary, cases: &[Case]) {
    for normalizer in [Normalizer::Nfkc, Normalizer::Neologdn] {
        let mut scorer = RougeL::new(dictionary, normalizer);
        for case in cases {
            let (reference, prediction, score) = case.of(normalizer);
            assert_eq!(scorer.tokens(&case.reference).join(" "), *reference, "{:?}", case.reference);
            assert_eq!(scorer.tokens(&case.prediction).join(" "), *prediction, "{:?}", case.prediction);
            let ours = scorer.score(&case.prediction, &case.reference);
            assert!(
                (ours - score).abs() < 1e-9,
                "{ours} for {score}: {:?} {:?}",
                case.reference,
                case.prediction
            );
        }
        let pairs: Vec<_> = cases.iter().map(|c| (&c.prediction, &c.reference)).collect();
        let together = score_all(dictionary, normalizer, &pairs);
        assert!(together.iter().zip(cases).all(|(score, case)| (score - case.of(normalizer).2).abs() < 1e-9));
    }
}

#[test]
#[ignore = "needs a file of cases that `make_eval_cases.py --fuzz` wrote"]
fn further_cases() -> Result<(), Failure> {
    let place = std::env::var("TSUMUGI_ROUGE_CASES")?;
    let text = std::fs::read_to_string(place)?;
    let cases: Vec<Case> = text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    check(&Dictionary::find(None)?, &cases);
    Ok(())
}

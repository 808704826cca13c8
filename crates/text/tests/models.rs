//! Filters by models that the user brings (`fixtures/make_models.py`).
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use tsumugi_text::filter::{Bucket, Perplexity};
use tsumugi_text::{FilterChain, Profile};

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

fn chain(filter: &str) -> FilterChain {
    let profile = Profile::parse("test", &format!("[[filter]]\n{filter}")).unwrap();
    FilterChain::new(&profile, Some(fixtures())).unwrap()
}

const PERPLEXITY: &str = "type = \"perplexity\"\nmodel = \"lm.probing.bin\"\nhead = 12\ntail = 100\n";

#[test]
fn perplexity_cuts_a_corpus() {
    let chain = chain(PERPLEXITY);
    let judge = |text: &str| chain.apply(text);
    // Of three sentences, one of them empty, which has no tokens and does not count.
    let scores = include_str!("fixtures/lm_scores.tsv");
    let score = |sentence: &str| -> f64 {
        let line = scores.lines().find(|line| line.ends_with(&format!("\t{sentence}"))).unwrap();
        line.split('\t').next().unwrap().parse().unwrap()
    };
    let expected = 10_f64.powf(-(score("鯨") + score("茶 を 飲む")) / 6.0);
    let decision = judge("鯨\n\n茶 を 飲む");
    let (name, value) = &decision.statistics[0];
    assert_eq!(name, "perplexity");
    assert!((value - expected).abs() < 1e-3 * expected, "{value} {expected}");
    assert_eq!(judge(" \n").reason(), Some("no_token"));
    let rare = judge("▁the a 10 と 夏");
    assert_eq!(rare.reason(), Some("perplexity_bucket=tail"), "{rare:?}");
    assert!(rare.reasons[0].value.is_some_and(|value| value >= 100.0));
}

#[test]
fn the_parts_are_ccnets() {
    let filter: Perplexity = toml(&PERPLEXITY.replace("type = \"perplexity\"\n", ""));
    let buckets = [11.9, 12.0, 99.9, 100.0].map(|perplexity| filter.bucket(perplexity));
    assert_eq!(buckets, [Bucket::Head, Bucket::Middle, Bucket::Middle, Bucket::Tail]);
    assert_eq!(filter.perplexity("茶"), None, "no model is loaded");
}

fn toml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap()
}

#[test]
fn a_missing_model_leaves_its_filter_out() {
    let absent = chain(&PERPLEXITY.replace("lm.probing.bin", "absent.bin"));
    assert_eq!(absent.missing_lists(), ["absent.bin"]);
    assert!(absent.apply("茶").keep);
    let broken = Profile::parse(
        "test",
        &format!("[[filter]]\n{}", PERPLEXITY.replace("lm.probing.bin", "quality.jsonl")),
    );
    let error = FilterChain::new(&broken.unwrap(), Some(fixtures())).unwrap_err().to_string();
    assert!(error.contains("quality.jsonl"), "{error}");
}

#[cfg(feature = "fasttext")]
mod classifier {
    use super::*;

    const CLASSIFIER: &str = "type = \"classifier\"\nmodel = \"quality.bin\"\nlabel = \"good\"\nmin = 0.5\n";

    #[test]
    fn probabilities_equal_those_of_fasttext() {
        for (column, model) in [(0, "quality.bin"), (1, "quality.ftz")] {
            let chain = chain(&CLASSIFIER.replace("quality.bin", model));
            for line in include_str!("fixtures/quality_scores.tsv").lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                let expected: f64 = fields[column].parse().unwrap();
                let sentence = fields[2];
                let decision = chain.apply(sentence);
                let found = decision.statistics[0].1;
                assert!((found - expected).abs() < 1e-4, "{model}: {sentence}: {found} {expected}");
                assert_eq!(decision.keep, found >= 0.5);
            }
        }
    }

    #[test]
    fn wrong_models_and_labels_are_errors() {
        let error = |filter: String| {
            let profile = Profile::parse("test", &format!("[[filter]]\n{filter}")).unwrap();
            FilterChain::new(&profile, Some(fixtures())).unwrap_err().to_string()
        };
        let label = error(CLASSIFIER.replace("\"good\"", "\"fine\""));
        assert!(label.contains("__label__good"), "{label}");
        let model = error(CLASSIFIER.replace("quality.bin", "lm.arpa"));
        assert!(model.contains("lm.arpa") && model.contains("supervised"), "{model}");
    }
}

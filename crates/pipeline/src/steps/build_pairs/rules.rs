//! What is compared of the candidates of all shards.

use tsumugi_record::{Pair, record};
use tsumugi_tables::{Operator, draw};
use tsumugi_text::exact_hash;

use super::BuildPairs;
use crate::runner::{Rule, Stage};
use crate::steps::scorers::Scorers;

record! {
    /// The keys of a candidate.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct CandidateKeys = "candidate_keys", 1 {
        /// Place among all candidates: shard and row.
        place: i64,
        /// Perceptual hash of the image.
        phash: i64,
        /// Hash of the text.
        text: [u8; 16],
        /// Crawl year; 0 where it is unknown.
        year: i64,
        /// Place of the image's occurrence on its page in the order in which samples are drawn.
        draw: [u8; 16],
    }
}

record! {
    /// The scores of a candidate.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct Scores = "candidate_scores", 1 {
        /// Score of each scorer, in their order.
        scores: Vec<f64>,
    }
}

/// Images that occur too often.
const IMAGE_FREQUENCY: Stage = Stage { name: "image_frequency", unit: "pairs" };
/// Texts that occur too often.
const TEXT_FREQUENCY: Stage = Stage { name: "text_frequency", unit: "pairs" };
/// The same image with the same text.
const DUPLICATES: Stage = Stage { name: "duplicates", unit: "pairs" };
/// Images and texts that fit badly.
const SIMILARITY: Stage = Stage { name: "similarity", unit: "pairs" };

impl CandidateKeys {
    pub(super) fn of(pair: &Pair, seed: u64, shard: usize, row: usize) -> CandidateKeys {
        CandidateKeys {
            place: place_of(shard, row),
            phash: u64::from_str_radix(&pair.phash, 16).unwrap_or_default().cast_signed(),
            text: exact_hash(&pair.text).to_be_bytes(),
            year: year_of(&pair.provenance.date),
            draw: draw(seed, &format!("{} {}", pair.page_url, pair.image_url)),
        }
    }
}

impl Scores {
    /// The scores of a row; NaN where a scorer gave none.
    pub(super) fn of(pair: &Pair, scorers: &Scorers) -> Scores {
        let value =
            |name: &str| pair.similarities.iter().find(|score| score.scorer == name).map(|score| score.value);
        let scores = scorers.similarity.iter().map(|scorer| value(scorer.name()).unwrap_or(f64::NAN));
        Scores { scores: scores.collect() }
    }
}

/// A number for a row among the rows of all shards.
pub(in crate::steps) fn place_of(shard: usize, row: usize) -> i64 {
    (shard as i64) << 40 | row as i64
}

/// The shard and the row of a place.
pub(in crate::steps) fn shard_and_row(place: i64) -> (usize, usize) {
    ((place >> 40) as usize, (place & ((1 << 40) - 1)) as usize)
}

/// The year that a date begins with; 0 where there is none.
pub(in crate::steps) fn year_of(date: &str) -> i64 {
    date.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0)
}

impl BuildPairs {
    /// What drops a candidate by others.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (recipe, id) = (&self.recipe, || "place".to_owned());
        let mut rules = Vec::new();
        if recipe.frequency.is_on() {
            let operator = Operator::DropFrequentInSamples {
                id: id(),
                draw: "draw".into(),
                key: names(&["phash"]),
                group: names(&["year"]),
                block: recipe.frequency.sample as u64,
                count: recipe.frequency.count as u64,
            };
            rules.push(Rule { stage: IMAGE_FREQUENCY, reason: "frequent_image", operator });
        }
        if recipe.text_count > 0 {
            let operator =
                Operator::DropFrequent { id: id(), key: names(&["text"]), count: recipe.text_count as u64 };
            rules.push(Rule { stage: TEXT_FREQUENCY, reason: "frequent_text", operator });
        }
        if recipe.unique {
            let (key, order) = (names(&["phash", "text"]), names(&["place"]));
            let operator = Operator::KeepFirst { id: id(), key, order };
            rules.push(Rule { stage: DUPLICATES, reason: "duplicate_pair", operator });
        }
        rules
    }

    /// What drops a candidate by its scores.
    pub(super) fn score_rules(&self) -> Vec<Rule> {
        let scorers = self.scorers.similarity.len();
        if scorers == 0 {
            return Vec::new();
        }
        let operator = Operator::DropLowest {
            id: "place".into(),
            scores: "scores".into(),
            scorers,
            share: self.recipe.drop_lowest,
        };
        vec![Rule { stage: SIMILARITY, reason: "low_similarity", operator }]
    }
}

//! Finds questions and images of a benchmark in training data.
//!
//! Two signs are searched for: long runs of characters that a question or its reference answer shares with a training
//! text, and images whose perceptual hash is within a few bits of a training image's. Both point at rows to look at;
//! neither is proof, since short questions are asked in the same words everywhere.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::bench::Question;

/// Thresholds above which a text or an image counts as shared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ContaminationConfig {
    /// Length of the n-grams in characters, without white space and punctuation. Default: 13. The GPT-3 paper used 13 words,
    /// which are about 26 Japanese characters; 13 characters find more, at the price of stock phrases.
    pub ngram: usize,
    /// Minimum fraction of a text's n-grams that one training text must contain. Default: 0.5, this project's choice.
    pub share: f64,
    /// Maximum Hamming distance, in bits of 64, between the perceptual hashes of a question's image and a training image.
    /// Default: 5, the paper's distance for duplicates.
    pub distance: u32,
}

impl Default for ContaminationConfig {
    fn default() -> Self {
        Self { ngram: 13, share: 0.5, distance: 5 }
    }
}

/// What of a question was found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Its text.
    Question,
    /// Its reference answer.
    Reference,
    /// Its image.
    #[serde(alias = "picture")]
    Image,
}

/// A question found again in training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The question.
    pub question_id: String,
    /// What of it.
    pub part: Part,
    /// Identifier of the training row.
    pub row: String,
    /// Part of the n-grams that are shared, or part of the 64 bits that are equal.
    pub share: f64,
}

/// Where a benchmark was looked for, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Contaminated {
    /// How it was looked for.
    pub config: ContaminationConfig,
    /// Training texts that were looked at.
    pub texts: u64,
    /// Training images that were looked at.
    #[serde(alias = "pictures")]
    pub images: u64,
    /// Questions of which something was found.
    pub questions: usize,
    /// What was found, in the order of the training rows.
    pub findings: Vec<Finding>,
}

/// Looks for the questions of a benchmark in training rows, which are fed one by one.
#[derive(Debug)]
pub struct Contamination {
    config: ContaminationConfig,
    /// For each n-gram, the texts (by index) it occurs in.
    grams: HashMap<u64, Vec<u32>>,
    /// Question, part and number of distinct n-grams of each text.
    texts: Vec<(String, Part, usize)>,
    images: Vec<(String, u64)>,
    seen_texts: u64,
    seen_images: u64,
    findings: Vec<Finding>,
}

impl Contamination {
    /// Indexes a benchmark. `phash` gives the perceptual hash of a question's image ([`image_hash`]).
    #[must_use]
    pub fn new(
        questions: &[Question],
        config: ContaminationConfig,
        phash: impl Fn(&Question) -> Option<u64>,
    ) -> Self {
        let mut index = Self {
            config,
            grams: HashMap::new(),
            texts: Vec::new(),
            images: Vec::new(),
            seen_texts: 0,
            seen_images: 0,
            findings: Vec::new(),
        };
        for question in questions {
            for (part, text) in [(Part::Question, &question.question), (Part::Reference, &question.reference)]
            {
                let grams = ngrams(text, config.ngram);
                if grams.is_empty() {
                    continue;
                }
                let number = index.texts.len() as u32;
                index.texts.push((question.id.clone(), part, grams.len()));
                for gram in grams {
                    index.grams.entry(gram).or_default().push(number);
                }
            }
            index.images.extend(phash(question).map(|hash| (question.id.clone(), hash)));
        }
        index
    }

    /// Looks at one training text.
    pub fn text(&mut self, row: &str, text: &str) {
        self.seen_texts += 1;
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for gram in ngrams(text, self.config.ngram) {
            for number in self.grams.get(&gram).into_iter().flatten() {
                *shared.entry(*number).or_default() += 1;
            }
        }
        let mut found: Vec<(u32, f64)> = shared
            .into_iter()
            .map(|(number, count)| (number, count as f64 / self.texts[number as usize].2 as f64))
            .filter(|(_, share)| *share >= self.config.share)
            .collect();
        found.sort_by_key(|(number, _)| *number);
        for (number, share) in found {
            let (question_id, part, _) = self.texts[number as usize].clone();
            self.findings.push(Finding { question_id, part, row: row.to_owned(), share });
        }
    }

    /// Looks at one training image by its perceptual hash.
    pub fn image(&mut self, row: &str, phash: u64) {
        self.seen_images += 1;
        for (question_id, hash) in &self.images {
            let distance = (hash ^ phash).count_ones();
            if distance <= self.config.distance {
                self.findings.push(Finding {
                    question_id: question_id.clone(),
                    part: Part::Image,
                    row: row.to_owned(),
                    share: 1.0 - f64::from(distance) / 64.0,
                });
            }
        }
    }

    /// What was found, in the order of the training rows.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// All that was found, for a run's results.
    #[must_use]
    pub fn finish(self) -> Contaminated {
        let questions: HashSet<&str> = self.findings.iter().map(|f| f.question_id.as_str()).collect();
        Contaminated {
            config: self.config,
            texts: self.seen_texts,
            images: self.seen_images,
            questions: questions.len(),
            findings: self.findings,
        }
    }
}

/// The perceptual hash of a question's image; `None` where it has none, or none that can be decoded.
#[must_use]
pub fn image_hash(question: &Question) -> Option<u64> {
    let image = question.image.as_ref()?;
    Some(tsumugi_images::inspect(&image.bytes, &tsumugi_images::Limits::default()).ok()?.phash.0)
}

/// Hashes of the distinct n-grams of letters and digits of a text, folded in width and case.
fn ngrams(text: &str, n: usize) -> HashSet<u64> {
    let chars: Vec<char> =
        tsumugi_text::nfkc(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    chars.windows(n.max(1)).map(fnv).collect()
}

/// FNV-1a over the code points.
fn fnv(chars: &[char]) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    chars.iter().flat_map(|c| u32::from(*c).to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, fold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_texts_and_images_are_found() {
        let question = |id: &str, question: &str, reference: &str| Question {
            id: id.into(),
            category: String::new(),
            question: question.into(),
            reference: reference.into(),
            context: None,
            image: None,
        };
        let questions = [
            question("a", "この写真に写っている建物は何という名前ですか?", "東京タワーです"),
            question("b", "空は何色ですか", "夕焼けに染まった橙色の空が水面に映り込んでいます"),
        ];
        let mut search =
            Contamination::new(&questions, ContaminationConfig::default(), |q| (q.id == "b").then_some(0xff));
        search.text("t1", "問い。この写真に写っている建物は、何という名前ですか？答え。");
        search.text("t2", "関係のない長い文章がここにありますが、ベンチマークとは何も共有しません。");
        search.text("t3", "夕焼けに染まった橙色の空");
        search.image("p1", 0xf0);
        search.image("p2", 0xffff);
        let found: Vec<_> =
            search.findings().iter().map(|f| (f.question_id.as_str(), f.part, f.row.as_str())).collect();
        assert_eq!(found, [("a", Part::Question, "t1"), ("b", Part::Image, "p1")]);
    }
}

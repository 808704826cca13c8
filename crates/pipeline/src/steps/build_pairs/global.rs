//! What compares the candidates of all shards.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_interleave::{PairConfig, combine};
use tsumugi_record::{Funnel, Pair, ShardReader};
use tsumugi_tables::{Samples, drop_frequent, drop_frequent_in_samples, keep_first, quantile};

use super::STEP;
use crate::Error;
use crate::steps::scorers::Scorers;

/// Why a candidate goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    FrequentImage,
    FrequentText,
    Duplicate,
    Nsfw,
    LowSimilarity,
}

impl Reason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Reason::FrequentImage => "frequent_image",
            Reason::FrequentText => "frequent_text",
            Reason::Duplicate => "duplicate_pair",
            Reason::Nsfw => "nsfw",
            Reason::LowSimilarity => "low_similarity",
        }
    }

    /// The stage of the funnel that drops it.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Reason::FrequentImage => "image_frequency",
            Reason::FrequentText => "text_frequency",
            Reason::Duplicate => "duplicates",
            Reason::Nsfw => "nsfw",
            Reason::LowSimilarity => "similarity",
        }
    }
}

/// Counts a candidate in every stage that it came to.
pub(super) fn count(funnel: &mut Funnel, reason: Option<Reason>, scorers: &Scorers<'_>) {
    let mut stages = vec![Reason::FrequentImage, Reason::FrequentText, Reason::Duplicate];
    stages.extend(scorers.nsfw.map(|_| Reason::Nsfw));
    stages.extend(scorers.similarity.first().map(|_| Reason::LowSimilarity));
    for stage in stages {
        let counts = funnel.stage(stage.stage(), "pairs");
        if reason == Some(stage) {
            counts.drop(stage.as_str());
            return;
        }
        counts.keep();
    }
}

/// The keys of a candidate.
struct Keys {
    phash: String,
    text: String,
    /// Occurrence of the picture: page and address.
    occurrence: String,
    year: String,
}

/// The verdict on each candidate of each shard; `None` stays.
pub(super) type Verdicts = Vec<Vec<Option<Reason>>>;

/// Compares all candidates by their keys.
pub(super) fn compare(shards: &[PathBuf], recipe: &PairConfig) -> Result<Verdicts, Error> {
    let parts: Result<Vec<Vec<Keys>>, Error> = shards.par_iter().map(|shard| keys_of(shard)).collect();
    let parts = parts?;
    let lengths: Vec<usize> = parts.iter().map(Vec::len).collect();
    let keys: Vec<Keys> = parts.into_iter().flatten().collect();
    let mut reasons = vec![None; keys.len()];
    if recipe.frequency.is_on() {
        mark_frequent_images(&keys, recipe, &mut reasons)?;
    }
    if recipe.text_count > 0 {
        let rows = staying(&reasons);
        let texts: Vec<&str> = rows.iter().map(|&row| keys[row].text.as_str()).collect();
        mark(&mut reasons, &rows, &drop_frequent(&texts, recipe.text_count), Reason::FrequentText);
    }
    if recipe.unique {
        let rows = staying(&reasons);
        let pairs: Vec<(&str, &str)> =
            rows.iter().map(|&row| (keys[row].phash.as_str(), keys[row].text.as_str())).collect();
        let keep = keep_first(&pairs, &rows).map_err(Error::step(STEP, "duplicates"))?;
        mark(&mut reasons, &rows, &keep, Reason::Duplicate);
    }
    let mut rest = reasons.into_iter();
    Ok(lengths.into_iter().map(|length| rest.by_ref().take(length).collect()).collect())
}

/// Pictures that stand too often in a sample. An occurrence is a picture of a page, however many texts it has.
fn mark_frequent_images(
    keys: &[Keys],
    recipe: &PairConfig,
    reasons: &mut [Option<Reason>],
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let rows: Vec<usize> =
        (0..keys.len()).filter(|&row| seen.insert(keys[row].occurrence.as_str())).collect();
    let hashes: Vec<&str> = rows.iter().map(|&row| keys[row].phash.as_str()).collect();
    let years: Vec<&str> = rows.iter().map(|&row| keys[row].year.as_str()).collect();
    let ids: Vec<&str> = rows.iter().map(|&row| keys[row].occurrence.as_str()).collect();
    let rules = &recipe.frequency;
    let samples = Samples { seed: rules.seed, block: rules.sample, count: rules.count };
    let keep = drop_frequent_in_samples(&hashes, &years, &ids, &samples)
        .map_err(Error::step(STEP, "frequent pictures"))?;
    let gone: HashSet<&str> = ids.iter().zip(&keep).filter(|(_, keep)| !**keep).map(|(id, _)| *id).collect();
    for (key, reason) in keys.iter().zip(reasons) {
        if gone.contains(key.occurrence.as_str()) {
            *reason = Some(Reason::FrequentImage);
        }
    }
    Ok(())
}

/// Calls `each` with every candidate that is still in: its shard and row, and the candidate.
fn each_staying(
    shards: &[PathBuf],
    verdicts: &Verdicts,
    mut each: impl FnMut((usize, usize), &Pair),
) -> Result<(), Error> {
    for (number, shard) in shards.iter().enumerate() {
        let mut row = 0;
        for batch in ShardReader::<Pair>::open(shard)? {
            for pair in batch? {
                if verdicts[number][row].is_none() {
                    each((number, row), &pair);
                }
                row += 1;
            }
        }
    }
    Ok(())
}

/// Marks what `judge` finds more likely than `most`.
pub(super) fn drop_nsfw(
    shards: &[PathBuf],
    judge: &str,
    most: f64,
    verdicts: &mut Verdicts,
) -> Result<(), Error> {
    let mut found = Vec::new();
    each_staying(shards, verdicts, |at, pair| {
        let score = pair.similarities.iter().find(|score| score.scorer == judge).map(|score| score.value);
        // What is no number is not known to be safe.
        if !score.is_some_and(|score| score <= most) {
            found.push(at);
        }
    })?;
    for (number, row) in found {
        verdicts[number][row] = Some(Reason::Nsfw);
    }
    Ok(())
}

/// Marks the lowest share by the scores of these scorers together.
pub(super) fn drop_lowest(
    shards: &[PathBuf],
    scorers: &[&str],
    share: f64,
    verdicts: &mut Verdicts,
) -> Result<(), Error> {
    let mut rows = Vec::new();
    let mut scores: Vec<Vec<f64>> = vec![Vec::new(); scorers.len()];
    each_staying(shards, verdicts, |at, pair| {
        rows.push(at);
        for (column, name) in scores.iter_mut().zip(scorers) {
            let score = pair.similarities.iter().find(|score| score.scorer == *name);
            column.push(score.map_or(f64::NAN, |score| score.value));
        }
    })?;
    let combined = combine(&scores);
    let Some(limit) = quantile(&combined, share).map_err(Error::step(STEP, "lowest share"))? else {
        return Ok(());
    };
    for (&(number, row), &score) in rows.iter().zip(&combined) {
        if score < limit {
            verdicts[number][row] = Some(Reason::LowSimilarity);
        }
    }
    Ok(())
}

fn staying(reasons: &[Option<Reason>]) -> Vec<usize> {
    (0..reasons.len()).filter(|&row| reasons[row].is_none()).collect()
}

fn mark(reasons: &mut [Option<Reason>], rows: &[usize], keep: &[bool], reason: Reason) {
    for (&row, _) in rows.iter().zip(keep).filter(|(_, keep)| !**keep) {
        reasons[row] = Some(reason);
    }
}

fn keys_of(shard: &Path) -> Result<Vec<Keys>, Error> {
    let mut keys = Vec::new();
    for batch in ShardReader::<Pair>::open(shard)? {
        for pair in batch? {
            let occurrence = format!("{} {}", pair.page_url, pair.image_url);
            let year = pair.provenance.date.chars().take(4).collect();
            keys.push(Keys { phash: pair.phash, text: pair.text, occurrence, year });
        }
    }
    Ok(keys)
}

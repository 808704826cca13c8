//! Step `build_pairs`: image-text pairs by the recipe of the paper, part 2.
//!
//! A map phase finds the candidates of each document. Then all candidates are compared: pictures frequent in samples,
//! frequent texts, of each (pHash, text) one. With scorers the rest is scored, and what a probe takes for not safe for work
//! and the lowest share are dropped. The last
//! phase writes the pairs with their pictures, and everything that was dropped with its reason.

mod global;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsumugi_images::canonical_url;
use tsumugi_interleave::{PairCandidate, PairConfig, PairDrop, TextChecker, pair_candidates};
use tsumugi_record::{Document, Excluded, Image, Pair, Provenance, Record, ShardReader, shard_name};

use super::pictures::Pictures;
use super::scorers::Scorers;
use crate::runner::{Opened, Outputs, Step, Summary, input_table};
use crate::{Error, Progress};

/// Name of the step.
const STEP: &str = "build_pairs";
/// Folder of the candidates, without their pictures.
const CANDIDATES: &str = "_candidates";
/// Folder of the candidates with their scores.
const SCORED: &str = "_scored";
/// Folder of what the map phase drops.
const DROPPED: &str = "_dropped";

/// Settings of the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildPairsConfig {
    /// Folder with the table of documents.
    pub documents: PathBuf,
    /// Folder with the tables of images and fetches.
    pub images: PathBuf,
    /// Output folder.
    pub out: PathBuf,
    /// `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT`, one or more (see [`super::scorers`]); nothing is `none`.
    pub scorers: Vec<String>,
    /// A probe over the first scorer's pictures that finds what is not safe for work: a safetensors file.
    pub nsfw: Option<PathBuf>,
    /// The recipe.
    pub recipe: PairConfig,
}

/// Runs the step.
///
/// # Errors
/// Where the recipe is wrong, a scorer is not there, the input is missing, or files cannot be read or written.
pub fn build_pairs(config: &BuildPairsConfig, progress: &Progress) -> Result<Summary, Error> {
    super::scorers::with_scorers(&config.scorers, config.nsfw.as_deref(), |scorers| {
        build_pairs_with(config, scorers, progress)
    })
}

/// [`build_pairs`] with scorers of one's own; [`BuildPairsConfig::scorers`] and [`BuildPairsConfig::nsfw`] are not looked at.
///
/// # Errors
/// As [`build_pairs`], and where a scorer fails.
pub fn build_pairs_with(
    config: &BuildPairsConfig,
    scorers: &Scorers<'_>,
    progress: &Progress,
) -> Result<Summary, Error> {
    let checker = TextChecker::new(&config.recipe).map_err(Error::setting("recipe"))?;
    let mut table = input_table(&config.documents, Document::KIND)?;
    let pictures = Pictures::read(&config.images, &mut table.identity)?;
    let names: Vec<&str> = scorers.similarity.iter().map(|scorer| scorer.name()).collect();
    let identity = scorers.identity(&config.recipe);
    let step = match Step::open(STEP, &config.out, &identity, table.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let builder = Builder { recipe: &config.recipe, checker, pictures, scorers };
    step.phase("map", &table.shards, progress, |_, shard, outputs| builder.map(shard, outputs))?;
    let folder = |name: &str, kind: &str, number| step.out().join(name).join(shard_name(kind, number));
    let shards = 0..table.shards.len();
    let candidates: Vec<PathBuf> = shards.map(|n| folder(CANDIDATES, Pair::KIND, n)).collect();
    let mut verdicts = global::compare(&candidates, builder.recipe)?;
    let scored: Vec<PathBuf> = if scorers.are_none() {
        candidates
    } else {
        step.phase("score", &candidates, progress, |number, shard, outputs| {
            builder.score(shard, &verdicts[number], outputs)
        })?;
        let scored = (0..candidates.len()).map(|n| folder(SCORED, Pair::KIND, n)).collect::<Vec<_>>();
        if let Some(judge) = scorers.nsfw {
            global::drop_nsfw(&scored, judge.name(), builder.recipe.images.max_nsfw, &mut verdicts)?;
        }
        global::drop_lowest(&scored, &names, builder.recipe.drop_lowest, &mut verdicts)?;
        scored
    };
    step.phase("write", &scored, progress, |number, shard, outputs| {
        let dropped = folder(DROPPED, Excluded::KIND, number);
        builder.write(shard, &dropped, &verdicts[number], outputs)
    })?;
    step.finish()
}

struct Builder<'a> {
    recipe: &'a PairConfig,
    checker: TextChecker,
    pictures: Pictures,
    scorers: &'a Scorers<'a>,
}

impl Builder<'_> {
    /// The candidates of a shard of documents.
    fn map(&self, shard: &Path, outputs: &mut Outputs) -> Result<(), Error> {
        let mut kept = outputs.create::<Pair>(CANDIDATES)?;
        let mut dropped = outputs.create::<Excluded>(DROPPED)?;
        let columns = ["id", "url", "charset", "nodes", "opt_out", "provenance"];
        for batch in ShardReader::<Document>::open_columns(shard, &columns)? {
            let documents: Vec<Document> = batch?.into_iter().filter(|document| !document.opt_out).collect();
            let find = |url: &str| self.pictures.find(url);
            let found: Vec<_> = documents
                .par_iter()
                .map(|document| pair_candidates(document, &find, self.recipe, &self.checker))
                .collect();
            for (document, found) in documents.iter().zip(found) {
                let stage = outputs.funnel().stage("pictures", "images");
                (0..found.images).for_each(|_| stage.keep());
                for drop in found.dropped_images {
                    stage.drop(drop.reason);
                    dropped.push(excluded(drop, "pictures", &document.provenance))?;
                }
                let stage = outputs.funnel().stage("texts", "texts");
                for drop in found.dropped_texts {
                    stage.drop(drop.reason);
                    dropped.push(excluded(drop, "texts", &document.provenance))?;
                }
                for candidate in found.candidates {
                    stage.keep();
                    kept.push(self.pair(candidate, document))?;
                }
            }
        }
        outputs.finish(kept)?;
        outputs.finish(dropped)
    }

    /// A candidate as a row; its picture is named and not yet there.
    fn pair(&self, candidate: PairCandidate, document: &Document) -> Pair {
        let picture = candidate.image;
        let path = Some(self.pictures.fact(picture.key).name.clone());
        Pair {
            id: candidate.id,
            image: Image { bytes: None, path },
            text: candidate.text,
            text_source: candidate.source.as_str().to_owned(),
            image_url: canonical_url(&candidate.image_url).unwrap_or(candidate.image_url),
            page_url: document.url.clone(),
            width: picture.width,
            height: picture.height,
            phash: picture.phash.to_string(),
            similarities: Vec::new(),
            provenance: document.provenance.clone(),
        }
    }

    /// Scores the candidates of a shard that are still in.
    fn score(
        &self,
        shard: &Path,
        verdicts: &[Option<global::Reason>],
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let mut scored = outputs.create::<Pair>(SCORED)?;
        let mut verdicts = verdicts.iter();
        for batch in ShardReader::<Pair>::open(shard)? {
            let mut rows = batch?;
            let wanted: Vec<bool> =
                rows.iter().map(|_| verdicts.next().is_some_and(Option::is_none)).collect();
            let images = self.images(rows.iter().zip(&wanted).filter(|(_, w)| **w).map(|(row, _)| row))?;
            let places: Vec<usize> = (0..rows.len()).filter(|&at| wanted[at]).collect();
            let files: Vec<&[u8]> = places.iter().map(|&at| bytes_of(&images, &rows[at])).collect();
            let texts: Vec<&str> = places.iter().map(|&at| rows[at].text.as_str()).collect();
            let mut columns: Vec<(&str, Vec<f64>)> = Vec::new();
            for scorer in self.scorers.similarity {
                let values = scorer.score_pairs(&files, &texts).map_err(Error::step(STEP, scorer.name()))?;
                columns.push((scorer.name(), values));
            }
            if let Some(judge) = self.scorers.nsfw {
                let values = judge.probabilities(&files).map_err(Error::step(STEP, judge.name()))?;
                columns.push((judge.name(), values));
            }
            for (name, values) in columns {
                for (&at, value) in places.iter().zip(values) {
                    let scorer = name.to_owned();
                    rows[at].similarities.push(tsumugi_record::Similarity { scorer, value });
                }
            }
            scored.write(&rows)?;
        }
        outputs.finish(scored)
    }

    /// Writes what stays, with its pictures, and what goes, with its reason.
    fn write(
        &self,
        shard: &Path,
        dropped: &Path,
        verdicts: &[Option<global::Reason>],
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        let mut pairs = outputs.create::<Pair>("")?;
        let mut out = outputs.create::<Excluded>(Excluded::KIND)?;
        for batch in ShardReader::<Excluded>::open(dropped)? {
            out.write(&batch?)?;
        }
        let mut verdicts = verdicts.iter();
        for batch in ShardReader::<Pair>::open(shard)? {
            let rows = batch?;
            let reasons: Vec<Option<global::Reason>> =
                rows.iter().map(|_| verdicts.next().copied().flatten()).collect();
            let images =
                self.images(rows.iter().zip(&reasons).filter(|(_, r)| r.is_none()).map(|(row, _)| row))?;
            for (mut row, reason) in rows.into_iter().zip(reasons) {
                global::count(outputs.funnel(), reason, self.scorers);
                if let Some(reason) = reason {
                    let value = format!("{} {}", row.image_url, row.text);
                    let drop = PairDrop { id: row.id, reason: reason.as_str(), value };
                    out.push(excluded(drop, reason.stage(), &row.provenance))?;
                    continue;
                }
                if self.scorers.similarity.is_empty() {
                    outputs.count("pairs without similarity", 1);
                }
                if let Some(image) = images.get(&row.image_url) {
                    row.image = image.clone();
                }
                pairs.push(row)?;
            }
        }
        outputs.finish(pairs)?;
        outputs.finish(out)
    }

    /// The files of some rows, by the address of the picture.
    fn images<'r>(&self, rows: impl Iterator<Item = &'r Pair>) -> Result<HashMap<String, Image>, Error> {
        let keys: HashMap<&str, usize> = rows
            .filter_map(|row| Some((row.image_url.as_str(), self.pictures.find(&row.image_url)?.key)))
            .collect();
        let images = self.pictures.load(&keys.values().copied().collect::<BTreeSet<usize>>())?;
        Ok(keys
            .into_iter()
            .filter_map(|(url, key)| Some((url.to_owned(), images.get(&key)?.clone())))
            .collect())
    }
}

fn bytes_of<'a>(images: &'a HashMap<String, Image>, row: &Pair) -> &'a [u8] {
    images.get(&row.image_url).and_then(|image| image.bytes.as_deref()).unwrap_or_default()
}

fn excluded(drop: PairDrop, stage: &str, provenance: &Provenance) -> Excluded {
    Excluded {
        id: drop.id,
        step: format!("{STEP}/{stage}"),
        reason: drop.reason.to_owned(),
        value: Some(drop.value),
        provenance: provenance.clone(),
    }
}

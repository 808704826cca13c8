//! Step `build_pairs`: image-text pairs by the recipe of the paper, part 2.
//!
//! A map phase finds the candidates of each document. Then all candidates are compared: images frequent in samples,
//! frequent texts, of each (pHash, text) one. With scorers the rest is scored; images that the NSFW classifier finds and the
//! lowest share of the scores are dropped. The last phase writes the pairs with their images. Everything that is dropped is in
//! table `excluded` with its reason.

mod rules;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_images::canonical_url;
use tsumugi_interleave::{PairCandidate, PairConfig, PairDrop, TextChecker, pair_candidates};
use tsumugi_record::{Document, DocumentBody, Excluded, Image, Pair, Provenance, ShardReader, Similarity};

use super::images::{HasImages, ImageTables, ShardImages, phases};
use super::scorers::Scorers;
use crate::runner::{self, Inputs, Outputs, Phase, Rule, Stage, Step, Summary, Work};
use crate::{Context, Error, Group};
use rules::{CandidateKeys, Scores};
pub(super) use rules::{place_of, shard_and_row, year_of};

/// Name of the step.
const STEP: &str = "build_pairs";
/// Folder of the candidates, without their images.
const CANDIDATES: &str = "_candidates";
/// Folder of what is compared of the candidates.
const KEYS: &str = "_keys";
/// Folder of the candidates with their scores.
const SCORED: &str = "_scored";
/// Folder of the scores alone.
const SCORES: &str = "_scores";
/// Folder of what the map phase drops.
const DROPPED: &str = "_dropped";
/// Folder of what the scoring phase drops.
const DROPPED_BY_SCORE: &str = "_dropped-score";

/// Which images of a page may be in a pair.
const IMAGES: Stage = Stage { name: "images", unit: "images" };
/// Which texts of an image may be in a pair.
const TEXTS: Stage = Stage { name: "texts", unit: "texts" };
/// What the NSFW classifier lets pass.
const NSFW: Stage = Stage { name: "nsfw", unit: "pairs" };

/// Settings of the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildPairsConfig {
    /// Folder with the table of documents.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub documents: PathBuf,
    /// Folder with the tables of images and fetches.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub images: PathBuf,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// What scores an image against a text: `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT`, one or more. A checkpoint is a
    /// folder or a repository at the Hugging Face hub. Nothing is `none`.
    #[schemars(extend("x-role" = "input", "x-value-name" = "SCORER"))]
    pub scorer: Vec<String>,
    /// An NSFW classifier over the image vectors of the first scorer: a safetensors file.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub nsfw: Option<PathBuf>,
    /// The recipe by name (paper, mmc4, obelics, waon) or as a TOML file, in the place of `recipe`.
    #[schemars(extend("x-role" = "operation"))]
    pub profile: Option<String>,
    /// Adult words, a file of one a line, in the place of `recipe.text.adult_words`; texts with one of them are dropped.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub adult_words: Option<PathBuf>,
    /// The recipe.
    #[schemars(extend("x-role" = "input"))]
    pub recipe: PairConfig,
}

/// The step.
pub struct BuildPairs {
    recipe: PairConfig,
    checker: TextChecker,
    documents: Vec<PathBuf>,
    tables: ImageTables,
    scorers: Scorers,
}

impl Step for BuildPairs {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Builds image-text pairs from documents and their images";
    type Settings = BuildPairsConfig;

    fn out(settings: &BuildPairsConfig) -> &Path {
        &settings.out
    }

    fn resolve(settings: Self::Settings) -> Result<Self::Settings, Error> {
        let recipe = match &settings.profile {
            Some(profile) => PairConfig::profile(profile).map_err(Error::setting("profile"))?,
            None => settings.recipe,
        };
        Ok(Self::Settings { recipe, profile: None, ..settings })
    }

    fn open(settings: BuildPairsConfig, inputs: &mut Inputs, _: &Context) -> Result<Self, Error> {
        let scorers = Scorers::open(&settings.scorer, settings.nsfw.as_deref())?;
        BuildPairs::with_scorers(settings, scorers, inputs)
    }

    fn phases(&self) -> Vec<Phase<Self>> {
        let shards = |step: &Self, _: &Work| Ok(step.documents.len());
        let mut phases = phases();
        phases.push(Phase::map("map", shards, Self::map));
        phases.push(Phase::compare::<CandidateKeys>("duplicates", KEYS, shards, Self::rules));
        if !self.scorers.are_none() {
            phases.push(Phase::map("score", shards, Self::score));
            phases.push(Phase::compare::<Scores>("similarity", SCORES, shards, Self::score_rules));
        }
        phases.push(Phase::map("write", shards, Self::write));
        phases
    }
}

/// Runs the step with scorers of the caller's; [`BuildPairsConfig::scorer`] and [`BuildPairsConfig::nsfw`] are not read.
///
/// # Errors
/// As [`runner::run`], and where a scorer fails.
pub fn build_pairs_with(
    settings: &BuildPairsConfig,
    scorers: Scorers,
    context: &Context,
) -> Result<Summary, Error> {
    let mut inputs = Inputs::of(context);
    let step = BuildPairs::with_scorers(settings.clone(), scorers, &mut inputs)?;
    runner::run_opened(&step, settings, inputs, context)
}

impl BuildPairs {
    fn with_scorers(
        settings: BuildPairsConfig,
        scorers: Scorers,
        inputs: &mut Inputs,
    ) -> Result<Self, Error> {
        let settings = Self::resolve(settings)?;
        let mut recipe = settings.recipe;
        recipe.text.adult_words = settings.adult_words.or(recipe.text.adult_words);
        let checker = TextChecker::new(&recipe).map_err(Error::setting("recipe"))?;
        // A list of words is told from another by what it holds, not by where it lies.
        if let Some(words) = recipe.text.adult_words.take() {
            inputs.file("adult_words", &words)?;
        }
        inputs.resolved("recipe", &recipe)?;
        scorers.declare(inputs)?;
        let documents = inputs.table::<Document>("documents", &settings.documents)?;
        let tables = ImageTables::declare(&settings.images, inputs)?;
        Ok(BuildPairs { recipe, checker, documents, tables, scorers })
    }

    /// Finds the candidates of a shard of documents.
    fn map(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let images = ShardImages::read(&self.tables, work, number)?;
        outputs.begin::<Pair>(CANDIDATES)?;
        outputs.begin::<Excluded>(DROPPED)?;
        outputs.begin::<CandidateKeys>(KEYS)?;
        let mut row = 0;
        for batch in ShardReader::<DocumentBody>::open(&self.documents[number])? {
            let documents: Vec<Document> =
                batch?.into_iter().filter(|document| !document.opt_out).map(Document::from).collect();
            let find = |url: &str| images.find(url);
            let found: Vec<_> = documents
                .par_iter()
                .map(|document| pair_candidates(document, &find, &self.recipe, &self.checker))
                .collect();
            for (document, found) in documents.iter().zip(found) {
                (0..found.images).for_each(|_| outputs.pass(IMAGES));
                for drop in found.dropped_images {
                    outputs.exclude(IMAGES, excluded(drop, IMAGES, &document.provenance))?;
                }
                for drop in found.dropped_texts {
                    outputs.exclude(TEXTS, excluded(drop, TEXTS, &document.provenance))?;
                }
                for candidate in found.candidates {
                    let pair = pair(candidate, document);
                    outputs.write(KEYS, CandidateKeys::of(&pair, self.recipe.frequency.seed, number, row))?;
                    outputs.keep(TEXTS, CANDIDATES, pair)?;
                    row += 1;
                }
            }
        }
        Ok(())
    }

    /// Scores the candidates of a shard that the comparison keeps, and drops what the NSFW classifier finds.
    fn score(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Pair>(SCORED)?;
        outputs.begin::<Scores>(SCORES)?;
        outputs.begin::<Excluded>(DROPPED_BY_SCORE)?;
        let rules = self.rules();
        let shard = ShardImages::read(&self.tables, work, number)?;
        let mut verdicts = work.verdicts("duplicates", number)?.into_iter();
        for batch in ShardReader::<Pair>::open(work.shard::<Pair>(CANDIDATES, number))? {
            let mut rows = staying(batch?, &mut verdicts, &rules, outputs)?;
            let images = load(&shard, &rows)?;
            self.score_rows(&mut rows, &images)?;
            for row in rows {
                if self.scorers.nsfw.as_ref().is_some_and(|classifier| self.is_nsfw(classifier.name(), &row))
                {
                    exclude_pair(outputs, NSFW, row, NSFW.name.to_owned())?;
                    continue;
                }
                if self.scorers.nsfw.is_some() {
                    outputs.pass(NSFW);
                }
                outputs.write(SCORES, Scores::of(&row, &self.scorers))?;
                outputs.write(SCORED, row)?;
            }
        }
        Ok(())
    }

    /// Adds the scores of each scorer to rows.
    fn score_rows(&self, rows: &mut [Pair], images: &HashMap<String, Image>) -> Result<(), Error> {
        let files: Vec<&[u8]> = rows.iter().map(|row| bytes_of(images, row)).collect();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let mut columns: Vec<(&str, Vec<f64>)> = Vec::new();
        for scorer in &self.scorers.similarity {
            let values = scorer.score_pairs(&files, &texts).map_err(Error::step(STEP, scorer.name()))?;
            columns.push((scorer.name(), values));
        }
        if let Some(classifier) = &self.scorers.nsfw {
            let values = classifier.probabilities(&files).map_err(Error::step(STEP, classifier.name()))?;
            columns.push((classifier.name(), values));
        }
        for (name, values) in columns {
            for (row, value) in rows.iter_mut().zip(values) {
                row.similarities.push(Similarity { scorer: name.to_owned(), value });
            }
        }
        Ok(())
    }

    /// Whether the classifier finds the image of a row. NaN counts as found.
    fn is_nsfw(&self, classifier: &str, row: &Pair) -> bool {
        let score = row.similarities.iter().find(|score| score.scorer == classifier);
        !score.is_some_and(|score| score.value <= self.recipe.images.max_nsfw)
    }

    /// Writes what stays, with its images, and what is dropped, with its reason.
    fn write(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Pair>("")?;
        outputs.begin::<Excluded>("excluded")?;
        let is_scored = !self.scorers.are_none();
        let (folder, phase, rules) = match is_scored {
            true => (SCORED, "similarity", self.score_rules()),
            false => (CANDIDATES, "duplicates", self.rules()),
        };
        for dropped in [DROPPED, DROPPED_BY_SCORE].into_iter().take(1 + usize::from(is_scored)) {
            for batch in ShardReader::<Excluded>::open(work.shard::<Excluded>(dropped, number))? {
                batch?.into_iter().try_for_each(|row| outputs.write("excluded", row))?;
            }
        }
        let shard = ShardImages::read(&self.tables, work, number)?;
        let mut verdicts = work.verdicts(phase, number)?.into_iter();
        for batch in ShardReader::<Pair>::open(work.shard::<Pair>(folder, number))? {
            let rows = staying(batch?, &mut verdicts, &rules, outputs)?;
            let images = load(&shard, &rows)?;
            for mut row in rows {
                if self.scorers.similarity.is_empty() {
                    outputs.count("pairs without similarity", 1);
                }
                if let Some(image) = images.get(&row.image_url) {
                    row.image = image.clone();
                }
                outputs.write("", row)?;
            }
        }
        Ok(())
    }
}

impl HasImages for BuildPairs {
    fn documents(&self) -> &[PathBuf] {
        &self.documents
    }

    fn tables(&self) -> &ImageTables {
        &self.tables
    }
}

/// A candidate as a row; its image is not yet in it.
fn pair(candidate: PairCandidate, document: &Document) -> Pair {
    let facts = candidate.image;
    Pair {
        id: candidate.id,
        image: Image::default(),
        text: candidate.text,
        text_source: candidate.source.as_str().to_owned(),
        image_url: canonical_url(&candidate.image_url).unwrap_or(candidate.image_url),
        page_url: document.url.clone(),
        width: facts.width,
        height: facts.height,
        phash: facts.phash.to_string(),
        similarities: Vec::new(),
        provenance: document.provenance.clone(),
    }
}

/// The files of the images of some rows, by address.
fn load(shard: &ShardImages, rows: &[Pair]) -> Result<HashMap<String, Image>, Error> {
    let key = |row: &Pair| Some((row.image_url.clone(), shard.find(&row.image_url)?.key));
    let keys: HashMap<String, usize> = rows.iter().filter_map(key).collect();
    let files = shard.load(&keys.values().copied().collect::<BTreeSet<usize>>())?;
    Ok(keys.into_iter().filter_map(|(url, key)| Some((url, files.get(&key)?.clone()))).collect())
}

/// The candidates that stay by the verdicts of a compare phase; the others are dropped.
fn staying(
    rows: Vec<Pair>,
    verdicts: &mut impl Iterator<Item = Option<String>>,
    rules: &[Rule],
    outputs: &mut Outputs,
) -> Result<Vec<Pair>, Error> {
    let mut stay = Vec::new();
    for row in rows {
        let verdict = verdicts.next().flatten();
        match outputs.judge(rules, verdict.as_deref()) {
            None => stay.push(row),
            Some(stage) => exclude_pair(outputs, stage, row, verdict.unwrap_or_default())?,
        }
    }
    Ok(stay)
}

fn bytes_of<'a>(images: &'a HashMap<String, Image>, row: &Pair) -> &'a [u8] {
    images.get(&row.image_url).and_then(|image| image.bytes.as_deref()).unwrap_or_default()
}

/// Drops a candidate that is complete but for its image.
fn exclude_pair(outputs: &mut Outputs, stage: Stage, row: Pair, reason: String) -> Result<(), Error> {
    let value = Some(format!("{} {}", row.image_url, row.text));
    let step = format!("{STEP}/{}", stage.name);
    outputs.exclude(stage, Excluded { id: row.id, step, reason, value, provenance: row.provenance })
}

fn excluded(drop: PairDrop, stage: Stage, provenance: &Provenance) -> Excluded {
    Excluded {
        id: drop.id,
        step: format!("{STEP}/{}", stage.name),
        reason: drop.reason.to_owned(),
        value: Some(drop.value),
        provenance: provenance.clone(),
    }
}

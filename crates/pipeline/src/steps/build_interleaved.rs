//! Step `build_interleaved`: interleaved documents by the recipe of the paper, part 1.
//!
//! The pictures of all documents are compared first (those that stand too often in a sample go); then each document is
//! put together by itself. With a scorer pictures are assigned to sentences; without one they keep their place in the
//! text and the similarity steps are skipped.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsumugi_interleave::{
    DocumentDrop, Draft, DroppedImage, InterleavedConfig, NsfwClassifier, PageImage, Part, Similarity,
    page_images,
};
use tsumugi_record::{Document, Excluded, Image, ImageInfo, Interleaved, Provenance, Record, ShardReader};
use tsumugi_tables::{Samples, drop_frequent_in_samples};
use tsumugi_text::LanguagePack;

use super::pictures::Pictures;
use super::scorers::Scorers;
use crate::runner::{Opened, Outputs, Step, Summary, input_table};
use crate::{Error, Progress};

/// Name of the step.
const STEP: &str = "build_interleaved";
/// The columns of a document that this step reads.
const COLUMNS: &[&str] = &["id", "url", "charset", "nodes", "opt_out", "provenance"];
/// Documents whose pictures are held at a time.
const GROUP: usize = 32;

/// Settings of the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildInterleavedConfig {
    /// Folder with the table of documents.
    pub documents: PathBuf,
    /// Folder with the tables of images and fetches.
    pub images: PathBuf,
    /// Output folder.
    pub out: PathBuf,
    /// `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT` (one: assignment is by one scorer; see [`super::scorers`]); nothing
    /// is `none`.
    pub scorers: Vec<String>,
    /// A probe over the scorer's pictures that finds what is not safe for work: a safetensors file.
    pub nsfw: Option<PathBuf>,
    /// The recipe.
    pub recipe: InterleavedConfig,
}

/// Runs the step.
///
/// # Errors
/// Where a scorer is not there, the input is missing, or files cannot be read or written.
pub fn build_interleaved(config: &BuildInterleavedConfig, progress: &Progress) -> Result<Summary, Error> {
    super::scorers::with_scorers(&config.scorers, config.nsfw.as_deref(), |scorers| {
        build_interleaved_with(config, scorers, progress)
    })
}

/// [`build_interleaved`] with a scorer of one's own; [`BuildInterleavedConfig::scorers`] and
/// [`BuildInterleavedConfig::nsfw`] are not looked at.
///
/// # Errors
/// As [`build_interleaved`], where there is more than one scorer, and where one fails.
pub fn build_interleaved_with(
    config: &BuildInterleavedConfig,
    scorers: &Scorers<'_>,
    progress: &Progress,
) -> Result<Summary, Error> {
    let mut table = input_table(&config.documents, Document::KIND)?;
    let pictures = Pictures::read(&config.images, &mut table.identity)?;
    let scorer = match scorers.similarity {
        [] => None,
        [one] => Some(*one),
        _ => return Err(Error::config("--scorer", "pictures are assigned by one scorer; give one")),
    };
    let pack = LanguagePack::open(&config.recipe.language).map_err(Error::setting("recipe.language"))?;
    let identity = scorers.identity(&config.recipe);
    let step = match Step::open(STEP, &config.out, &identity, table.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let (recipe, nsfw, frequent) = (&config.recipe, scorers.nsfw, HashSet::new());
    let mut builder = Builder { recipe, pack, pictures, scorer, nsfw, frequent };
    if config.recipe.frequency.is_on() {
        builder.frequent = builder.find_frequent(&table.shards)?;
    }
    step.phase("build", &table.shards, progress, |_, shard, outputs| builder.shard(shard, outputs))?;
    step.finish()
}

struct Builder<'a> {
    recipe: &'a InterleavedConfig,
    pack: LanguagePack,
    pictures: Pictures,
    scorer: Option<&'a dyn Similarity>,
    nsfw: Option<&'a dyn NsfwClassifier>,
    /// Occurrences of pictures that are frequent.
    frequent: HashSet<String>,
}

/// What becomes of a document.
struct Built {
    parts: Result<Vec<Part>, DocumentDrop>,
    dropped: Vec<DroppedImage>,
}

impl Builder<'_> {
    /// The occurrences to drop because their picture stands too often in its sample.
    fn find_frequent(&self, shards: &[PathBuf]) -> Result<HashSet<String>, Error> {
        let parts: Result<Vec<Vec<_>>, Error> =
            shards.par_iter().map(|shard| self.occurrences(shard)).collect();
        let all: Vec<(u64, u32, String)> = parts?.into_iter().flatten().collect();
        let hashes: Vec<u64> = all.iter().map(|(hash, _, _)| *hash).collect();
        let years: Vec<u32> = all.iter().map(|(_, year, _)| *year).collect();
        let ids: Vec<&str> = all.iter().map(|(_, _, id)| id.as_str()).collect();
        let rules = &self.recipe.frequency;
        let samples = Samples { seed: rules.seed, block: rules.sample, count: rules.count };
        let keep = drop_frequent_in_samples(&hashes, &years, &ids, &samples)
            .map_err(Error::step(STEP, "frequent pictures"))?;
        Ok(ids.iter().zip(keep).filter(|(_, keep)| !keep).map(|(id, _)| (*id).to_owned()).collect())
    }

    /// Each picture of each page: its hash, the year of the page, and a name for the occurrence.
    fn occurrences(&self, shard: &Path) -> Result<Vec<(u64, u32, String)>, Error> {
        let mut found = Vec::new();
        for batch in ShardReader::<Document>::open_columns(shard, COLUMNS)? {
            for document in batch?.iter().filter(|document| !document.opt_out) {
                let year = document.provenance.date.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0);
                for page in page_images(document, &|url| self.pictures.find(url), self.recipe).0 {
                    found.push((page.facts.phash.0, year, occurrence(document, &page)));
                }
            }
        }
        Ok(found)
    }

    fn shard(&self, shard: &Path, outputs: &mut Outputs) -> Result<(), Error> {
        let mut out = outputs.create::<Interleaved>("")?;
        let mut excluded = outputs.create::<Excluded>(Excluded::KIND)?;
        for batch in ShardReader::<Document>::open_columns(shard, COLUMNS)? {
            for documents in batch?.chunks(GROUP) {
                let built: Result<Vec<Built>, Error> =
                    documents.par_iter().map(|document| self.build(document)).collect();
                let built = built?;
                let images = self.images_of(&built)?;
                for (document, built) in documents.iter().zip(built) {
                    for (url, reason) in built.dropped {
                        outputs.funnel().stage("pictures", "images").drop(reason.as_str());
                        let drop = drop_row(document, "pictures", reason.as_str(), Some(url));
                        excluded.push(drop)?;
                    }
                    let parts = match built.parts {
                        Ok(parts) => parts,
                        Err(reason) => {
                            outputs.funnel().stage("documents", "documents").drop(reason.as_str());
                            excluded.push(drop_row(document, "documents", reason.as_str(), None))?;
                            continue;
                        }
                    };
                    let row = self.row(document, parts, &images);
                    outputs.funnel().stage("documents", "documents").keep();
                    if self.scorer.is_none() {
                        outputs.count("documents without similarity", 1);
                    }
                    row.image_info.iter().for_each(|_| outputs.funnel().stage("pictures", "images").keep());
                    out.push(row)?;
                }
            }
        }
        outputs.finish(out)?;
        outputs.finish(excluded)
    }

    fn build(&self, document: &Document) -> Result<Built, Error> {
        if document.opt_out {
            return Ok(Built { parts: Err(DocumentDrop::OptOut), dropped: Vec::new() });
        }
        let (pictures, mut dropped) = page_images(document, &|url| self.pictures.find(url), self.recipe);
        let mut draft = Draft::new(document, pictures, self.pack.sentences());
        dropped.extend(draft.drop_frequent(&|page| self.frequent.contains(&occurrence(document, page))));
        let parts = match draft.check_images(self.recipe).or_else(|reason| self.too_many_is_fine(reason)) {
            Ok(()) => draft.check_text(self.recipe),
            Err(reason) => Err(reason),
        };
        let parts = match (parts, self.nsfw) {
            (Ok(()), Some(judge)) => self.judge(&mut draft, judge, &mut dropped)?,
            (parts, _) => parts,
        };
        let parts = match (parts, self.scorer) {
            (Err(reason), _) => Err(reason),
            (Ok(()), None) => Ok(draft.in_page_order()),
            (Ok(()), Some(scorer)) => self.assign(draft, scorer, &mut dropped)?,
        };
        Ok(Built { parts, dropped })
    }

    /// With a scorer some pictures will still go, so that too many are no reason yet.
    fn too_many_is_fine(&self, reason: DocumentDrop) -> Result<(), DocumentDrop> {
        if self.scorer.is_some() && reason == DocumentDrop::ManyImages { Ok(()) } else { Err(reason) }
    }

    /// Drops what is not safe for work, and looks whether enough is left.
    fn judge(
        &self,
        draft: &mut Draft,
        judge: &dyn NsfwClassifier,
        dropped: &mut Vec<DroppedImage>,
    ) -> Result<Result<(), DocumentDrop>, Error> {
        let images = self.images_in(draft)?;
        let scores = judge.probabilities(&files(draft, &images)).map_err(Error::step(STEP, judge.name()))?;
        if scores.len() != draft.images().len() {
            return Err(Error::step(STEP, judge.name())(format!("gave {} scores", scores.len())));
        }
        dropped.extend(draft.drop_nsfw(&scores, self.recipe.images.max_nsfw));
        Ok(draft.check_images(self.recipe).or_else(|reason| self.too_many_is_fine(reason)))
    }

    /// The files of a document's pictures.
    fn images_in(&self, draft: &Draft) -> Result<HashMap<usize, Image>, Error> {
        let keys: BTreeSet<usize> = draft.images().iter().map(|page| page.facts.key).collect();
        self.pictures.load(&keys)
    }

    fn assign(
        &self,
        draft: Draft,
        scorer: &dyn Similarity,
        dropped: &mut Vec<DroppedImage>,
    ) -> Result<Result<Vec<Part>, DocumentDrop>, Error> {
        let images = self.images_in(&draft)?;
        let files = files(&draft, &images);
        let scores = scorer.score(&files, &draft.sentences()).map_err(Error::step(STEP, scorer.name()))?;
        if (scores.rows(), scores.columns()) != (files.len(), draft.sentences().len()) {
            let wrong = format!("gave {} x {} scores", scores.rows(), scores.columns());
            return Err(Error::step(STEP, scorer.name())(wrong));
        }
        Ok(draft.assigned(&scores, self.recipe, dropped))
    }

    /// The files of the pictures of finished documents.
    fn images_of(&self, built: &[Built]) -> Result<HashMap<usize, Image>, Error> {
        let parts = built.iter().filter_map(|built| built.parts.as_ref().ok()).flatten();
        let keys: BTreeSet<usize> = parts
            .filter_map(|part| match part {
                Part::Image(page, _) => Some(page.facts.key),
                Part::Text(_) => None,
            })
            .collect();
        self.pictures.load(&keys)
    }

    fn row(&self, document: &Document, parts: Vec<Part>, images: &HashMap<usize, Image>) -> Interleaved {
        let mut row = Interleaved {
            id: document.id.clone(),
            page_url: document.url.clone(),
            provenance: document.provenance.clone(),
            ..Interleaved::default()
        };
        for part in parts {
            match part {
                Part::Text(text) => {
                    row.texts.push(Some(text));
                    row.images.push(None);
                }
                Part::Image(page, similarity) => {
                    let picture = page.facts;
                    let phash = picture.phash.to_string();
                    let (width, height) = (picture.width, picture.height);
                    row.image_info.push(ImageInfo { url: page.url, width, height, phash, similarity });
                    row.texts.push(None);
                    row.images.push(Some(images.get(&picture.key).cloned().unwrap_or_default()));
                }
            }
        }
        row
    }
}

/// The bytes of a document's pictures, in its order.
fn files<'a>(draft: &Draft, images: &'a HashMap<usize, Image>) -> Vec<&'a [u8]> {
    let bytes = |key: usize| images.get(&key).and_then(|image| image.bytes.as_deref()).unwrap_or_default();
    draft.images().iter().map(|page| bytes(page.facts.key)).collect()
}

/// A name for a picture of a page.
fn occurrence(document: &Document, page: &PageImage) -> String {
    format!("{} {}", document.url, page.url)
}

fn drop_row(document: &Document, stage: &str, reason: &str, value: Option<String>) -> Excluded {
    let provenance: Provenance = document.provenance.clone();
    let value = value.or_else(|| Some(document.url.clone()));
    Excluded {
        id: document.id.clone(),
        step: format!("{STEP}/{stage}"),
        reason: reason.into(),
        value,
        provenance,
    }
}

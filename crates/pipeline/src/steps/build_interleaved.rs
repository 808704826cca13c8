//! Step `build_interleaved`: interleaved documents by the recipe of the paper, part 1.
//!
//! The images of all documents are compared first (those that occur too often in a sample are dropped); then each document is
//! built by itself. With a scorer images are assigned to sentences; without one they keep their place in the
//! text and nothing is dropped by similarity.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_interleave::{
    DocumentDrop, Draft, DroppedImage, InterleavedConfig, NsfwClassifier, PageImage, Part, Similarity,
    page_images,
};
use tsumugi_record::{
    Document, DocumentBody, Excluded, Image, ImageInfo, Interleaved, Provenance, ShardReader, record,
};
use tsumugi_tables::{Operator, draw};
use tsumugi_text::LanguagePack;

use super::build_pairs::{place_of, year_of};
use super::images::{HasImages, ImageTables, ShardImages, load, phases};
use super::scorers::Scorers;
use crate::runner::{self, Inputs, Outputs, Phase, Rule, Stage, Step, Summary, Work};
use crate::{Context, Error, Group};

/// Name of the step.
const STEP: &str = "build_interleaved";
/// Documents whose images are held at a time.
const GROUP: usize = 32;
/// Folder of what is compared of the images of all pages.
const KEYS: &str = "_keys";

/// Which images stay in their document.
const IMAGES: Stage = Stage { name: "images", unit: "images" };
/// Which documents are built.
const DOCUMENTS: Stage = Stage { name: "documents", unit: "documents" };

record! {
    /// What is compared of an image on a page.
    #[derive(Debug, Clone, PartialEq)]
    struct OccurrenceKeys = "occurrence_keys", 1 {
        /// Place among all occurrences: shard and row.
        place: i64,
        /// Perceptual hash.
        phash: i64,
        /// Crawl year; 0 where it is unknown.
        year: i64,
        /// Place in the order in which samples are drawn.
        draw: [u8; 16],
    }
}

/// Settings of the step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildInterleavedConfig {
    /// Folder with the table of documents.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub documents: PathBuf,
    /// Folder with the tables of images and fetches.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub images: PathBuf,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// What assigns images to sentences: `none`, or `clip:CHECKPOINT` or `siglip:CHECKPOINT`. A checkpoint is a folder or a
    /// repository at the Hugging Face hub. Nothing is `none`; more than one is refused.
    #[schemars(extend("x-role" = "input", "x-value-name" = "SCORER"))]
    pub scorer: Vec<String>,
    /// An NSFW classifier over the image vectors of the scorer: a safetensors file.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub nsfw: Option<PathBuf>,
    /// The recipe by name (paper, mmc4, obelics, waon) or as a TOML file, in the place of `recipe`.
    #[schemars(extend("x-role" = "operation"))]
    pub profile: Option<String>,
    /// The recipe.
    #[schemars(extend("x-role" = "input"))]
    pub recipe: InterleavedConfig,
}

/// The step.
pub struct BuildInterleaved {
    recipe: InterleavedConfig,
    pack: LanguagePack,
    documents: Vec<PathBuf>,
    tables: ImageTables,
    scorer: Option<Arc<dyn Similarity + Send + Sync>>,
    nsfw: Option<Arc<dyn NsfwClassifier + Send + Sync>>,
}

impl Step for BuildInterleaved {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str = "Builds documents of interleaved texts and images";
    type Settings = BuildInterleavedConfig;

    fn out(settings: &BuildInterleavedConfig) -> &Path {
        &settings.out
    }

    fn resolve(settings: Self::Settings) -> Result<Self::Settings, Error> {
        let recipe = match &settings.profile {
            Some(profile) => InterleavedConfig::profile(profile).map_err(Error::setting("profile"))?,
            None => settings.recipe,
        };
        Ok(Self::Settings { recipe, profile: None, ..settings })
    }

    fn open(settings: BuildInterleavedConfig, inputs: &mut Inputs, _: &Context) -> Result<Self, Error> {
        let scorers = Scorers::open(&settings.scorer, settings.nsfw.as_deref())?;
        BuildInterleaved::with_scorers(settings, scorers, inputs)
    }

    fn phases(&self) -> Vec<Phase<Self>> {
        let shards = |step: &Self, _: &Work| Ok(step.documents.len());
        let mut phases = phases();
        if self.recipe.frequency.is_on() {
            phases.push(Phase::map("keys", shards, Self::keys));
            phases.push(Phase::compare::<OccurrenceKeys>("frequency", KEYS, shards, Self::rules));
        }
        phases.push(Phase::map("build", shards, Self::build_shard));
        phases
    }
}

/// Runs the step with scorers of the caller's; [`BuildInterleavedConfig::scorer`] and [`BuildInterleavedConfig::nsfw`] are not
/// read.
///
/// # Errors
/// As [`runner::run`], where there is more than one scorer, and where one fails.
pub fn build_interleaved_with(
    settings: &BuildInterleavedConfig,
    scorers: Scorers,
    context: &Context,
) -> Result<Summary, Error> {
    let mut inputs = Inputs::of(context);
    let step = BuildInterleaved::with_scorers(settings.clone(), scorers, &mut inputs)?;
    runner::run_opened(&step, settings, inputs, context)
}

/// What becomes of a document: itself, or its windows.
struct Built {
    windows: Vec<Result<Vec<Part>, DocumentDrop>>,
    dropped: Vec<DroppedImage>,
}

impl BuildInterleaved {
    fn with_scorers(
        settings: BuildInterleavedConfig,
        scorers: Scorers,
        inputs: &mut Inputs,
    ) -> Result<Self, Error> {
        scorers.declare(inputs)?;
        let Scorers { mut similarity, nsfw } = scorers;
        if similarity.len() > 1 {
            return Err(Error::config("scorer", "images are assigned to sentences by one scorer; name one"));
        }
        let settings = Self::resolve(settings)?;
        let recipe = settings.recipe;
        inputs.resolved("recipe", &recipe)?;
        let pack = LanguagePack::open(&recipe.language).map_err(Error::setting("recipe.language"))?;
        let documents = inputs.table::<Document>("documents", &settings.documents)?;
        let tables = ImageTables::declare(&settings.images, inputs)?;
        let scorer = similarity.pop();
        Ok(BuildInterleaved { recipe, pack, documents, tables, scorer, nsfw })
    }

    /// Drops occurrences whose image is frequent in its sample.
    fn rules(&self) -> Vec<Rule> {
        let operator = Operator::DropFrequentInSamples {
            id: "place".into(),
            draw: "draw".into(),
            key: vec!["phash".into()],
            group: vec!["year".into()],
            block: self.recipe.frequency.sample as u64,
            count: self.recipe.frequency.count as u64,
        };
        vec![Rule { stage: IMAGES, reason: "frequent_image", operator }]
    }

    /// Writes the keys of each image of each page.
    fn keys(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let images = ShardImages::read(&self.tables, work, number)?;
        outputs.begin::<OccurrenceKeys>(KEYS)?;
        let mut row = 0;
        for batch in ShardReader::<DocumentBody>::open(&self.documents[number])? {
            for document in batch?.into_iter().filter(|document| !document.opt_out).map(Document::from) {
                let year = year_of(&document.provenance.date);
                for page in page_images(&document, &|url| images.find(url), &self.recipe).0 {
                    let phash = page.facts.phash.0.cast_signed();
                    let (place, draw) = (place_of(number, row), self.draw(&document, &page));
                    outputs.write(KEYS, OccurrenceKeys { place, phash, year, draw })?;
                    row += 1;
                }
            }
        }
        Ok(())
    }

    /// The place of an image of a page in the order in which samples are drawn; it also names the occurrence.
    fn draw(&self, document: &Document, page: &PageImage) -> [u8; 16] {
        draw(self.recipe.frequency.seed, &format!("{} {}", document.url, page.url))
    }

    /// The occurrences of a shard that are frequent.
    fn frequent(&self, work: &Work, number: usize) -> Result<HashSet<[u8; 16]>, Error> {
        if !self.recipe.frequency.is_on() {
            return Ok(HashSet::new());
        }
        let keys =
            ShardReader::<OccurrenceKeys>::open(work.shard::<OccurrenceKeys>(KEYS, number))?.read_all()?;
        let verdicts = work.verdicts("frequency", number)?;
        let dropped = keys.into_iter().zip(verdicts).filter(|(_, verdict)| verdict.is_some());
        Ok(dropped.map(|(key, _)| key.draw).collect())
    }

    fn build_shard(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Interleaved>("")?;
        outputs.begin::<Excluded>("excluded")?;
        let shard = ShardImages::read(&self.tables, work, number)?;
        let frequent = self.frequent(work, number)?;
        for batch in ShardReader::<DocumentBody>::open(&self.documents[number])? {
            let documents: Vec<Document> = batch?.into_iter().map(Document::from).collect();
            for documents in documents.chunks(GROUP) {
                let built: Result<Vec<Built>, Error> =
                    documents.par_iter().map(|document| self.build(document, &shard, &frequent)).collect();
                let built = built?;
                let images = self.images_of(&built)?;
                for (document, built) in documents.iter().zip(built) {
                    self.write(document, built, &images, outputs)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a document or its windows, or why one is none, and the images that it loses.
    fn write(
        &self,
        document: &Document,
        built: Built,
        images: &HashMap<usize, Image>,
        outputs: &mut Outputs,
    ) -> Result<(), Error> {
        for (url, reason) in built.dropped {
            outputs.exclude(IMAGES, drop_row(document, &document.id, IMAGES, reason.as_str(), Some(url)))?;
        }
        let is_cut = built.windows.len() > 1;
        if is_cut {
            outputs.count("documents cut into windows", 1);
        }
        for (number, parts) in built.windows.into_iter().enumerate() {
            let id = if is_cut { format!("{}-{number:02}", document.id) } else { document.id.clone() };
            let parts = match parts {
                Ok(parts) => parts,
                Err(reason) => {
                    let row = drop_row(document, &id, DOCUMENTS, reason.as_str(), None);
                    outputs.exclude(DOCUMENTS, row)?;
                    continue;
                }
            };
            let row = self.row(document, id, parts, images);
            if self.scorer.is_none() {
                outputs.count("documents without similarity", 1);
            }
            row.image_info.iter().for_each(|_| outputs.pass(IMAGES));
            outputs.keep(DOCUMENTS, "", row)?;
        }
        Ok(())
    }

    fn build(
        &self,
        document: &Document,
        images: &ShardImages,
        frequent: &HashSet<[u8; 16]>,
    ) -> Result<Built, Error> {
        if document.opt_out {
            return Ok(Built { windows: vec![Err(DocumentDrop::OptOut)], dropped: Vec::new() });
        }
        let (found, mut dropped) = page_images(document, &|url| images.find(url), &self.recipe);
        let mut draft = Draft::new(document, found, self.pack.sentences());
        dropped.extend(draft.drop_frequent(&|page| frequent.contains(&self.draw(document, page))));
        let windows = draft.windows(&self.recipe).into_iter();
        let windows: Result<_, Error> =
            windows.map(|window| self.build_window(window, &mut dropped)).collect();
        Ok(Built { windows: windows?, dropped })
    }

    fn build_window(
        &self,
        mut draft: Draft,
        dropped: &mut Vec<DroppedImage>,
    ) -> Result<Result<Vec<Part>, DocumentDrop>, Error> {
        let parts = match draft.check_images(&self.recipe).or_else(|reason| self.too_many_is_fine(reason)) {
            Ok(()) => draft.check_text(&self.recipe),
            Err(reason) => Err(reason),
        };
        let parts = match (parts, &self.nsfw) {
            (Ok(()), Some(classifier)) => self.classify(&mut draft, classifier.as_ref(), dropped)?,
            (parts, _) => parts,
        };
        match (parts, &self.scorer) {
            (Err(reason), _) => Ok(Err(reason)),
            (Ok(()), None) => Ok(Ok(draft.in_page_order())),
            (Ok(()), Some(scorer)) => self.assign(draft, scorer.as_ref(), dropped),
        }
    }

    /// With a scorer some images will still go, so that too many are no reason yet.
    fn too_many_is_fine(&self, reason: DocumentDrop) -> Result<(), DocumentDrop> {
        if self.scorer.is_some() && reason == DocumentDrop::ManyImages { Ok(()) } else { Err(reason) }
    }

    /// Drops what is not safe for work, and looks whether enough is left.
    fn classify(
        &self,
        draft: &mut Draft,
        classifier: &dyn NsfwClassifier,
        dropped: &mut Vec<DroppedImage>,
    ) -> Result<Result<(), DocumentDrop>, Error> {
        let images = self.images_in(draft)?;
        let scores =
            classifier.probabilities(&files(draft, &images)).map_err(Error::step(STEP, classifier.name()))?;
        if scores.len() != draft.images().len() {
            return Err(Error::step(STEP, classifier.name())(format!("gave {} scores", scores.len())));
        }
        dropped.extend(draft.drop_nsfw(&scores, self.recipe.images.max_nsfw));
        Ok(draft.check_images(&self.recipe).or_else(|reason| self.too_many_is_fine(reason)))
    }

    /// The files of a document's images.
    fn images_in(&self, draft: &Draft) -> Result<HashMap<usize, Image>, Error> {
        let keys: BTreeSet<usize> = draft.images().iter().map(|page| page.facts.key).collect();
        load(&self.tables, &keys)
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
        Ok(draft.assigned(&scores, &self.recipe, dropped))
    }

    /// The files of the images of finished documents.
    fn images_of(&self, built: &[Built]) -> Result<HashMap<usize, Image>, Error> {
        let windows = built.iter().flat_map(|built| &built.windows);
        let parts = windows.filter_map(|parts| parts.as_ref().ok()).flatten();
        let keys: BTreeSet<usize> = parts
            .filter_map(|part| match part {
                Part::Image(page, _) => Some(page.facts.key),
                Part::Text(_) => None,
            })
            .collect();
        load(&self.tables, &keys)
    }

    fn row(
        &self,
        document: &Document,
        id: String,
        parts: Vec<Part>,
        images: &HashMap<usize, Image>,
    ) -> Interleaved {
        let mut row = Interleaved {
            id,
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
                    let facts = page.facts;
                    let phash = facts.phash.to_string();
                    let (width, height) = (facts.width, facts.height);
                    row.image_info.push(ImageInfo { url: page.url, width, height, phash, similarity });
                    row.texts.push(None);
                    row.images.push(Some(images.get(&facts.key).cloned().unwrap_or_default()));
                }
            }
        }
        row
    }
}

impl HasImages for BuildInterleaved {
    fn documents(&self) -> &[PathBuf] {
        &self.documents
    }

    fn tables(&self) -> &ImageTables {
        &self.tables
    }
}

/// The bytes of a document's images, in its order.
fn files<'a>(draft: &Draft, images: &'a HashMap<usize, Image>) -> Vec<&'a [u8]> {
    let bytes = |key: usize| images.get(&key).and_then(|image| image.bytes.as_deref()).unwrap_or_default();
    draft.images().iter().map(|page| bytes(page.facts.key)).collect()
}

fn drop_row(document: &Document, id: &str, stage: Stage, reason: &str, value: Option<String>) -> Excluded {
    let provenance: Provenance = document.provenance.clone();
    let value = value.or_else(|| Some(document.url.clone()));
    Excluded {
        id: id.to_owned(),
        step: format!("{STEP}/{}", stage.name),
        reason: reason.into(),
        value,
        provenance,
    }
}

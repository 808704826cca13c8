//! The images that `fetch_images` found, as the builders need them: facts in memory, bytes when they are asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_images::{PHash, canonical_url};
use tsumugi_interleave::ImageFacts as Facts;
use tsumugi_record::{Fetch, FetchedImage, Image, ImageFacts, ImageRow, Record, ShardReader, shards};

use crate::Error;
use crate::runner::Inputs;

/// What is known of a content.
pub(super) struct Fact {
    pub(super) facts: Facts,
    pub(super) name: String,
    shard: usize,
}

/// Where the tables of `fetch_images` are.
#[derive(Debug, Clone)]
pub(crate) struct ImageTables {
    images: Vec<PathBuf>,
    fetches: Vec<PathBuf>,
}

impl ImageTables {
    /// Finds the tables where they are no input of a step.
    pub(crate) fn find(folder: &Path) -> Result<ImageTables, Error> {
        ImageTables::declare(folder, &mut Inputs::default())
    }

    /// Declares the tables as the input `images`.
    pub(super) fn declare(folder: &Path, inputs: &mut Inputs) -> Result<ImageTables, Error> {
        let images = inputs.table::<ImageRow>("images", folder)?;
        let mut fetches = inputs.optional_table::<Fetch>("images", folder)?;
        // A folder without a manifest, made elsewhere: the table is in a folder of its own.
        if fetches.is_empty() {
            fetches = shards(folder.join(Fetch::KIND), Fetch::KIND)?;
        }
        Ok(ImageTables { images, fetches })
    }
}

/// All images: facts by number (their order in the shards), and the number behind each address. An image takes a
/// few hundred bytes here; its file stays on disk.
pub(crate) struct Images {
    facts: Vec<Fact>,
    by_url: HashMap<String, usize>,
    shards: Vec<PathBuf>,
}

impl Images {
    /// Reads the facts.
    pub(crate) fn read(tables: &ImageTables) -> Result<Images, Error> {
        let shards = tables.images.par_iter().enumerate();
        let parts: Result<Vec<Vec<(String, Fact)>>, Error> =
            shards.map(|(number, shard)| facts_of(number, shard)).collect();
        let mut images = Images { facts: Vec::new(), by_url: HashMap::new(), shards: tables.images.clone() };
        let mut by_id = HashMap::new();
        for (id, mut fact) in parts?.into_iter().flatten() {
            fact.facts.key = images.facts.len();
            by_id.insert(id, fact.facts.key);
            images.facts.push(fact);
        }
        for shard in &tables.fetches {
            for batch in ShardReader::<FetchedImage>::open(shard)? {
                for fetch in batch? {
                    if let Some(&key) = fetch.image_id.as_ref().and_then(|id| by_id.get(id)) {
                        images.by_url.entry(fetch.url).or_insert(key);
                    }
                }
            }
        }
        Ok(images)
    }

    /// The image behind an address of a page.
    pub(crate) fn find(&self, url: &str) -> Option<Facts> {
        let known = self.by_url.get(url).or_else(|| self.by_url.get(&canonical_url(url)?));
        known.map(|&key| self.facts[key].facts)
    }

    /// The facts of an image.
    pub(super) fn fact(&self, key: usize) -> &Fact {
        &self.facts[key]
    }

    /// The files of some images. Only shards that hold one of them are read.
    pub(crate) fn load(&self, keys: &BTreeSet<usize>) -> Result<HashMap<usize, Image>, Error> {
        let mut by_shard: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &key in keys {
            by_shard.entry(self.facts[key].shard).or_default().push(key);
        }
        let mut images = HashMap::new();
        for (shard, keys) in by_shard {
            // Facts are in the order of rows, so both go up together.
            let first = self.facts.partition_point(|fact| fact.shard < shard);
            let mut waiting = keys.into_iter().peekable();
            let mut at = first;
            for batch in ShardReader::<ImageRow>::open(&self.shards[shard])? {
                for row in batch? {
                    if waiting.next_if_eq(&at).is_some() {
                        images.insert(at, row.image);
                    }
                    at += 1;
                }
                if waiting.peek().is_none() {
                    break;
                }
            }
        }
        Ok(images)
    }
}

fn facts_of(shard: usize, path: &Path) -> Result<Vec<(String, Fact)>, Error> {
    let mut found = Vec::new();
    for batch in ShardReader::<ImageFacts>::open(path)? {
        for row in batch? {
            let phash: PHash = row.phash.parse().map_err(|_| {
                Error::config(path.display().to_string(), format!("`{}` is not a perceptual hash", row.phash))
            })?;
            let facts = Facts { key: 0, width: row.width, height: row.height, phash };
            let name = format!("{}.{}", row.id, row.format);
            found.push((row.id, Fact { facts, name, shard }));
        }
    }
    Ok(found)
}

//! The pictures that `fetch_images` found, as the builders need them: facts in memory, bytes by need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_images::{PHash, canonical_url};
use tsumugi_interleave::ImageFacts;
use tsumugi_record::{Fetch, Image, ImageRow, Record, ShardReader, shards};

use crate::Error;
use crate::runner::input_table;

/// What is known of a content.
pub(super) struct Fact {
    pub(super) picture: ImageFacts,
    pub(super) name: String,
    shard: usize,
}

/// All pictures: facts by number (their order in the shards), and the number behind each address. A picture takes a
/// few hundred bytes here; its file stays on disk.
pub(crate) struct Pictures {
    facts: Vec<Fact>,
    by_url: HashMap<String, usize>,
    shards: Vec<PathBuf>,
}

impl Pictures {
    /// Reads the tables of `fetch_images`; what they are is added to `identity`.
    pub(crate) fn read(folder: &Path, identity: &mut BTreeMap<String, String>) -> Result<Pictures, Error> {
        let images = input_table(folder, ImageRow::KIND)?;
        let fetches = fetch_shards(folder, identity)?;
        identity.extend(images.identity.into_iter().map(|(name, is)| (format!("images:{name}"), is)));
        let parts: Result<Vec<Vec<(String, Fact)>>, Error> =
            images.shards.par_iter().enumerate().map(|(number, shard)| facts_of(number, shard)).collect();
        let mut pictures = Pictures { facts: Vec::new(), by_url: HashMap::new(), shards: images.shards };
        let mut by_id = HashMap::new();
        for (id, mut fact) in parts?.into_iter().flatten() {
            fact.picture.key = pictures.facts.len();
            by_id.insert(id, fact.picture.key);
            pictures.facts.push(fact);
        }
        for shard in fetches {
            for batch in ShardReader::<Fetch>::open(&shard)? {
                for fetch in batch? {
                    if let Some(&key) = fetch.image_id.as_ref().and_then(|id| by_id.get(id)) {
                        pictures.by_url.entry(fetch.url).or_insert(key);
                    }
                }
            }
        }
        Ok(pictures)
    }

    /// The picture behind an address of a page.
    pub(crate) fn find(&self, url: &str) -> Option<ImageFacts> {
        let known = self.by_url.get(url).or_else(|| self.by_url.get(&canonical_url(url)?));
        known.map(|&key| self.facts[key].picture)
    }

    /// The facts of a picture.
    pub(super) fn fact(&self, key: usize) -> &Fact {
        &self.facts[key]
    }

    /// The files of some pictures. Only shards that hold one of them are read.
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
    let mut facts = Vec::new();
    for batch in ShardReader::<ImageRow>::open(path)? {
        for row in batch? {
            let phash: PHash = row.phash.parse().map_err(|_| {
                Error::config(path.display().to_string(), format!("`{}` is no perceptual hash", row.phash))
            })?;
            let picture = ImageFacts { key: 0, width: row.width, height: row.height, phash };
            let name = format!("{}.{}", row.id, row.format);
            facts.push((row.id, Fact { picture, name, shard }));
        }
    }
    Ok(facts)
}

fn fetch_shards(folder: &Path, identity: &mut BTreeMap<String, String>) -> Result<Vec<PathBuf>, Error> {
    match input_table(folder, Fetch::KIND) {
        Ok(table) => {
            identity.extend(table.identity.into_iter().map(|(name, is)| (format!("fetches:{name}"), is)));
            Ok(table.shards)
        }
        // A folder without a manifest, made elsewhere: the table stands in a folder of its own.
        Err(Error::NoTable { .. }) => Ok(shards(folder.join(Fetch::KIND), Fetch::KIND)?),
        Err(error) => Err(error),
    }
}

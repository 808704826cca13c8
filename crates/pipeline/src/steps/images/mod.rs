//! The images that `fetch_images` found, as the builders need them.
//!
//! No process holds all images: the addresses on the pages of each shard are looked up in the tables by [`phases`], so that a
//! shard of documents finds its own images, and files are read when they are asked for.

mod phases;
mod tables;

pub(super) use phases::{HasImages, phases};
pub(crate) use tables::{ImageTables, by_address};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tsumugi_images::{PHash, canonical_url};
use tsumugi_interleave::ImageFacts;
use tsumugi_record::{Image, ImageRow, ShardReader};
use tsumugi_text::exact_hash;

use super::build_pairs::{place_of, shard_and_row};
use crate::Error;
use crate::runner::Work;

/// The images on the pages of a shard of documents.
pub(super) struct ShardImages<'a> {
    tables: &'a ImageTables,
    by_address: HashMap<[u8; 16], ImageFacts>,
}

impl<'a> ShardImages<'a> {
    /// The images of a shard, after the [`phases`].
    pub(super) fn read(tables: &'a ImageTables, work: &Work, shard: usize) -> Result<Self, Error> {
        let found = work.found(phases::LOOKUP, shard)?.into_iter();
        Ok(ShardImages { tables, by_address: found.map(|(key, values)| (key, facts(values))).collect() })
    }

    /// The image behind an address of a page.
    pub(super) fn find(&self, url: &str) -> Option<ImageFacts> {
        let known = |url: &str| self.by_address.get(&key(url)).copied();
        known(url).or_else(|| known(&canonical_url(url)?))
    }

    /// The files of some images, by the keys of their facts.
    pub(super) fn load(&self, keys: &BTreeSet<usize>) -> Result<HashMap<usize, Image>, Error> {
        load(self.tables, keys)
    }
}

/// What is known of a content, from the values of the lookup.
fn facts([place, size, phash]: [i64; 3]) -> ImageFacts {
    let (width, height) = ((size >> 32) as u32, size as u32);
    ImageFacts { key: place as usize, width, height, phash: PHash(phash.cast_unsigned()) }
}

/// The key of an address or of a content's identifier.
fn key(text: &str) -> [u8; 16] {
    exact_hash(text).to_be_bytes()
}

/// The files of some images, by their places. Only shards that hold one of them are read.
pub(crate) fn load(tables: &ImageTables, places: &BTreeSet<usize>) -> Result<HashMap<usize, Image>, Error> {
    let mut by_shard: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &place in places {
        let (shard, row) = shard_and_row(place as i64);
        by_shard.entry(shard).or_default().push(row);
    }
    let mut images = HashMap::new();
    for (shard, rows) in by_shard {
        let mut waiting = rows.into_iter().peekable();
        let mut at = 0;
        for batch in ShardReader::<ImageRow>::open(&tables.images[shard])? {
            for row in batch? {
                if waiting.next_if_eq(&at).is_some() {
                    images.insert(place_of(shard, at) as usize, row.image);
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

//! The images that documents name.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_images::{canonical_url, is_data_url, match_keys};
use tsumugi_record::{DocumentBody, ShardReader};

use crate::Error;

/// The URLs to look for.
pub(super) struct Wanted {
    urls: HashSet<String>,
    keys: Keys,
}

/// A set of keys that takes 8 bytes for each. It may also contain a key that was not added, once in billions of years of
/// archives, and then an image is inspected that nobody names.
#[derive(Default)]
pub(super) struct Keys(HashSet<u64>);

impl Keys {
    /// Adds all keys under which an archive may have the image at a URL.
    pub(super) fn add(&mut self, url: &str) {
        self.0.extend(match_keys(url).iter().map(|key| hash(key)));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains(&hash(key))
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// An image of a page.
pub(super) struct Slot {
    /// Its URL in canonical form, or as it stands where it has none (`data:` URLs, broken ones).
    pub(super) url: String,
    pub(super) page_url: String,
    /// Why it is not even looked for.
    pub(super) refused: Option<&'static str>,
}

/// The images of a document, each URL once, in the order of the page.
pub(super) fn slots(document: &DocumentBody) -> Vec<Slot> {
    let mut seen = HashSet::new();
    let mut slots = Vec::new();
    for slot in document.nodes.iter().filter_map(|node| node.image.as_ref()) {
        let canonical = canonical_url(&slot.url);
        let refused = if document.opt_out || slot.opt_out {
            Some("opt_out")
        } else if canonical.is_none() && !is_data_url(&slot.url) {
            Some("no_http_url")
        } else {
            None
        };
        let url = canonical.unwrap_or_else(|| slot.url.clone());
        if seen.insert(url.clone()) {
            slots.push(Slot { url, page_url: document.url.clone(), refused });
        }
    }
    slots
}

impl Wanted {
    /// Reads the URLs of all documents, but for those that hold their images themselves.
    pub(super) fn read(shards: &[PathBuf]) -> Result<Wanted, Error> {
        let parts: Result<Vec<Vec<String>>, Error> = shards.par_iter().map(|shard| of_shard(shard)).collect();
        let urls: HashSet<String> = parts?.into_iter().flatten().collect();
        let mut keys = Keys::default();
        urls.iter().for_each(|url| keys.add(url));
        Ok(Wanted { urls, keys })
    }

    /// Whether an archive's record with this key may be the image at one of the URLs.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.has(key)
    }

    /// All URLs, in order.
    pub(super) fn sorted(&self) -> Vec<&str> {
        let mut urls: Vec<&str> = self.urls.iter().map(String::as_str).collect();
        urls.sort_unstable();
        urls
    }
}

fn of_shard(shard: &Path) -> Result<Vec<String>, Error> {
    let mut urls = Vec::new();
    for batch in ShardReader::<DocumentBody>::open(shard)? {
        for document in batch? {
            let wanted = slots(&document).into_iter().filter(|slot| slot.refused.is_none());
            urls.extend(wanted.map(|slot| slot.url).filter(|url| !is_data_url(url)));
        }
    }
    Ok(urls)
}

//! The images that documents name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tsumugi_images::{canonical_url, is_data_url};
use tsumugi_record::{DocumentBody, ShardReader};

use crate::Error;

/// The addresses to look for.
pub(super) struct Wanted {
    urls: HashSet<String>,
}

/// An image of a page.
pub(super) struct Slot {
    /// Its address in canonical form, or as it stands where it has none (`data:` URLs, broken ones).
    pub(super) url: String,
    pub(super) page_url: String,
    /// Why it is not even looked for.
    pub(super) refused: Option<&'static str>,
}

/// The images of a document, each address once, in the order of the page.
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
    /// Reads the addresses of all documents, but for those that hold their images themselves.
    pub(super) fn read(shards: &[PathBuf]) -> Result<Wanted, Error> {
        let parts: Result<Vec<Vec<String>>, Error> = shards.par_iter().map(|shard| of_shard(shard)).collect();
        Ok(Wanted { urls: parts?.into_iter().flatten().collect() })
    }

    pub(super) fn has(&self, url: &str) -> bool {
        self.urls.contains(url)
    }

    /// All addresses, in order.
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

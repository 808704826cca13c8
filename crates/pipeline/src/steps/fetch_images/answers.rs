//! What the sources answered, by address.

use std::collections::HashMap;
use std::path::Path;

use tsumugi_record::{Fetch, ShardReader};

use super::Place;
use super::wanted::Slot;
use crate::Error;

/// Redirects that are followed, as browsers do (20 there; more than a few are always a mistake).
const MAX_REDIRECTS: usize = 10;

/// The best answer to each address, and the first source of each content.
#[derive(Default)]
pub(super) struct Answers {
    by_url: HashMap<String, Fetch>,
    owners: HashMap<String, usize>,
    sources: usize,
}

impl Answers {
    /// Reads what the sources left, one after another; they are numbered on from those read before.
    pub(super) fn read(&mut self, out: &Path, places: &[Place]) -> Result<(), Error> {
        for place in places {
            for batch in ShardReader::<Fetch>::open(place.shard::<Fetch>(out))? {
                for fetch in batch? {
                    self.add(self.sources, fetch);
                }
            }
            self.sources += 1;
        }
        Ok(())
    }

    /// Whether an image is at an address, or behind its redirects.
    #[cfg(feature = "remote")]
    pub(super) fn has_image(&self, url: &str) -> bool {
        self.by_url.get(url).is_some_and(|first| self.follow(first).1.is_none())
    }

    /// Of several answers the first with an image counts, or else the first.
    fn add(&mut self, source: usize, fetch: Fetch) {
        if let Some(id) = &fetch.image_id
            && !self.owners.contains_key(id)
        {
            self.owners.insert(id.clone(), source);
        }
        match self.by_url.get_mut(&fetch.url) {
            Some(have) if have.image_id.is_none() && fetch.image_id.is_some() => *have = fetch,
            Some(_) => {}
            None => {
                self.by_url.insert(fetch.url.clone(), fetch);
            }
        }
    }

    /// The source whose shard holds a content.
    pub(super) fn owner(&self, id: &str) -> Option<usize> {
        self.owners.get(id).copied()
    }

    /// The row of an image of a page.
    pub(super) fn fetch(&self, slot: &Slot, missing: &str) -> Fetch {
        let base = Fetch {
            url: slot.url.clone(),
            final_url: slot.url.clone(),
            page_url: slot.page_url.clone(),
            ..Fetch::default()
        };
        if let Some(reason) = slot.refused {
            return Fetch { reason: Some(reason.to_owned()), ..base };
        }
        let Some(first) = self.by_url.get(&slot.url) else {
            return Fetch { reason: Some(missing.to_owned()), ..base };
        };
        let (last, reason) = self.follow(first);
        Fetch { url: slot.url.clone(), page_url: slot.page_url.clone(), reason, ..last.clone() }
    }

    /// The answer behind redirects, and why it is no image.
    fn follow<'a>(&'a self, first: &'a Fetch) -> (&'a Fetch, Option<String>) {
        let mut at = first;
        for _ in 0..MAX_REDIRECTS {
            if at.reason.as_deref() != Some("redirect") {
                return (at, at.reason.clone());
            }
            match self.by_url.get(&at.final_url) {
                Some(next) => at = next,
                None => return (at, Some("redirect_target_missing".to_owned())),
            }
        }
        (at, Some("too_many_redirects".to_owned()))
    }
}

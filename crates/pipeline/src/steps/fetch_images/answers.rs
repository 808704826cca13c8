//! What the sources answered, by URL.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use tsumugi_images::{match_key, match_keys};
use tsumugi_record::{Excluded, Fetch, ShardReader};

use super::repeat::{REVISIT, Target};
use super::site_files::SiteFiles;
use super::wanted::Slot;
use super::{FOUND, FetchImagesConfig, Place, REPEATED};
use crate::Error;

/// Redirects that are followed, as browsers do (20 there; more than a few are always a mistake).
const MAX_REDIRECTS: usize = 10;

/// The best answer to each URL, and the first source of each content.
#[derive(Default)]
pub(super) struct Answers {
    /// By the key of a URL, or by the name of what a revisit repeats.
    by_key: HashMap<String, Fetch>,
    /// What the records repeat that have no body of their own, best first, by the key of their URL.
    revisits: HashMap<String, Vec<Target>>,
    /// The key of each record, by its ID.
    records: HashMap<String, String>,
    owners: HashMap<String, usize>,
}

/// An answer, and why it is not an image.
struct Found<'a> {
    fetch: &'a Fetch,
    reason: Option<String>,
}

impl Answers {
    /// Reads what the sources left. What was fetched over HTTP has been held against the files of its site by the fetcher.
    pub(super) fn read(out: &Path, places: &[Place], config: &FetchImagesConfig) -> Result<Self, Error> {
        let mut files = SiteFiles::default();
        for place in places.iter().filter(|place| place.folder == FOUND) {
            for batch in ShardReader::<Excluded>::open(place.shard::<Excluded>(out))? {
                batch?.iter().for_each(|row| files.add(row, &config.agent));
            }
        }
        let mut answers = Self::default();
        for (source, place) in places.iter().enumerate() {
            let is_held = [FOUND, REPEATED].contains(&place.folder);
            for batch in ShardReader::<Fetch>::open(place.shard::<Fetch>(out))? {
                for fetch in batch? {
                    let fetch = if is_held { files.checked(fetch, &config.opt_out) } else { fetch };
                    answers.add(source, fetch);
                }
            }
        }
        Ok(answers)
    }

    /// Whether an image is at a URL, or behind its redirects.
    #[cfg(feature = "remote")]
    pub(super) fn has_image(&self, url: &str) -> bool {
        self.find(url, 0).is_some_and(|found| found.reason.is_none())
    }

    /// Of several answers the first with an image counts, or else the first.
    fn add(&mut self, source: usize, fetch: Fetch) {
        if let Some(id) = &fetch.image_id
            && !self.owners.contains_key(id)
        {
            self.owners.insert(id.clone(), source);
        }
        let key = match_key(&fetch.url).unwrap_or_else(|| fetch.url.clone());
        if fetch.reason.as_deref() == Some(REVISIT) {
            if let Some(target) = Target::named(&fetch.final_url) {
                self.revisits.entry(key).or_default().push(target);
            }
            return;
        }
        let is_better = match self.by_key.get(&key) {
            Some(have) => have.image_id.is_none() && fetch.image_id.is_some(),
            None => true,
        };
        if is_better {
            self.records.insert(fetch.provenance.record_id.clone(), key.clone());
            self.by_key.insert(key, fetch);
        }
    }

    /// The source whose shard holds a content.
    pub(super) fn owner(&self, id: &str) -> Option<usize> {
        self.owners.get(id).copied()
    }

    /// What archives may have under other URLs than those that documents name: what revisits repeat, and where redirects
    /// lead. Names of targets, and keys of URLs.
    pub(super) fn missing(&self) -> HashSet<String> {
        let mut missing = HashSet::new();
        for targets in self.revisits.values() {
            if targets
                .iter()
                .filter(|target| target.is_exact())
                .any(|target| self.target(target, 0).is_some())
            {
                continue;
            }
            missing.extend(targets.iter().flat_map(Target::names));
        }
        let redirects = self.by_key.values().filter(|fetch| fetch.reason.as_deref() == Some("redirect"));
        for fetch in redirects {
            let is_same = |found: Found<'_>| std::ptr::eq(found.fetch, fetch);
            let leads_away = match_key(&fetch.url) != match_key(&fetch.final_url);
            if leads_away && self.find(&fetch.final_url, MAX_REDIRECTS).is_none_or(is_same) {
                missing.extend(match_keys(&fetch.final_url));
            }
        }
        missing
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
        match self.find(&slot.url, 0) {
            Some(Found { fetch, reason }) => {
                Fetch { url: base.url, page_url: base.page_url, reason, ..fetch.clone() }
            }
            None => {
                let is_revisit = match_keys(&slot.url).iter().any(|key| self.revisits.contains_key(key));
                let reason = if is_revisit { "revisit_target_missing" } else { missing };
                Fetch { reason: Some(reason.to_owned()), ..base }
            }
        }
    }

    /// The answer to a URL: the first with an image among its spellings, or else the first. What a revisit repeats comes
    /// after what was captured at the URL itself.
    fn find(&self, url: &str, redirects: usize) -> Option<Found<'_>> {
        let mut first = None;
        let mut keys = match_keys(url);
        if keys.is_empty() {
            // A `data:` URL has no key but itself.
            keys.push(url.to_owned());
        }
        for key in keys {
            let captured = self.by_key.get(&key).map(|fetch| self.follow(fetch, redirects));
            let repeated = self.revisits.get(&key).into_iter().flatten();
            let repeated = repeated.filter_map(|target| self.target(target, redirects));
            for found in captured.into_iter().chain(repeated) {
                if found.reason.is_none() {
                    return Some(found);
                }
                first.get_or_insert(found);
            }
        }
        first
    }

    /// The answer behind redirects.
    fn follow<'a>(&'a self, fetch: &'a Fetch, redirects: usize) -> Found<'a> {
        if fetch.reason.as_deref() != Some("redirect") {
            return Found { fetch, reason: fetch.reason.clone() };
        }
        if redirects >= MAX_REDIRECTS {
            return Found { fetch, reason: Some("too_many_redirects".to_owned()) };
        }
        // A redirect from https to http does not lead back to itself because the latter is missing.
        let is_other = |found: &Found<'_>| {
            !std::ptr::eq(found.fetch, fetch) || match_key(&fetch.url) == match_key(&fetch.final_url)
        };
        let missing = || Found { fetch, reason: Some("redirect_target_missing".to_owned()) };
        self.find(&fetch.final_url, redirects + 1).filter(is_other).unwrap_or_else(missing)
    }

    /// What a revisit repeats.
    fn target(&self, target: &Target, redirects: usize) -> Option<Found<'_>> {
        if redirects >= MAX_REDIRECTS {
            return None;
        }
        let named = self.by_key.get(&target.name());
        let captured = || match target {
            Target::Record(id) => {
                self.by_key.get(self.records.get(id)?).filter(|fetch| fetch.provenance.record_id == *id)
            }
            Target::Capture { date, key } => self.by_key.get(key).filter(|fetch| fetch.date == *date),
            Target::Digest(_) | Target::Url(_) => None,
        };
        match named.or_else(captured) {
            Some(fetch) => Some(self.follow(fetch, redirects + 1)),
            None => match target {
                Target::Url(key) => self.find(key, redirects + 1),
                _ => None,
            },
        }
    }
}

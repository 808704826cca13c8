//! What sites reserve in their files, where archives and folders hold these.
//!
//! `Disallow` of a `robots.txt` is not among it: it says what may be requested, and nothing is requested here.

use std::collections::HashMap;
use std::path::Path;

use tsumugi_images::{match_key, mirror_paths};
use tsumugi_record::{Excluded, Fetch, Provenance};
use tsumugi_robots::{MAX_ROBOTS_TXT, Robots, Signal, TdmRep};
use tsumugi_warc::{PayloadLimits, Record, RecordType};

use super::wanted::Wanted;
use super::{FetchImagesConfig, STEP};
use crate::Error;

/// The paths of such files, and the signals that stand in them.
const FILES: [(&str, &[Signal]); 3] = [
    ("/robots.txt", &[Signal::ContentSignal, Signal::ContentUsage]),
    ("/.well-known/tdmrep.json", &[Signal::Tdmrep]),
    ("/ai.txt", &[Signal::AiTxt]),
];

/// Bytes up to which a file is unpacked; of them [`MAX_ROBOTS_TXT`] are read.
const MAX_UNPACKED: usize = 8 << 20;

/// Host with port, and path, of a URL that a key stands for.
fn site_and_path(key: &str) -> Option<(&str, &str)> {
    let (_, rest) = key.split_once("://")?;
    rest.find('/').map(|at| rest.split_at(at))
}

fn is_obeyed(path: &str, config: &FetchImagesConfig) -> bool {
    let signals = FILES.iter().find(|(name, _)| *name == path).map_or(&[][..], |(_, signals)| signals);
    signals.iter().any(|signal| config.opt_out.contains(signal))
}

/// A file as a row of the first phase: its key, and its text.
fn row(key: &str, bytes: &[u8], provenance: Provenance) -> Excluded {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_ROBOTS_TXT)]).into_owned();
    let (id, step, reason) = (key.to_owned(), STEP.to_owned(), "site_file".to_owned());
    Excluded { id, step, reason, value: Some(text), provenance }
}

/// Whether a URL may be that of such a file, which is cheap to see.
pub(super) fn may_be_one(url: &[u8]) -> bool {
    let url = url.strip_suffix(b">").unwrap_or(url);
    [&b"robots.txt"[..], b"tdmrep.json", b"ai.txt"].iter().any(|name| url.ends_with(name))
}

/// The file in a record that a key stands for, if it is one whose signals are obeyed.
pub(super) fn of_record(
    record: &Record<'_>,
    key: &str,
    provenance: impl FnOnce() -> Provenance,
    config: &FetchImagesConfig,
) -> Option<Excluded> {
    site_and_path(key).filter(|(_, path)| is_obeyed(path, config))?;
    let is_captured = matches!(record.kind(), RecordType::Response | RecordType::Resource);
    let status = record.http().map_or(Some(200), |http| http.status());
    // A page that stands where a file is missing has no statements, unless its status says that nothing is there.
    if !is_captured || status.is_none_or(|status| status / 100 != 2) {
        return None;
    }
    let payload = record.payload(&PayloadLimits::default().with_bytes(MAX_UNPACKED));
    Some(row(key, payload.bytes(), provenance()))
}

/// The files that a mirror has of the sites of which images are wanted.
pub(super) fn of_folder(
    folder: &Path,
    wanted: &Wanted,
    config: &FetchImagesConfig,
) -> Result<Vec<Excluded>, Error> {
    let keys = wanted.sorted().into_iter().filter_map(match_key);
    let sites: std::collections::BTreeSet<String> =
        keys.filter_map(|key| site_and_path(&key).map(|(site, _)| site.to_owned())).collect();
    let mut found = Vec::new();
    for site in sites {
        for (path, _) in FILES.iter().filter(|(path, _)| is_obeyed(path, config)) {
            let key = format!("http://{site}{path}");
            let mut places = mirror_paths(&key).into_iter().map(|name| folder.join(name));
            let Some(place) = places.find(|place| place.is_file()) else { continue };
            let bytes =
                std::fs::read(&place).map_err(|e| Error::step(STEP, place.display().to_string())(e))?;
            found.push(row(&key, &bytes, Provenance::default()));
        }
    }
    Ok(found)
}

/// What one file says.
enum SiteFile {
    Preferences(Robots),
    Tdmrep(TdmRep),
    AiTxt(Robots),
}

/// The files of all sites, by host and port: an archive may have them by `http` or `https`.
#[derive(Default)]
pub(super) struct SiteFiles(HashMap<String, Vec<SiteFile>>);

impl SiteFiles {
    /// Adds a row of the first phase.
    pub(super) fn add(&mut self, row: &Excluded, agent: &str) {
        let Some((site, path)) = site_and_path(&row.id) else { return };
        let bytes = row.value.as_deref().unwrap_or_default().as_bytes();
        let file = match path {
            "/robots.txt" => SiteFile::Preferences(Robots::parse(bytes, agent)),
            "/ai.txt" => SiteFile::AiTxt(Robots::parse(bytes, agent)),
            _ => match TdmRep::parse(bytes) {
                Ok(file) => SiteFile::Tdmrep(file),
                // A site that does not answer with such a file does not take part.
                Err(_) => return,
            },
        };
        self.0.entry(site.to_owned()).or_default().push(file);
    }

    /// An answer of an archive or a folder, without its image if the site reserves that. Of several captures of a file one
    /// that forbids is enough.
    pub(super) fn checked(&self, fetch: Fetch, obeyed: &[Signal]) -> Fetch {
        if self.0.is_empty() {
            return fetch;
        }
        let key = match_key(&fetch.url);
        let files = key.as_deref().and_then(site_and_path).and_then(|(site, _)| self.0.get(site));
        let forbids =
            |signal: &&Signal| files.into_iter().flatten().any(|file| file.forbids(**signal, &fetch.url));
        match obeyed.iter().find(forbids) {
            Some(signal) => {
                let reason = Some(format!("opt_out:{}", signal.name()));
                Fetch { image_id: None, reason, ..fetch }
            }
            None => fetch,
        }
    }
}

impl SiteFile {
    fn forbids(&self, signal: Signal, url: &str) -> bool {
        match (self, signal) {
            (Self::Preferences(file), Signal::ContentSignal | Signal::ContentUsage) => {
                file.forbids_training(signal, url)
            }
            (Self::Tdmrep(file), Signal::Tdmrep) => file.is_reserved(url),
            (Self::AiTxt(file), Signal::AiTxt) => !file.is_allowed(url),
            _ => false,
        }
    }
}

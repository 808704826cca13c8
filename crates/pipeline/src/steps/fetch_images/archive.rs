//! Images out of a web archive.

use std::borrow::Cow;
use std::collections::HashSet;

use tsumugi_images::{canonical_url, match_key, resolve_url};
use tsumugi_record::{Excluded, Fetch, Provenance};
use tsumugi_warc::{HttpMessage, PayloadFault, PayloadLimits, Record, RecordType};

use super::found::{Capture, Found};
use super::repeat::{REVISIT, Target};
use super::wanted::{Keys, Wanted};
use super::{FetchImagesConfig, STEP, opts_out, site_files};
use crate::archives::{Archives, Source};
use crate::{Error, Progress};

/// What is looked for in archives.
pub(super) enum Search<'a> {
    /// What documents name.
    Wanted(&'a Wanted),
    /// What the archives were found to repeat or to redirect to: names of targets, and keys of URLs.
    Missing(&'a HashSet<String>),
}

/// What an archive has told so far.
#[derive(Default)]
struct SoFar {
    /// Where images were moved to.
    moved: Keys,
    /// Names under which a record was found. Many may have the digest of a common image, and one is enough.
    named: HashSet<String>,
}

/// Reads an archive from one end to the other.
pub(super) fn read(
    archives: &Archives,
    source: &Source,
    search: &Search<'_>,
    config: &FetchImagesConfig,
    mut found: Found<'_>,
    progress: &Progress,
) -> Result<(), Error> {
    let mut so_far = SoFar::default();
    let bar = progress.bytes(&source.to_string());
    archives.read(source, &bar, &mut |name, record| {
        match record {
            Ok(record) => {
                if matches!(search, Search::Wanted(_))
                    && let Some(file) = site_file(name, record, config)
                {
                    found.site_file(file)?;
                }
                for capture in captures(name, record, search, config, &mut so_far) {
                    found.push(capture)?;
                }
            }
            Err(error) if error.is_damage() => {
                // The second reading meets the same damage.
                if matches!(search, Search::Wanted(_)) {
                    found.count("damage");
                    progress.line(&format!("{source}: {error}"));
                }
            }
            Err(error) => return Err(Error::step(STEP, source.to_string())(error)),
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    found.finish()
}

/// The file of a site in a record.
fn site_file(archive: &str, record: &Record<'_>, config: &FetchImagesConfig) -> Option<Excluded> {
    if !site_files::may_be_one(record.head().bytes("WARC-Target-URI")?) {
        return None;
    }
    let key = match_key(&target_uri(record)?)?;
    site_files::of_record(record, &key, || provenance(archive, record), config)
}

/// The answers in a record that are looked for, one for each name under which one is.
fn captures(
    archive: &str,
    record: &Record<'_>,
    search: &Search<'_>,
    config: &FetchImagesConfig,
    so_far: &mut SoFar,
) -> Vec<Capture> {
    let kind = record.kind();
    if !matches!(kind, RecordType::Response | RecordType::Resource | RecordType::Revisit) {
        return Vec::new();
    }
    let Some(url) = target_uri(record).and_then(|uri| canonical_url(&uri)) else { return Vec::new() };
    let Some(key) = match_key(&url) else { return Vec::new() };
    let mut names: Vec<String> = match search {
        Search::Wanted(wanted) if wanted.has(&key) => vec![url.clone()],
        Search::Missing(missing) if kind != RecordType::Revisit => {
            let is_missing =
                |name: &String| missing.contains(name) && (*name == key || so_far.named.insert(name.clone()));
            Target::names_of(record, &key).into_iter().filter(is_missing).collect()
        }
        _ => Vec::new(),
    };
    let moved = &mut so_far.moved;
    if names.is_empty() && moved.has(&key) {
        names.push(url.clone());
    }
    if names.is_empty() {
        return Vec::new();
    }
    let capture = match kind {
        RecordType::Revisit => return revisit(archive, record, url, config, moved),
        _ => capture(archive, record, url, config, moved),
    };
    let named = |name: String| Capture {
        fetch: Fetch { url: name, ..capture.fetch.clone() },
        bytes: capture.bytes.clone(),
    };
    names.into_iter().map(named).collect()
}

/// `WARC-Target-URI`, with octets that are not UTF-8 escaped: crawlers have written URLs as the page had them.
fn target_uri(record: &Record<'_>) -> Option<String> {
    let raw = record.head().bytes("WARC-Target-URI")?;
    if std::str::from_utf8(raw).is_ok() {
        return record.uri().map(Cow::into_owned);
    }
    let escape = |octet: &u8| {
        if octet.is_ascii() { char::from(*octet).to_string() } else { format!("%{octet:02X}") }
    };
    let escaped: String = raw.iter().map(escape).collect();
    Some(escaped.trim_matches(['<', '>']).to_owned())
}

/// The facts of an answer.
fn facts(archive: &str, record: &Record<'_>, url: String, http: Option<&HttpMessage<'_>>) -> Fetch {
    let header = |name: &str| http.and_then(|http| http.header(name)).map(Cow::into_owned);
    Fetch {
        final_url: url.clone(),
        status: http.map_or(200, |http| http.status().unwrap_or(0)),
        etag: header("ETag"),
        last_modified: header("Last-Modified"),
        date: record.date().unwrap_or_default().into_owned(),
        provenance: provenance(archive, record),
        url,
        ..Fetch::default()
    }
}

/// The answer in a record with a body.
fn capture(
    archive: &str,
    record: &Record<'_>,
    url: String,
    config: &FetchImagesConfig,
    moved: &mut Keys,
) -> Capture {
    let http = record.http();
    let mut fetch = facts(archive, record, url, http.as_ref());
    if let Some(reason) = http.as_ref().and_then(|http| refusal(&mut fetch, http, config, moved)) {
        fetch.reason = Some(reason);
        return Capture { fetch, bytes: None };
    }
    let limit = usize::try_from(config.limits.max_bytes).unwrap_or(usize::MAX);
    let payload = record.payload(&PayloadLimits::default().with_bytes(limit));
    if payload.fault() == Some(PayloadFault::TooLarge) || record.is_streamed() {
        fetch.reason = Some("too_many_bytes".into());
        return Capture { fetch, bytes: None };
    }
    Capture { fetch, bytes: Some(payload.into_bytes().into_owned()) }
}

/// What a revisit repeats: a row for each way in which it names that. Its own head may forbid the use of the image, or
/// be a redirect.
fn revisit(
    archive: &str,
    record: &Record<'_>,
    url: String,
    config: &FetchImagesConfig,
    moved: &mut Keys,
) -> Vec<Capture> {
    let http = record.http();
    let mut fetch = facts(archive, record, url, http.as_ref());
    // 304 says that the image is the one captured before, and some revisits have no HTTP head.
    let reason = match &http {
        Some(http) if !matches!(fetch.status, 0 | 304) => refusal(&mut fetch, http, config, moved),
        _ => None,
    };
    if reason.is_some() {
        return vec![Capture { fetch: Fetch { reason, ..fetch }, bytes: None }];
    }
    let row = |target: Target| {
        let reason = Some(REVISIT.to_owned());
        Capture { fetch: Fetch { reason, final_url: target.name(), ..fetch.clone() }, bytes: None }
    };
    Target::of(record, &fetch.url).into_iter().map(row).collect()
}

/// Why an answer is not read, by its head alone.
fn refusal(
    fetch: &mut Fetch,
    http: &HttpMessage<'_>,
    config: &FetchImagesConfig,
    moved: &mut Keys,
) -> Option<String> {
    if (300..400).contains(&fetch.status)
        && let Some(target) = http.header("Location").and_then(|to| resolve_url(&fetch.url, &to))
    {
        moved.add(&target);
        fetch.final_url = target;
        return Some("redirect".into());
    }
    if fetch.status != 200 {
        return Some(format!("status:{}", fetch.status));
    }
    let named = |name: &str| http.headers_named(name).map(Cow::into_owned).collect::<Vec<_>>();
    opts_out(named, config).then(|| "opt_out_header".to_owned())
}

fn provenance(archive: &str, record: &Record<'_>) -> Provenance {
    let location = record.location();
    Provenance {
        warc: archive.to_owned(),
        offset: location.offset,
        length: location.length.unwrap_or(0),
        record_id: record.id().unwrap_or_default().trim_matches(['<', '>']).to_owned(),
        date: record.date().unwrap_or_default().into_owned(),
    }
}

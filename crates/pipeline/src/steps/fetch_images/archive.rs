//! Images out of a web archive.

use std::collections::HashSet;

use tsumugi_images::{canonical_url, resolve_url};
use tsumugi_record::{Fetch, Provenance};
use tsumugi_warc::{HttpMessage, PayloadFault, PayloadLimits, Record, RecordType};

use super::found::{Capture, Found};
use super::wanted::Wanted;
use super::{FOUND, FetchImagesConfig, STEP, opts_out};
use crate::archives::{Archives, Source};
use crate::runner::Outputs;
use crate::{Error, Progress};

/// Reads an archive from one end to the other.
pub(super) fn read(
    archives: &Archives,
    source: &Source,
    wanted: &Wanted,
    config: &FetchImagesConfig,
    outputs: &mut Outputs,
    progress: &Progress,
) -> Result<(), Error> {
    let mut found = Found::new(config, FOUND, outputs)?;
    // Where wanted images were moved to, as far as the archive has told.
    let mut moved = HashSet::new();
    let bar = progress.bytes(&source.to_string());
    archives.read(source, &bar, &mut |name, record| {
        match record {
            Ok(record) => {
                if let Some(capture) = capture(name, record, wanted, config, &mut moved) {
                    found.push(capture)?;
                }
            }
            Err(error) if error.is_damage() => {
                found.count("damage");
                progress.line(&format!("{source}: {error}"));
            }
            Err(error) => return Err(Error::step(STEP, source.to_string())(error)),
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    found.finish()
}

/// The answer in a record, where a document asks for it.
fn capture(
    archive: &str,
    record: &Record<'_>,
    wanted: &Wanted,
    config: &FetchImagesConfig,
    moved: &mut HashSet<String>,
) -> Option<Capture> {
    if !matches!(record.kind(), RecordType::Response | RecordType::Resource) {
        return None;
    }
    let url = canonical_url(&record.uri()?)?;
    if !wanted.has(&url) && !moved.contains(&url) {
        return None;
    }
    let http = record.http();
    let header =
        |name: &str| http.as_ref().and_then(|http| http.header(name)).map(|value| value.into_owned());
    let mut fetch = Fetch {
        final_url: url.clone(),
        status: http.as_ref().map_or(200, |http| http.status().unwrap_or(0)),
        etag: header("ETag"),
        last_modified: header("Last-Modified"),
        date: record.date().unwrap_or_default().into_owned(),
        provenance: provenance(archive, record),
        url,
        ..Fetch::default()
    };
    if let Some(reason) = refusal(&mut fetch, http.as_ref(), config, moved) {
        fetch.reason = Some(reason);
        return Some(Capture { fetch, bytes: None });
    }
    let limit = usize::try_from(config.limits.max_bytes).unwrap_or(usize::MAX);
    let payload = record.payload(&PayloadLimits::default().with_bytes(limit));
    if payload.fault() == Some(PayloadFault::TooLarge) || record.is_streamed() {
        fetch.reason = Some("too_many_bytes".into());
        return Some(Capture { fetch, bytes: None });
    }
    Some(Capture { fetch, bytes: Some(payload.into_bytes().into_owned()) })
}

/// Why an answer is not read, by its head alone.
fn refusal(
    fetch: &mut Fetch,
    http: Option<&HttpMessage<'_>>,
    config: &FetchImagesConfig,
    moved: &mut HashSet<String>,
) -> Option<String> {
    let http = http?;
    if (300..400).contains(&fetch.status)
        && let Some(target) = http.header("Location").and_then(|to| resolve_url(&fetch.url, &to))
    {
        moved.insert(target.clone());
        fetch.final_url = target;
        return Some("redirect".into());
    }
    if fetch.status != 200 {
        return Some(format!("status:{}", fetch.status));
    }
    let named = |name: &str| http.headers_named(name).map(|value| value.into_owned()).collect::<Vec<_>>();
    opts_out(&named("X-Robots-Tag"), &named("tdm-reservation"), &config.agent)
        .then(|| "opt_out_header".to_owned())
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

//! Pictures out of a web archive.

use std::collections::HashSet;

use rayon::prelude::*;
use tsumugi_images::{Inspection, canonical_url, content_id, inspect, resolve_url};
use tsumugi_page::OptOut;
use tsumugi_record::{Fetch, Image, ImageRow, Provenance, ShardWriter};
use tsumugi_warc::{HttpMessage, PayloadFault, PayloadLimits, Record, RecordType};

use super::wanted::Wanted;
use super::{FOUND, FetchImagesConfig, STEP};
use crate::archives::{Archives, Source};
use crate::runner::Outputs;
use crate::{Error, Progress};

/// Pictures that are inspected at a time, each on its own thread.
const BATCH_PICTURES: usize = 64;
/// Bytes of pictures that are held at a time.
const BATCH_BYTES: usize = 64 << 20;

/// An answer that waits to be inspected.
pub(super) struct Capture {
    pub(super) fetch: Fetch,
    /// None where the answer is known to hold no picture.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Writes what a source has: contents once each, and every answer.
pub(super) struct Found<'a> {
    outputs: &'a mut Outputs,
    images: ShardWriter<ImageRow>,
    fetches: ShardWriter<Fetch>,
    config: &'a FetchImagesConfig,
    seen: HashSet<String>,
    batch: Vec<Capture>,
    bytes: usize,
}

impl<'a> Found<'a> {
    pub(super) fn new(config: &'a FetchImagesConfig, outputs: &'a mut Outputs) -> Result<Found<'a>, Error> {
        let (images, fetches) = (outputs.create(FOUND)?, outputs.create(FOUND)?);
        Ok(Found { outputs, images, fetches, config, seen: HashSet::new(), batch: Vec::new(), bytes: 0 })
    }

    pub(super) fn push(&mut self, capture: Capture) -> Result<(), Error> {
        self.bytes += capture.bytes.as_ref().map_or(0, Vec::len);
        self.batch.push(capture);
        if self.batch.len() >= BATCH_PICTURES || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Inspects what waits, in parallel, and writes it in order.
    fn flush(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let limits = &self.config.limits;
        let done: Vec<(Fetch, Option<ImageRow>)> =
            std::mem::take(&mut self.batch).into_par_iter().map(|capture| look(capture, limits)).collect();
        for (fetch, image) in done {
            self.fetches.push(fetch)?;
            if let Some(image) = image.filter(|image| self.seen.insert(image.id.clone())) {
                self.images.push(image)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        self.outputs.finish(self.images)?;
        self.outputs.finish(self.fetches)
    }
}

fn look(capture: Capture, limits: &tsumugi_images::Limits) -> (Fetch, Option<ImageRow>) {
    let Capture { mut fetch, bytes } = capture;
    let Some(bytes) = bytes else { return (fetch, None) };
    match inspect(&bytes, limits) {
        Ok(facts) => {
            let row = image_row(bytes, &facts);
            fetch.image_id = Some(row.id.clone());
            (fetch, Some(row))
        }
        Err(error) => {
            fetch.reason = Some(error.reason().to_owned());
            (fetch, None)
        }
    }
}

fn image_row(bytes: Vec<u8>, facts: &Inspection) -> ImageRow {
    let id = content_id(&bytes);
    let format = facts.format.as_str();
    let path = Some(format!("{id}.{format}"));
    let (width, height, phash) = (facts.width, facts.height, facts.phash.to_string());
    let format = format.to_owned();
    ImageRow { id, image: Image { bytes: Some(bytes), path }, width, height, format, phash }
}

/// Reads an archive from one end to the other.
pub(super) fn read(
    archives: &Archives,
    source: &Source,
    wanted: &Wanted,
    config: &FetchImagesConfig,
    outputs: &mut Outputs,
    progress: &Progress,
) -> Result<(), Error> {
    let mut found = Found::new(config, outputs)?;
    // Where wanted pictures were moved to, as far as the archive has told.
    let mut moved = HashSet::new();
    archives.read(source, &mut |name, record| {
        match record {
            Ok(record) => {
                if let Some(capture) = capture(name, record, wanted, config, &mut moved) {
                    found.push(capture)?;
                }
            }
            Err(error) if error.is_damage() => {
                found.outputs.count("damage", 1);
                progress.line(&format!("{source}: {error}"));
            }
            Err(error) => return Err(Error::step(STEP, source.to_string())(error)),
        }
        Ok(())
    })?;
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
    let mut opt_out = OptOut::default();
    for value in http.headers_named("X-Robots-Tag") {
        opt_out.robots("x-robots-tag", &value, &config.agent);
    }
    for value in http.headers_named("tdm-reservation") {
        opt_out.tdm_reservation("header", &value);
    }
    opt_out.images.then(|| "opt_out_header".to_owned())
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

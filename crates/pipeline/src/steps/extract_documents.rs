//! Step `extract_documents`: from web archives to documents of one language.
//!
//! A shard is an archive. Its HTML responses are read page by page; pages of another language, without text or not
//! readable are in table `excluded` with their reason. Damage in an archive is counted (`damage:KIND`), and what can be
//! read around it is.

mod archives;
mod document;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsumugi_page::PageConfig;
use tsumugi_record::{Document, Excluded, Provenance, ShardWriter};
use tsumugi_text::{LanguageConfig, LanguageIdentifier};
use tsumugi_warc::{ArchiveReader, Options, PayloadLimits, Record, RecordType};

use crate::runner::{Opened, Outputs, Step, Summary};
use crate::{Error, Progress};
use document::{Capture, Verdict};

/// Name of the step.
const STEP: &str = "extract_documents";
/// Pages that are read at a time, each on its own thread.
const BATCH_PAGES: usize = 64;
/// Bytes of pages that are held at a time.
const BATCH_BYTES: usize = 32 << 20;

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtractDocumentsConfig {
    /// Archives, and folders of archives (all files in them whose name says that they are one).
    pub warc: Vec<PathBuf>,
    /// Output folder.
    pub out: PathBuf,
    /// BCP 47 code of the language to keep (`ja`; `zh` keeps `zh-Hans` and `zh-Hant`), or `any`.
    pub language: String,
    /// How pages are read.
    pub page: PageConfig,
    /// How languages are told.
    pub identifier: LanguageConfig,
    /// Largest page in bytes, after decoding. 10 MiB by default, as much as `page` reads of one.
    pub max_payload: usize,
}

impl Default for ExtractDocumentsConfig {
    fn default() -> Self {
        Self {
            warc: Vec::new(),
            out: PathBuf::new(),
            language: "ja".into(),
            page: PageConfig::default(),
            identifier: LanguageConfig::default(),
            max_payload: 10 << 20,
        }
    }
}

/// Runs the step.
///
/// # Errors
/// Where no archive is given, one cannot be opened, the only one is empty or no archive at all, or files cannot be written.
pub fn extract_documents(config: &ExtractDocumentsConfig, progress: &Progress) -> Result<Summary, Error> {
    let inputs = archives::find(&config.warc)?;
    let identity = serde_json::json!({
        "language": config.language,
        "page": config.page,
        "identifier": config.identifier,
        "max_payload": config.max_payload,
    });
    let step = match Step::open(STEP, &config.out, &identity, inputs.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let extractor = Extractor {
        config,
        identifier: LanguageIdentifier::new(config.identifier.clone()),
        only: inputs.files.len() == 1,
        progress,
    };
    step.phase("archives", &inputs.files, progress, |_, path, outputs| extractor.archive(path, outputs))?;
    step.finish()
}

struct Extractor<'a> {
    config: &'a ExtractDocumentsConfig,
    identifier: LanguageIdentifier,
    /// There is one archive only: if nothing can be read from it, the step fails.
    only: bool,
    progress: &'a Progress,
}

/// The files of a shard and the pages that wait to be read.
struct Shard<'a> {
    outputs: &'a mut Outputs,
    documents: ShardWriter<Document>,
    excluded: ShardWriter<Excluded>,
    batch: Vec<Capture>,
    bytes: usize,
}

impl Extractor<'_> {
    fn archive(&self, path: &Path, outputs: &mut Outputs) -> Result<(), Error> {
        let (documents, excluded) = (outputs.create("")?, outputs.create("excluded")?);
        let mut shard = Shard { outputs, documents, excluded, batch: Vec::new(), bytes: 0 };
        self.read(path, &mut shard)?;
        self.flush(&mut shard)?;
        let Shard { outputs, documents, excluded, .. } = shard;
        outputs.finish(documents)?;
        outputs.finish(excluded)
    }

    fn read(&self, path: &Path, shard: &mut Shard<'_>) -> Result<(), Error> {
        let place = || path.display().to_string();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut reader = ArchiveReader::open_with(path, Options::default())
            .map_err(|error| Error::step(STEP, place())(error))?;
        while let Some(record) = reader.next() {
            match record {
                Ok(record) => self.record(&name, &record, shard),
                Err(tsumugi_warc::Error::Damage(fault)) => {
                    self.progress.line(&format!("{}: {fault}", path.display()));
                    shard.outputs.count(&format!("damage:{}", fault.kind.name()), 1);
                }
                Err(error @ tsumugi_warc::Error::NotAnArchive { .. }) if !self.only => {
                    self.progress.line(&format!("{}: {error}", path.display()));
                    shard.outputs.count("damage:not_an_archive", 1);
                }
                Err(error) => return Err(Error::step(STEP, place())(error)),
            }
            if shard.batch.len() >= BATCH_PAGES || shard.bytes >= BATCH_BYTES {
                self.flush(shard)?;
            }
        }
        shard.outputs.count("records", reader.records());
        if reader.records() == 0 && reader.offset() == 0 {
            if self.only {
                return Err(Error::step(STEP, place())("the archive is empty; give one that has records"));
            }
            self.progress.line(&format!("{}: the archive is empty", path.display()));
            shard.outputs.count("damage:empty_archive", 1);
        }
        Ok(())
    }

    /// Takes a record over as a page to be read, or counts why it is none.
    fn record(&self, name: &str, record: &Record<'_>, shard: &mut Shard<'_>) {
        let mut drop = |reason: &str| shard.outputs.funnel().stage("records", "records").drop(reason);
        if !matches!(record.kind(), RecordType::Response | RecordType::Resource) {
            drop(record.kind().name());
            return;
        }
        let http = record.http();
        if let Some(status) = http.and_then(|http| http.status()).filter(|status| *status != 200) {
            drop(&format!("status:{status}"));
            return;
        }
        let declared = match &http {
            Some(http) => http.header("Content-Type"),
            None => record.header("Content-Type"),
        };
        if !document::may_be_html(declared.as_deref()) {
            drop("not_html");
            return;
        }
        let payload = record.payload(&PayloadLimits::default().with_bytes(self.config.max_payload));
        if declared.is_none() && !document::looks_like_html(payload.bytes()) {
            drop("not_html");
            return;
        }
        if payload.fault() == Some(tsumugi_warc::PayloadFault::TooLarge) {
            drop("too_large");
            return;
        }
        shard.outputs.funnel().stage("records", "records").keep();
        if payload.fault().is_some() || !record.is_complete() {
            shard.outputs.count("damage:page", 1);
        }
        let location = record.location();
        let text = |value: Option<std::borrow::Cow<'_, str>>| value.map(std::borrow::Cow::into_owned);
        let header = |name: &str| http.and_then(|http| http.header(name)).map(std::borrow::Cow::into_owned);
        let capture = Capture {
            url: text(record.uri()).unwrap_or_default(),
            within: location.within,
            provenance: Provenance {
                warc: name.to_owned(),
                offset: location.offset,
                length: location.length.unwrap_or(0),
                record_id: text(record.id()).unwrap_or_default().trim_matches(['<', '>']).to_owned(),
                date: text(record.date()).unwrap_or_default(),
            },
            content_type: declared.map(std::borrow::Cow::into_owned),
            content_language: header("Content-Language"),
            robots: http
                .iter()
                .flat_map(|http| http.headers_named("X-Robots-Tag"))
                .map(|v| v.into_owned())
                .collect(),
            tdm_reservation: header("tdm-reservation"),
            bytes: payload.into_bytes().into_owned(),
        };
        shard.bytes += capture.bytes.len();
        shard.batch.push(capture);
    }

    /// Reads the waiting pages in parallel and writes them in order.
    fn flush(&self, shard: &mut Shard<'_>) -> Result<(), Error> {
        let batch = std::mem::take(&mut shard.batch);
        shard.bytes = 0;
        let verdicts: Vec<Verdict> = batch
            .into_par_iter()
            .map(|capture| {
                document::judge(&self.config.page, &self.identifier, &self.config.language, capture)
            })
            .collect();
        for verdict in verdicts {
            let stage = shard.outputs.funnel().stage("language", "pages");
            match verdict {
                Verdict::Keep(document) => {
                    stage.keep();
                    if document.opt_out {
                        shard.outputs.count("opted_out", 1);
                    }
                    shard.documents.push(*document)?;
                }
                Verdict::Drop(excluded) => {
                    stage.drop(&excluded.reason);
                    shard.excluded.push(*excluded)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Step `extract_documents`: from web archives to documents of one language.
//!
//! A shard is an archive. Its HTML responses are read page by page; pages of another language, without text or not
//! readable are in table `excluded` with their reason. Damage in an archive is counted (`damage:KIND`), and what can be
//! read around it is.

mod document;

use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsumugi_page::PageConfig;
use tsumugi_record::{Document, Excluded, Provenance, ShardWriter};
use tsumugi_text::{LanguageConfig, LanguageIdentifier};
use tsumugi_warc::{PayloadLimits, Record, RecordType};

use crate::archives::{Archives, Named, Source};
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
    /// Archives, and folders of archives (all files in them whose name says that they are one); with the feature
    /// `remote` also URLs (`https://`, `s3://`) and lists of paths (`*.paths`, `*.paths.gz`).
    pub warc: Vec<PathBuf>,
    /// Indexes (CDXJ, CDX, ZipNum's `cluster.idx`, Parquet of the columnar index), files, folders or URLs, instead of
    /// `warc`: only the records that they name are fetched. With the feature `remote`.
    pub index: Vec<PathBuf>,
    /// Which records of the index are wanted: `language=jpn,mime=text/html,domain=example.jp,status=200`. Empty: all.
    pub select: String,
    /// Folder or URL below which the paths of lists and indexes lie. None: those of Common Crawl are at
    /// `https://data.commoncrawl.org/`, others beside the list or index.
    pub base: Option<String>,
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
            index: Vec::new(),
            select: String::new(),
            base: None,
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
    let archives = Archives::find(&Named {
        archives: &config.warc,
        indexes: &config.index,
        select: &config.select,
        base: config.base.as_deref(),
    })?;
    let identity = serde_json::json!({
        "select": config.select,
        "base": config.base,
        "language": config.language,
        "page": config.page,
        "identifier": config.identifier,
        "max_payload": config.max_payload,
    });
    let step = match Step::open(STEP, &config.out, &identity, archives.identity.clone())? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let extractor = Extractor {
        config,
        identifier: LanguageIdentifier::new(config.identifier.clone()),
        only: archives.sources.len() == 1,
        archives: &archives,
        progress,
    };
    step.phase("archives", &archives.sources, progress, |_, source, outputs| {
        extractor.archive(source, outputs)
    })?;
    step.finish()
}

struct Extractor<'a> {
    config: &'a ExtractDocumentsConfig,
    identifier: LanguageIdentifier,
    /// There is one archive only: if nothing can be read from it, the step fails.
    only: bool,
    archives: &'a Archives,
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
    fn archive(&self, source: &Source, outputs: &mut Outputs) -> Result<(), Error> {
        let (documents, excluded) = (outputs.create("")?, outputs.create("excluded")?);
        let mut shard = Shard { outputs, documents, excluded, batch: Vec::new(), bytes: 0 };
        self.read(source, &mut shard)?;
        self.flush(&mut shard)?;
        let Shard { outputs, documents, excluded, .. } = shard;
        outputs.finish(documents)?;
        outputs.finish(excluded)
    }

    fn read(&self, source: &Source, shard: &mut Shard<'_>) -> Result<(), Error> {
        let totals = self.archives.read(source, &mut |name, record| {
            match record {
                Ok(record) => self.record(name, record, shard),
                Err(tsumugi_warc::Error::Damage(fault)) => {
                    self.progress.line(&format!("{source}: {fault}"));
                    shard.outputs.count(&format!("damage:{}", fault.kind.name()), 1);
                }
                Err(error @ tsumugi_warc::Error::NotAnArchive { .. }) if !self.only => {
                    self.progress.line(&format!("{source}: {error}"));
                    shard.outputs.count("damage:not_an_archive", 1);
                }
                Err(error) => return Err(Error::step(STEP, source.to_string())(error)),
            }
            if shard.batch.len() >= BATCH_PAGES || shard.bytes >= BATCH_BYTES {
                self.flush(shard)?;
            }
            Ok(())
        })?;
        shard.outputs.count("records", totals.records);
        if totals.missing > 0 {
            self.progress.line(&format!("{source}: {} records are not where the index says", totals.missing));
            shard.outputs.count("damage:not_where_the_index_says", totals.missing);
        }
        if totals.bytes == 0 && totals.records == 0 {
            if self.only {
                let reason = "the archive is empty; give one that has records";
                return Err(Error::step(STEP, source.to_string())(reason));
            }
            self.progress.line(&format!("{source}: the archive is empty"));
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
        let headers = |name: &str| {
            let values = http.iter().flat_map(|http| http.headers_named(name));
            values.map(std::borrow::Cow::into_owned).collect()
        };
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
            robots: headers("X-Robots-Tag"),
            tdm_reservation: headers("tdm-reservation"),
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
                Verdict::Keep(document, limited) => {
                    stage.keep();
                    if limited {
                        shard.outputs.count("page_limit", 1);
                    }
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

//! Step `extract_documents`: from web archives to documents of one language.
//!
//! A shard is an archive. Its HTML responses are read page by page; pages of another language, without text or not
//! readable are in table `excluded` with their reason. Damage in an archive is counted (`damage:KIND`), and what can be
//! read around it is.

mod document;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_page::PageConfig;
use tsumugi_record::{Document, Excluded, Provenance};
use tsumugi_text::language::check_code;
use tsumugi_text::{LanguageConfig, LanguageIdentifier};
use tsumugi_warc::{PayloadLimits, Record, RecordType};

use crate::archives::{Archives, Named, Source};
use crate::runner::{Inputs, Outputs, Phase, Stage, Step, Work};
use crate::{Context, Error, Group, Progress};
use document::{Capture, Verdict};

/// Name of the step.
const STEP: &str = "extract_documents";
/// Which records are pages.
const RECORDS: Stage = Stage { name: "records", unit: "records" };
/// Which pages are in the wanted language.
const LANGUAGE: Stage = Stage { name: "language", unit: "pages" };
/// The value of the setting `language` that keeps every page.
const ANY: &str = "any";
/// Pages that are read at a time, each on its own thread.
const BATCH_PAGES: usize = 64;
/// Bytes of pages that are held at a time.
const BATCH_BYTES: usize = 32 << 20;

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExtractDocumentsConfig {
    /// Archives, and folders of archives (all files in them whose name says that they are one); with the feature
    /// `remote` also URLs (`https://`, `s3://`) and lists of paths (`*.paths`, `*.paths.gz`).
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub warc: Vec<PathBuf>,
    /// Indexes (CDXJ, CDX, ZipNum's `cluster.idx`, Parquet of the columnar index), files, folders or URLs, instead of
    /// `warc`: only the records that they name are fetched. With the feature `remote`.
    #[schemars(extend("x-role" = "input", "x-value-name" = "FILE"))]
    pub index: Vec<PathBuf>,
    /// Which records of the index are wanted: `language=jpn,mime=text/html,domain=example.jp,status=200`. Empty: all.
    pub select: String,
    /// Folder or URL below which the paths of lists and indexes lie. None: those of Common Crawl are at
    /// `https://data.commoncrawl.org/`, others beside the list or index.
    pub base: Option<String>,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
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

/// The step.
pub struct ExtractDocuments {
    settings: ExtractDocumentsConfig,
    identifier: LanguageIdentifier,
    archives: Archives,
}

impl Step for ExtractDocuments {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str =
        "Extracts documents of one language from web archives: main text, images in reading order, opt-out";
    type Settings = ExtractDocumentsConfig;

    fn out(settings: &ExtractDocumentsConfig) -> &Path {
        &settings.out
    }

    fn open(settings: ExtractDocumentsConfig, inputs: &mut Inputs, _: &Context) -> Result<Self, Error> {
        if settings.language != ANY {
            check_code(&settings.language).map_err(Error::setting("language"))?;
        }
        let archives = Archives::find(&Named {
            archives: &settings.warc,
            indexes: &settings.index,
            select: &settings.select,
            base: settings.base.as_deref(),
        })?;
        let key = if settings.index.is_empty() { "warc" } else { "index" };
        if inputs.are_hashed() {
            inputs.hashes(key, archives.identity()?);
        }
        let identifier = LanguageIdentifier::new(settings.identifier.clone());
        Ok(ExtractDocuments { settings, identifier, archives })
    }

    fn phases(&self) -> Vec<Phase<Self>> {
        vec![Phase::map("archives", |step, _| Ok(step.archives.sources.len()), Self::archive)]
    }
}

/// A shard and the pages that wait to be read.
struct Shard<'a> {
    outputs: &'a mut Outputs,
    batch: Vec<Capture>,
    bytes: usize,
}

impl ExtractDocuments {
    fn archive(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        outputs.begin::<Document>("")?;
        outputs.begin::<Excluded>("excluded")?;
        let mut shard = Shard { outputs, batch: Vec::new(), bytes: 0 };
        self.read(&self.archives.sources[number], work.progress(), &mut shard)?;
        self.flush(&mut shard)
    }

    /// Whether there is one archive only: if nothing can be read from it, the step fails.
    fn is_only(&self) -> bool {
        self.archives.sources.len() == 1
    }

    fn read(&self, source: &Source, progress: &Progress, shard: &mut Shard<'_>) -> Result<(), Error> {
        let bar = progress.bytes(&source.to_string());
        let totals = self.archives.read(source, &bar, &mut |name, record| {
            match record {
                Ok(record) => self.record(name, record, shard),
                Err(tsumugi_warc::Error::Damage(fault)) => {
                    progress.line(&format!("{source}: {fault}"));
                    shard.outputs.count(&format!("damage:{}", fault.kind.name()), 1);
                }
                Err(error @ tsumugi_warc::Error::NotAnArchive { .. }) if !self.is_only() => {
                    progress.line(&format!("{source}: {error}"));
                    shard.outputs.count("damage:not_an_archive", 1);
                }
                Err(error) => return Err(Error::step(STEP, source.to_string())(error)),
            }
            if shard.batch.len() >= BATCH_PAGES || shard.bytes >= BATCH_BYTES {
                self.flush(shard)?;
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        shard.outputs.count("records", totals.records);
        if totals.missing > 0 {
            progress.line(&format!("{source}: {} records are not where the index says", totals.missing));
            shard.outputs.count("damage:not_where_the_index_says", totals.missing);
        }
        if totals.bytes == 0 && totals.records == 0 {
            if self.is_only() {
                let reason = "the archive is empty; give one that has records";
                return Err(Error::step(STEP, source.to_string())(reason));
            }
            progress.line(&format!("{source}: the archive is empty"));
            shard.outputs.count("damage:empty_archive", 1);
        }
        Ok(())
    }

    /// Takes a record over as a page to be read, or counts why it is none.
    fn record(&self, name: &str, record: &Record<'_>, shard: &mut Shard<'_>) {
        match capture(name, record, self.settings.max_payload) {
            Ok((capture, is_damaged)) => {
                shard.outputs.pass(RECORDS);
                if is_damaged {
                    shard.outputs.count("damage:page", 1);
                }
                shard.bytes += capture.bytes.len();
                shard.batch.push(capture);
            }
            Err(reason) => shard.outputs.drop(RECORDS, &reason),
        }
    }

    /// Reads the waiting pages in parallel and writes them in order.
    fn flush(&self, shard: &mut Shard<'_>) -> Result<(), Error> {
        let batch = std::mem::take(&mut shard.batch);
        shard.bytes = 0;
        let verdicts: Vec<Verdict> = batch
            .into_par_iter()
            .map(|capture| {
                let settings = &self.settings;
                document::judge(&settings.page, &self.identifier, &settings.language, capture)
            })
            .collect();
        for verdict in verdicts {
            match verdict {
                Verdict::Keep { document, limited, replaced } => {
                    if limited {
                        shard.outputs.count("page_limit", 1);
                    }
                    if replaced > 0 {
                        shard.outputs.count("replaced_characters", replaced as u64);
                    }
                    if document.opt_out {
                        shard.outputs.count("opted_out", 1);
                    }
                    shard.outputs.keep(LANGUAGE, "", *document)?;
                }
                Verdict::Drop(excluded) => shard.outputs.exclude(LANGUAGE, *excluded)?,
            }
        }
        Ok(())
    }
}

/// The page in a record, and whether it is damaged; or why there is none.
fn capture(archive: &str, record: &Record<'_>, max_payload: usize) -> Result<(Capture, bool), String> {
    if !matches!(record.kind(), RecordType::Response | RecordType::Resource) {
        return Err(record.kind().name().to_owned());
    }
    let http = record.http();
    if let Some(status) = http.and_then(|http| http.status()).filter(|status| *status != 200) {
        return Err(format!("status:{status}"));
    }
    let declared = record.declared_type();
    if declared.is_some_and(|declared| !document::may_be_html(&declared)) {
        return Err("not_html".into());
    }
    let payload = record.payload(&PayloadLimits::default().with_bytes(max_payload));
    if !record.payload_type(payload.bytes()).is_html() {
        return Err("not_html".into());
    }
    if payload.fault() == Some(tsumugi_warc::PayloadFault::TooLarge) {
        return Err("too_large".into());
    }
    let is_damaged = payload.fault().is_some() || !record.is_complete();
    let location = record.location();
    let text = |value: Option<Cow<'_, str>>| value.map(Cow::into_owned);
    let header = |name: &str| http.and_then(|http| http.header(name)).map(Cow::into_owned);
    let headers = |name: &str| {
        let values = http.iter().flat_map(|http| http.headers_named(name));
        values.map(Cow::into_owned).collect::<Vec<_>>()
    };
    let capture = Capture {
        url: text(record.uri()).unwrap_or_default(),
        within: location.within,
        provenance: Provenance {
            warc: archive.to_owned(),
            offset: location.offset,
            length: location.length.unwrap_or(0),
            record_id: text(record.id()).unwrap_or_default().trim_matches(['<', '>']).to_owned(),
            date: text(record.date()).unwrap_or_default(),
        },
        content_type: match &http {
            Some(_) => headers("Content-Type"),
            None => record.header("Content-Type").into_iter().map(Cow::into_owned).collect(),
        }
        .join(", "),
        content_language: header("Content-Language"),
        robots: headers("X-Robots-Tag"),
        tdm_reservation: headers("tdm-reservation"),
        content_signal: headers("Content-Signal"),
        content_usage: headers("Content-Usage"),
        bytes: payload.into_bytes().into_owned(),
    };
    Ok((capture, is_damaged))
}

#[cfg(test)]
mod tests;

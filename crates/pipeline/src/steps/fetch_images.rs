//! Step `fetch_images`: the pictures that documents name, out of archives or folders.
//!
//! A first phase reads each source and inspects what the documents name; a second writes each content once (table
//! `images`: of equal contents that of the first source); a third joins them to the documents (table `fetches`: one
//! row for each picture of each page, missing ones with their reason). What a page or an answer forbids is never
//! decoded.

mod answers;
mod archive;
mod folder;
mod source;
mod wanted;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_images::Limits;
use tsumugi_record::{Document, Fetch, ImageRow, Record, ShardReader, shard_name};

use crate::runner::{Opened, Outputs, Step, Summary, input_table};
use crate::{Error, Progress};
use answers::Answers;
use source::{Source, Sources};
use wanted::Wanted;

/// Name of the step.
const STEP: &str = "fetch_images";
/// Folder of what the first phase finds.
const FOUND: &str = "_found";

/// Settings of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchImagesConfig {
    /// Folder with the table of documents.
    pub documents: PathBuf,
    /// Where pictures come from: `warc:FILE` (or whatever else names archives for
    /// [`extract_documents`](super::extract_documents)), `dir:FOLDER` (laid out as `HOST/PATH`, as mirroring tools do).
    pub from: Vec<String>,
    /// Output folder.
    pub out: PathBuf,
    /// How large a picture may be.
    pub limits: Limits,
    /// Name by which answers may forbid the use of pictures to this program alone (`X-Robots-Tag: NAME: noai`).
    pub agent: String,
}

impl Default for FetchImagesConfig {
    fn default() -> Self {
        FetchImagesConfig {
            documents: PathBuf::new(),
            from: Vec::new(),
            out: PathBuf::new(),
            limits: Limits::default(),
            agent: "tsumugi".into(),
        }
    }
}

/// Runs the step.
///
/// # Errors
/// Where a source is not understood or cannot be opened, the input is missing, or files cannot be read or written.
pub fn fetch_images(config: &FetchImagesConfig, progress: &Progress) -> Result<Summary, Error> {
    let mut table = input_table(&config.documents, Document::KIND)?;
    let sources = source::parse(&config.from, &mut table.identity)?;
    let identity = serde_json::json!({ "limits": config.limits, "agent": config.agent });
    let step = match Step::open(STEP, &config.out, &identity, table.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let wanted = Wanted::read(&table.shards)?;
    let Sources { list: sources, archives } = sources;
    step.phase("read", &sources, progress, |_, source, outputs| match source {
        Source::Archive(set, source) => {
            let Some(archives) = archives.get(*set) else { return Ok(()) };
            archive::read(archives, source, &wanted, config, outputs, progress)
        }
        Source::Folder(path) => folder::read(path, &wanted, config, outputs),
    })?;
    let answers = Answers::read(step.out(), sources.len())?;
    step.phase("images", &sources, progress, |number, _, outputs| {
        write_images(step.out(), number, &answers, outputs)
    })?;
    let missing = source::missing_reason(&sources);
    step.phase("fetches", &table.shards, progress, |_, shard, outputs| {
        write_fetches(shard, &answers, missing, outputs)
    })?;
    step.finish()
}

/// The contents that a source is the first to have.
fn write_images(out: &Path, number: usize, answers: &Answers, outputs: &mut Outputs) -> Result<(), Error> {
    let found = out.join(FOUND).join(shard_name(ImageRow::KIND, number));
    let mut images = outputs.create::<ImageRow>("")?;
    for batch in ShardReader::<ImageRow>::open(found)? {
        for row in batch? {
            if answers.owner(&row.id) == Some(number) {
                images.push(row)?;
            }
        }
    }
    outputs.finish(images)
}

/// One row for each picture of each page of a shard.
fn write_fetches(
    shard: &Path,
    answers: &Answers,
    missing: &'static str,
    outputs: &mut Outputs,
) -> Result<(), Error> {
    let mut fetches = outputs.create::<Fetch>("fetches")?;
    for batch in ShardReader::<Document>::open_columns(shard, wanted::COLUMNS)? {
        for document in batch? {
            for slot in wanted::slots(&document) {
                let fetch = answers.fetch(&slot, missing);
                let stage = outputs.funnel().stage("fetch", "images");
                match &fetch.reason {
                    None => stage.keep(),
                    Some(reason) => stage.drop(reason),
                }
                fetches.push(fetch)?;
            }
        }
    }
    outputs.finish(fetches)
}

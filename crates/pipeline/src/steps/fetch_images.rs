//! Step `fetch_images`: the pictures that documents name, out of archives or folders, and over HTTP.
//!
//! A first phase reads each archive and folder and inspects what the documents name; a second fetches over HTTP what they do
//! not have; a third writes each content once (table `images`: of equal contents that of the first source); a fourth joins
//! them to the documents (table `fetches`: one row for each picture of each page, missing ones with their reason). What a
//! page or an answer forbids is never decoded.

mod answers;
mod archive;
mod folder;
mod found;
#[cfg(feature = "remote")]
mod network;
mod source;
mod wanted;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tsumugi_images::Limits;
#[cfg(feature = "remote")]
use tsumugi_images::fetch::HttpConfig;
use tsumugi_page::OptOut;
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
/// Folder of what was fetched over HTTP.
#[cfg(feature = "remote")]
const FETCHED: &str = "_fetched";

/// Where the tables of one source lie until they are joined.
#[derive(Debug)]
struct Place {
    folder: &'static str,
    number: usize,
}

impl Place {
    fn shard<R: Record>(&self, out: &Path) -> PathBuf {
        out.join(self.folder).join(shard_name(R::KIND, self.number))
    }
}

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
    /// Name by which answers may forbid the use of pictures to this program alone (`X-Robots-Tag: NAME: noai`), and
    /// which `robots.txt` and `User-Agent` know it by.
    pub agent: String,
    /// How pictures are fetched over HTTP. Its agent and largest size are those of this step.
    #[cfg(feature = "remote")]
    pub http: HttpConfig,
    /// Domains of which more pictures than this are wanted are left out when pictures are fetched over HTTP, so that no server
    /// is loaded; none: no domain is. The paper does so and gives no number; 20,000 (ours) keep two connections busy for an hour
    /// or so.
    #[cfg(feature = "remote")]
    pub most_per_domain: Option<u64>,
}

impl Default for FetchImagesConfig {
    fn default() -> Self {
        FetchImagesConfig {
            documents: PathBuf::new(),
            from: Vec::new(),
            out: PathBuf::new(),
            limits: Limits::default(),
            agent: "tsumugi".into(),
            #[cfg(feature = "remote")]
            http: HttpConfig::default(),
            #[cfg(feature = "remote")]
            most_per_domain: Some(20_000),
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
    let mut identity = serde_json::json!({ "limits": config.limits, "agent": config.agent });
    if sources.http {
        identity["http"] = http_identity(config);
    }
    let step = match Step::open(STEP, &config.out, &identity, table.identity)? {
        Opened::Finished(summary) => return Ok(summary),
        Opened::Work(step) => step,
    };
    let wanted = Wanted::read(&table.shards)?;
    let Sources { list: sources, archives, http } = sources;
    step.phase("read", &sources, progress, |_, source, outputs| match source {
        Source::Archive(set, source) => {
            let Some(archives) = archives.get(*set) else { return Ok(()) };
            archive::read(archives, source, &wanted, config, outputs, progress)
        }
        Source::Folder(path) => folder::read(path, &wanted, config, outputs),
    })?;
    let mut places: Vec<Place> = (0..sources.len()).map(|number| Place { folder: FOUND, number }).collect();
    let mut answers = Answers::default();
    answers.read(step.out(), &places)?;
    if http {
        let fetched = fetch_rest(&step, &wanted, &answers, config, progress)?;
        answers.read(step.out(), &fetched)?;
        places.extend(fetched);
    }
    step.phase("images", &places, progress, |number, place, outputs| {
        write_images(step.out(), place, number, &answers, outputs)
    })?;
    let missing = source::missing_reason(&sources);
    step.phase("fetches", &table.shards, progress, |_, shard, outputs| {
        write_fetches(shard, &answers, missing, outputs)
    })?;
    step.finish()
}

/// What of the settings decides which pictures there are; the others may change when a run is taken up again.
#[cfg(feature = "remote")]
fn http_identity(config: &FetchImagesConfig) -> serde_json::Value {
    let HttpConfig { robots, allow_private, redirects, .. } = config.http;
    serde_json::json!({
        "robots": robots, "allow_private": allow_private, "redirects": redirects,
        "most_per_domain": config.most_per_domain,
    })
}

/// Without the network there is no such source.
#[cfg(not(feature = "remote"))]
fn http_identity(_: &FetchImagesConfig) -> serde_json::Value {
    serde_json::Value::Null
}

/// As [`http_identity`].
#[cfg(not(feature = "remote"))]
fn fetch_rest(
    _: &Step,
    _: &Wanted,
    _: &Answers,
    _: &FetchImagesConfig,
    _: &Progress,
) -> Result<Vec<Place>, Error> {
    Ok(Vec::new())
}

/// Fetches what no other source has over HTTP.
#[cfg(feature = "remote")]
fn fetch_rest(
    step: &Step,
    wanted: &Wanted,
    answers: &Answers,
    config: &FetchImagesConfig,
    progress: &Progress,
) -> Result<Vec<Place>, Error> {
    let missing = wanted.sorted().into_iter().filter(|url| !answers.has_picture(url)).map(str::to_owned);
    let parts = network::parts(missing.collect(), config.most_per_domain);
    let network = network::Network::new(config)?;
    step.phase("fetch", &parts, progress, |number, part, outputs| {
        network::read(part, number, &network, config, outputs, progress)
    })?;
    Ok((0..parts.len()).map(|number| Place { folder: FETCHED, number }).collect())
}

/// Whether an answer's head forbids the use of its picture.
fn opts_out(robots_tags: &[String], tdm_reservations: &[String], agent: &str) -> bool {
    let mut opt_out = OptOut::default();
    for value in robots_tags {
        opt_out.robots("x-robots-tag", value, agent);
    }
    for value in tdm_reservations {
        opt_out.tdm_reservation("header", value);
    }
    opt_out.images
}

/// The contents that a source is the first to have.
fn write_images(
    out: &Path,
    place: &Place,
    number: usize,
    answers: &Answers,
    outputs: &mut Outputs,
) -> Result<(), Error> {
    let mut images = outputs.create::<ImageRow>("")?;
    for batch in ShardReader::<ImageRow>::open(place.shard::<ImageRow>(out))? {
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

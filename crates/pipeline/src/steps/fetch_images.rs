//! Step `fetch_images`: the images that documents name, out of archives or folders, and over HTTP.
//!
//! The first phase reads each archive and folder and inspects what the documents name, and what their `data:` URLs hold. The
//! second reads the archives again if they repeat something by revisit records, or redirect to something, that the first did
//! not look for. The third fetches over HTTP what they do not have; the fourth writes each content once (table `images`: of
//! equal contents that of the first source); the fifth joins them to the documents (table `fetches`: one row for each image
//! of each page, missing ones with their reason). What a page or an answer forbids is never decoded. What a site forbids in
//! its files is not requested over HTTP; where an archive holds these files, its images are left out of the tables.

mod answers;
mod archive;
mod embedded;
mod folder;
mod found;
#[cfg(feature = "remote")]
mod network;
mod repeat;
mod site_files;
mod source;
mod wanted;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsumugi_images::Limits;
#[cfg(feature = "remote")]
use tsumugi_images::fetch::HttpConfig;
use tsumugi_record::{Document, DocumentBody, Fetch, ImageRow, Record, ShardReader, shard_name};
use tsumugi_robots::{OptOut, Signal};

use super::once::once;
use crate::runner::{Inputs, Outputs, Phase, Stage, Step, Work};
use crate::{Context, Error, Group, archives};
use answers::Answers;
use archive::Search;
use found::Found;
use source::{Source, Sources};
use wanted::Wanted;

/// Name of the step.
const STEP: &str = "fetch_images";
/// Folder of what the first phase finds.
const FOUND: &str = "_found";
/// Folder of what the second phase finds.
const REPEATED: &str = "_repeated";
/// Folder of what was fetched over HTTP.
#[cfg(feature = "remote")]
const FETCHED: &str = "_fetched";

/// Which images of pages are there.
const FETCH: Stage = Stage { name: "fetch", unit: "images" };

/// Where the tables of one source are until they are joined.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "remote", schemars(extend("x-flags" = {
    "contact": "http.contact",
    "connections": "http.connections",
    "per-host": "http.per_host",
    "allow-private": "http.allow_private",
})))]
pub struct FetchImagesConfig {
    /// Folder with the table of documents.
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "DIR"))]
    pub documents: PathBuf,
    /// Where images come from: `warc:FILE` (or whatever else names archives for
    /// [`extract_documents`](super::extract_documents)), `dir:FOLDER` (laid out as `HOST/PATH`, as mirroring tools do).
    #[schemars(extend("x-role" = "input", "x-required" = true, "x-value-name" = "SOURCE"))]
    pub from: Vec<String>,
    /// Output folder.
    #[schemars(extend("x-role" = "output", "x-required" = true, "x-value-name" = "DIR"))]
    pub out: PathBuf,
    /// How large an image may be.
    pub limits: Limits,
    /// Name by which answers may forbid the use of images to this program alone (`X-Robots-Tag: NAME: noai`), and
    /// which `robots.txt` and `User-Agent` know it by.
    pub agent: String,
    /// Signals that forbid the use of images: directives and headers of their answers, and the files of their sites, which
    /// are requested over HTTP, and read from archives and folders that hold them. By default all: those that speak of
    /// training or of images, and `noindex`, as img2dataset does.
    pub opt_out: Vec<Signal>,
    /// How images are fetched over HTTP. Its agent, largest size and signals are those of this step.
    #[cfg(feature = "remote")]
    #[schemars(extend("x-role" = "operation"))]
    pub http: HttpConfig,
    /// Domains of which more images than this are wanted are left out when images are fetched over HTTP, so that no server
    /// is loaded; none: no domain is. The paper does so and gives no number; 20,000 (ours) keep two connections busy for an hour
    /// or so.
    #[cfg(feature = "remote")]
    #[schemars(extend("x-role" = "operation"))]
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
            opt_out: Signal::ALL.to_vec(),
            #[cfg(feature = "remote")]
            http: HttpConfig::default(),
            #[cfg(feature = "remote")]
            most_per_domain: Some(20_000),
        }
    }
}

/// The step.
pub struct FetchImages {
    settings: FetchImagesConfig,
    documents: Vec<PathBuf>,
    sources: Sources,
    wanted: OnceLock<Wanted>,
    missing: OnceLock<HashSet<String>>,
    answers: OnceLock<Answers>,
    #[cfg(feature = "remote")]
    http: Http,
}

/// What is fetched over HTTP, and by what.
#[cfg(feature = "remote")]
#[derive(Default)]
struct Http {
    parts: OnceLock<Vec<network::Part>>,
    network: OnceLock<network::Network>,
}

impl Step for FetchImages {
    const NAME: &'static str = STEP;
    const GROUP: Group = Group::Data;
    const ABOUT: &'static str =
        "Fetches the images that documents name: from archives, from folders, over HTTP";
    type Settings = FetchImagesConfig;

    fn out(settings: &FetchImagesConfig) -> &Path {
        &settings.out
    }

    fn open(settings: FetchImagesConfig, inputs: &mut Inputs, _: &Context) -> Result<Self, Error> {
        let sources = source::parse(&settings.from, inputs)?;
        if sources.http {
            inputs.resolved("http", &http_identity(&settings))?;
        }
        let documents = inputs.table::<Document>("documents", &settings.documents)?;
        Ok(FetchImages {
            settings,
            documents,
            sources,
            wanted: OnceLock::new(),
            missing: OnceLock::new(),
            answers: OnceLock::new(),
            #[cfg(feature = "remote")]
            http: Http::default(),
        })
    }

    fn phases(&self) -> Vec<Phase<Self>> {
        let mut phases = vec![
            Phase::map("read", Self::sources, Self::read),
            Phase::map("repeats", Self::sources_again, Self::read_again),
        ];
        #[cfg(feature = "remote")]
        if self.sources.http {
            phases.push(Phase::map("fetch", Self::requests, Self::fetch));
        }
        phases.push(Phase::map("images", Self::contents, Self::write_images));
        phases.push(Phase::map("fetches", Self::pages, Self::write_fetches));
        phases
    }
}

/// What of the settings decides which images there are; the others may change when a run is taken up again.
#[cfg(feature = "remote")]
fn http_identity(settings: &FetchImagesConfig) -> serde_json::Value {
    let HttpConfig { robots, allow_private, redirects, .. } = settings.http;
    serde_json::json!({
        "robots": robots, "allow_private": allow_private, "redirects": redirects,
        "most_per_domain": settings.most_per_domain,
    })
}

/// Without the network there is no such source.
#[cfg(not(feature = "remote"))]
fn http_identity(_: &FetchImagesConfig) -> serde_json::Value {
    serde_json::Value::Null
}

// How many shards each phase has, with what all of them need.
impl FetchImages {
    fn sources(&self, _: &Work) -> Result<usize, Error> {
        self.wanted()?;
        Ok(self.sources.list.len())
    }

    /// None if there is nothing to look for.
    fn sources_again(&self, work: &Work) -> Result<usize, Error> {
        Ok(if self.missing(work)?.is_empty() { 0 } else { self.sources.list.len() })
    }

    #[cfg(feature = "remote")]
    fn requests(&self, work: &Work) -> Result<usize, Error> {
        self.network()?;
        Ok(self.parts(work)?.len())
    }

    fn contents(&self, work: &Work) -> Result<usize, Error> {
        self.answers(work)?;
        Ok(self.places(work)?.len())
    }

    fn pages(&self, work: &Work) -> Result<usize, Error> {
        self.answers(work)?;
        Ok(self.documents.len())
    }
}

impl FetchImages {
    /// The URLs that documents name.
    fn wanted(&self) -> Result<&Wanted, Error> {
        once(&self.wanted, || Wanted::read(&self.documents))
    }

    /// Reads an archive or a folder.
    fn read(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let wanted = self.wanted()?;
        match &self.sources.list[number] {
            Source::Archive(set, source) => {
                let found = Found::new(&self.settings, FOUND, outputs)?;
                self.search(*set, source, &Search::Wanted(wanted), found, work)
            }
            Source::Folder(path) => folder::read(path, wanted, &self.settings, outputs),
            Source::Documents => embedded::read(&self.documents, &self.settings, outputs),
        }
    }

    /// Reads an archive again, for what the archives repeat.
    fn read_again(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let found = Found::new(&self.settings, REPEATED, outputs)?;
        match &self.sources.list[number] {
            Source::Archive(set, source) => {
                self.search(*set, source, &Search::Missing(self.missing(work)?), found, work)
            }
            Source::Folder(_) | Source::Documents => found.finish(),
        }
    }

    fn search(
        &self,
        set: usize,
        source: &archives::Source,
        search: &Search<'_>,
        found: Found<'_>,
        work: &Work,
    ) -> Result<(), Error> {
        let Some(archives) = self.sources.archives.get(set) else { return found.finish() };
        archive::read(archives, source, search, &self.settings, found, work.progress())
    }

    /// What the archives repeat, or redirect to, and the first phase did not look for.
    fn missing(&self, work: &Work) -> Result<&HashSet<String>, Error> {
        once(&self.missing, || {
            let places = places(FOUND, self.sources.list.len());
            Ok(Answers::read(work.out(), &places, &self.settings)?.missing())
        })
    }

    /// Where archives and folders left what they have.
    fn read_places(&self, work: &Work) -> Result<Vec<Place>, Error> {
        let mut all = places(FOUND, self.sources.list.len());
        all.extend(places(REPEATED, self.sources_again(work)?));
        Ok(all)
    }

    /// Where all sources left what they have.
    fn places(&self, work: &Work) -> Result<Vec<Place>, Error> {
        #[cfg_attr(not(feature = "remote"), expect(unused_mut, reason = "only the network adds places"))]
        let mut all = self.read_places(work)?;
        #[cfg(feature = "remote")]
        if self.sources.http {
            all.extend(places(FETCHED, self.parts(work)?.len()));
        }
        Ok(all)
    }

    /// The answers of all sources.
    fn answers(&self, work: &Work) -> Result<&Answers, Error> {
        once(&self.answers, || Answers::read(work.out(), &self.places(work)?, &self.settings))
    }

    /// What no other source has, dealt out to parts by host.
    #[cfg(feature = "remote")]
    fn parts(&self, work: &Work) -> Result<&[network::Part], Error> {
        let parts = once(&self.http.parts, || {
            let answers = Answers::read(work.out(), &self.read_places(work)?, &self.settings)?;
            let wanted = self.wanted()?.sorted();
            let missing = wanted.into_iter().filter(|url| !answers.has_image(url)).map(str::to_owned);
            Ok(network::parts(missing.collect(), self.settings.most_per_domain))
        })?;
        Ok(parts)
    }

    /// What fetches over HTTP.
    #[cfg(feature = "remote")]
    fn network(&self) -> Result<&network::Network, Error> {
        once(&self.http.network, || network::Network::new(&self.settings))
    }

    /// Fetches a part over HTTP.
    #[cfg(feature = "remote")]
    fn fetch(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let part = &self.parts(work)?[number];
        network::read(part, number, self.network()?, &self.settings, outputs, work.progress())
    }

    /// Writes the contents that a source is the first to have.
    fn write_images(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let answers = self.answers(work)?;
        let places = self.places(work)?;
        outputs.begin::<ImageRow>("")?;
        for batch in ShardReader::<ImageRow>::open(places[number].shard::<ImageRow>(work.out()))? {
            for row in batch? {
                if answers.owner(&row.id) == Some(number) {
                    outputs.write("", row)?;
                }
            }
        }
        Ok(())
    }

    /// Writes one row for each image of each page of a shard.
    fn write_fetches(&self, work: &Work, number: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let answers = self.answers(work)?;
        let missing = source::missing_reason(&self.sources.list);
        outputs.begin::<Fetch>("fetches")?;
        for batch in ShardReader::<DocumentBody>::open(&self.documents[number])? {
            for document in batch? {
                for slot in wanted::slots(&document) {
                    let fetch = answers.fetch(&slot, missing);
                    match &fetch.reason {
                        None => outputs.keep(FETCH, "fetches", fetch)?,
                        Some(reason) => {
                            outputs.drop(FETCH, reason);
                            outputs.write("fetches", fetch)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The places of all shards in a folder.
fn places(folder: &'static str, shards: usize) -> Vec<Place> {
    (0..shards).map(|number| Place { folder, number }).collect()
}

/// Whether an answer's head forbids the use of its image. `header` returns the values of a field.
fn opts_out(header: impl Fn(&'static str) -> Vec<String>, config: &FetchImagesConfig) -> bool {
    let mut opt_out = OptOut::obeying(config.opt_out.iter().copied());
    opt_out.headers(header, &config.agent);
    opt_out.images
}

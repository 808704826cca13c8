//! Images over HTTP.
//!
//! The addresses are dealt out to parts by their hosts, so that a host is asked by one part alone. A part writes every
//! answer to its log as it comes, so that a run which is killed asks for nothing twice; when all answers are there they are
//! read back in the order of the addresses, so that the tables do not depend on who answered first.

mod log;
mod part;

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt as _;
use futures::stream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, Sender};
use tsumugi_images::fetch::{Answer, Fetcher, HeaderMap, HttpConfig};
use tsumugi_record::Fetch;

use super::found::{Capture, Found};
use super::{FETCHED, FetchImagesConfig, STEP, opts_out};
use crate::runner::Outputs;
use crate::{Error, Progress};
use log::Log;
pub(super) use part::{Part, parts};

/// Folder of the logs.
const ANSWERS: &str = "_answers";
/// Files that are open beside connections, at most.
const OTHER_FILES: u64 = 256;
/// Answers that may wait to be written.
const WAITING: usize = 64;

/// The fetcher and the threads it works on.
pub(super) struct Network {
    fetcher: Fetcher,
    runtime: Runtime,
    config: Arc<FetchImagesConfig>,
    http: HttpConfig,
}

impl Network {
    pub(super) fn new(config: &FetchImagesConfig) -> Result<Network, Error> {
        let (agent, opt_out) = (config.agent.clone(), config.opt_out.clone());
        let mut http =
            HttpConfig { agent, opt_out, max_bytes: config.limits.max_bytes, ..config.http.clone() };
        // Many systems allow a program 1,024 open files unless it asks for more.
        let wanted = (http.connections as u64).saturating_add(OTHER_FILES);
        if let Ok(allowed) = rlimit::increase_nofile_limit(wanted) {
            http.connections = http.connections.min(allowed.saturating_sub(OTHER_FILES).max(1) as usize);
        }
        let fetcher = Fetcher::new(http.clone()).map_err(Error::setting("http"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("fetch")
            .enable_all()
            .build()
            .map_err(Error::step(STEP, "threads of the network"))?;
        Ok(Network { fetcher, runtime, config: Arc::new(config.clone()), http })
    }

    /// Asks for all addresses, host by host side by side, and hands over each answer as it comes.
    fn ask(
        &self,
        hosts: Vec<Vec<String>>,
        mut answered: impl FnMut(String, Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let (fetcher, config) = (self.fetcher.clone(), self.config.clone());
        let (connections, per_host) = (self.http.connections.max(1), self.http.per_host.max(1));
        let driver = self.runtime.spawn(async move {
            let each = stream::iter(hosts).for_each_concurrent(connections, |urls| {
                let task = ask_host(fetcher.clone(), config.clone(), urls, per_host, sender.clone());
                // A task of its own, so that hosts are served by all threads. One that fails leaves addresses
                // without an answer, which is found out when the log is read.
                let task = tokio::spawn(task);
                async move { drop(task.await) }
            });
            each.await;
        });
        while let Some((url, answer)) = receiver.blocking_recv() {
            if let Err(error) = answered(url, answer) {
                driver.abort();
                return Err(error);
            }
        }
        Ok(())
    }
}

async fn ask_host(
    fetcher: Fetcher,
    config: Arc<FetchImagesConfig>,
    urls: Vec<String>,
    per_host: usize,
    sender: Sender<(String, Answer)>,
) {
    let accept = |head: &HeaderMap| {
        let named = |name| {
            let values = head.get_all(name).into_iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect::<Vec<_>>()
        };
        opts_out(named, &config).then(|| "opt_out_header".to_owned())
    };
    let each = stream::iter(urls).for_each_concurrent(per_host, |url| async {
        // Nobody listens any more where the answers cannot be written.
        if !sender.is_closed() {
            let answer = fetcher.fetch(&url, &accept).await;
            let _ = sender.send((url, answer)).await;
        }
    });
    each.await;
}

/// Fetches a part, as far as its log does not have it yet, and writes its tables.
pub(super) fn read(
    part: &Part,
    number: usize,
    network: &Network,
    config: &FetchImagesConfig,
    outputs: &mut Outputs,
    progress: &Progress,
) -> Result<(), Error> {
    let mut log = Log::open(&config.out.join(ANSWERS).join(format!("{number:05}.log")))?;
    let missing = part.by_host(|url| !log.has(url));
    if !missing.is_empty() {
        let total = missing.iter().map(Vec::len).sum::<usize>() as u64;
        let bar = progress.bar(&format!("{STEP} part {}", number + 1), Some(total), "images");
        network.ask(missing, |url, answer| {
            bar.inc(1);
            let (fetch, body) = row(url, answer);
            log.append(&fetch, body.as_deref())
        })?;
        bar.finish();
    }
    let mut found = Found::new(config, FETCHED, outputs)?;
    for url in &part.urls {
        let (fetch, bytes) = log.read(url)?;
        found.push(Capture { fetch, bytes })?;
    }
    for url in &part.of_frequent_domains {
        let reason = Some("frequent_domain".to_owned());
        let fetch = Fetch { url: url.clone(), final_url: url.clone(), reason, ..Fetch::default() };
        found.push(Capture { fetch, bytes: None })?;
    }
    found.finish()
}

/// The row of an answer, and its bytes.
fn row(url: String, answer: Answer) -> (Fetch, Option<bytes::Bytes>) {
    let header = |name: &str| {
        let value = answer.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    // The server's clock where it tells; none where nobody was asked.
    let theirs = header("date").and_then(|date| httpdate::parse_http_date(&date).ok());
    let date = theirs
        .or_else(|| (answer.requests > 0).then(SystemTime::now))
        .map(|date| DateTime::<Utc>::from(date).to_rfc3339_opts(SecondsFormat::Secs, true));
    let (reason, body) = match answer.body {
        Ok(bytes) => (None, Some(bytes)),
        Err(refusal) => (Some(refusal.reason().into_owned()), None),
    };
    let fetch = Fetch {
        url,
        final_url: answer.url.clone(),
        status: answer.status,
        reason,
        etag: header("etag"),
        last_modified: header("last-modified"),
        date: date.unwrap_or_default(),
        ..Fetch::default()
    };
    (fetch, body)
}

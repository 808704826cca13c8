//! Sends the same requests through the Batch API: slower, at half the price.
//!
//! Requests are written to files of JSON lines, uploaded, and their replies land in the client's cache, from which
//! [`crate::Client::send`] then answers. A request that a batch did not answer is not in the cache and is sent singly.
//!
//! Everything is on disk before it is sent: beside the cache's files, `batches/NAME.jsonl` holds a batch's requests and
//! `batches/NAME.json` its state. A batch carries its name as metadata, so a run that was killed between the creation of a
//! batch and the note of its id finds it again instead of paying twice.
//!
//! If the budget has no room for the maximum cost of one more request, the gathered requests are sent and awaited first, since
//! replies mostly cost far less; [`Batches::push`] fails only if the room is still missing then.

mod files;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_openai::error::OpenAIError;
use async_openai::traits::RequestOptionsBuilder as _;
use async_openai::types::InputSource;
use async_openai::types::files::{CreateFileRequest, FileInput, FilePurpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::files::{Current, Entry, State, io};
use crate::client::Inner;
use crate::reply::WireReply;
use crate::{Client, Error, Request};

/// Pages of 100 batches that are searched for one of this client.
const PAGES: usize = 50;
/// Refusals for lack of capacity, with no other batch of this client submitted, after which a batch is an error.
const MOST_REFUSALS: u32 = 3;

/// Limits of batches, and how often they are polled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// Maximum number of requests in a batch. Default: 50,000, OpenAI's limit.
    pub max_requests: usize,
    /// Maximum size of a batch's file in bytes. Default: 64 MiB, so that an upload fits into one attempt's timeout (OpenAI's
    /// limit is 200 MB).
    pub max_bytes: u64,
    /// Interval in seconds at which the state of submitted batches is polled. Default: 30, this project's choice.
    pub poll_seconds: f64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { max_requests: 50_000, max_bytes: 64 << 20, poll_seconds: 30.0 }
    }
}

/// Counts of batches and their requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Batches that ended.
    pub batches: u64,
    /// Replies put into the cache.
    pub answered: u64,
    /// Requests that a batch ended without answering.
    pub unanswered: u64,
}

/// Batches of one client: new ones, and those of earlier runs that are not collected yet.
#[derive(Debug)]
pub struct Batches {
    client: Client,
    config: BatchConfig,
    folder: PathBuf,
    /// Keys of all requests under way.
    known: HashSet<String>,
    pending: Vec<State>,
    current: Option<Current>,
    summary: BatchSummary,
}

/// What a look at a batch showed.
enum Look {
    UnderWay,
    Ended {
        answered: u64,
        unanswered: u64,
    },
    /// Refused, since the account may not have so many tokens in batches at once.
    NoRoom(String),
}

#[derive(Deserialize)]
struct Line {
    custom_id: String,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    body: Value,
}

impl Client {
    /// Batches through this client, which must have a cache. Takes up those of an earlier run.
    ///
    /// # Errors
    /// [`Error::Config`] without a cache, [`Error::Cache`] where its folder cannot be used.
    pub fn batches(&self, config: BatchConfig) -> Result<Batches, Error> {
        let Some(cache) = &self.config().cache else {
            return Err(Error::config("batches need `cache`, the folder into which their replies go"));
        };
        let folder = cache.join("batches");
        std::fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
        let mut batches = Batches {
            client: self.clone(),
            config,
            folder,
            known: HashSet::new(),
            pending: Vec::new(),
            current: None,
            summary: BatchSummary::default(),
        };
        batches.recall()?;
        Ok(batches)
    }
}

impl Batches {
    /// Adds a request, unless the cache has its reply or a batch under way holds it. A full file is submitted.
    ///
    /// # Errors
    /// Fatal ones only: as [`Client::send`], and [`Error::Cache`].
    pub async fn push(&mut self, request: &Request) -> Result<(), Error> {
        let key = request.key();
        if self.known.contains(&key) || self.client.inner().has(&key) {
            return Ok(());
        }
        let inner = self.client.inner();
        let most = inner.most_usage(request);
        let most_usd = inner.most_usd(&request.model, most)? * inner.batch_price(&request.model);
        let line = inner.batch_line(request, &key)?;
        let full = self.current.as_ref().is_some_and(|current| {
            current.len() >= self.config.max_requests
                || current.bytes_with(line.len()) > self.config.max_bytes
        });
        if full {
            self.submit().await?;
        }
        self.make_room(most_usd).await?;
        let current = match &mut self.current {
            Some(current) => current,
            None => self.current.insert(Current::create(&self.folder)?),
        };
        let (model, prompt_tokens) = (request.model.clone(), most.prompt_tokens);
        current.push(Entry { key: key.clone(), model, line, prompt_tokens, most_usd })?;
        self.known.insert(key);
        Ok(())
    }

    /// Submits the remaining requests, waits until every batch has ended, and puts all replies into the cache. After each poll
    /// it calls `watch` with the number of batches that have ended and the number of all.
    ///
    /// # Errors
    /// As [`Batches::push`]; [`Error::Batch`] where the server refuses a batch as a whole.
    pub async fn finish(mut self, watch: impl Fn(usize, usize)) -> Result<BatchSummary, Error> {
        self.submit().await?;
        self.settle(watch).await?;
        Ok(self.summary)
    }

    /// Waits until every batch under way has ended.
    async fn settle(&mut self, watch: impl Fn(usize, usize)) -> Result<(), Error> {
        let all = self.pending.len();
        // Batches of an earlier run that may not have been created.
        for state in std::mem::take(&mut self.pending) {
            let state = if state.id.is_none() { self.create(state, true).await? } else { state };
            self.pending.push(state);
        }
        while !self.pending.is_empty() {
            let refused = self.look_at_all().await?;
            watch(all.saturating_sub(self.pending.len() + refused.len()), all);
            if !self.pending.is_empty() || !refused.is_empty() {
                let pause = self.config.poll_seconds.clamp(0.01, 3600.0);
                tokio::time::sleep(Duration::from_secs_f64(pause)).await;
            }
            for state in refused {
                let state = self.create(state, false).await?;
                self.pending.push(state);
            }
        }
        Ok(())
    }

    /// Looks at each batch under way once; gives those that the server had no room for.
    async fn look_at_all(&mut self) -> Result<Vec<State>, Error> {
        let mut refused = Vec::new();
        for mut state in std::mem::take(&mut self.pending) {
            match self.look(&state).await? {
                Look::UnderWay => self.pending.push(state),
                Look::Ended { answered, unanswered } => {
                    self.summary.batches += 1;
                    self.summary.answered += answered;
                    self.summary.unanswered += unanswered;
                }
                Look::NoRoom(message) => {
                    let id = state.id.take().unwrap_or_default();
                    state.refused += 1;
                    state.save(&self.folder)?;
                    if self.pending.is_empty() && state.refused > MOST_REFUSALS {
                        let message = format!("{message}; run again later, or with smaller batches");
                        return Err(Error::Batch { id, message });
                    }
                    refused.push(state);
                }
            }
        }
        Ok(refused)
    }

    /// Takes up what an earlier run left.
    fn recall(&mut self) -> Result<(), Error> {
        self.pending = State::read_all(&self.folder)?;
        self.known.extend(self.pending.iter().flat_map(|state| &state.keys).map(|(key, _)| key.clone()));
        Ok(())
    }

    /// Closes the file being filled and creates its batch.
    async fn submit(&mut self) -> Result<(), Error> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let state = self.create(current.close(&self.folder)?, false).await?;
        self.pending.push(state);
        Ok(())
    }

    /// What is spent, under way and gathered, at the most.
    fn committed_usd(&self) -> f64 {
        let ledger = self.client.ledger();
        let under_way: f64 = self.pending.iter().map(|state| state.most_usd).sum();
        let gathered = self.current.as_ref().map_or(0.0, Current::most_usd);
        ledger.usd + ledger.usd_unknown + under_way + gathered
    }

    /// Sees to it that the budget has room for one more request.
    async fn make_room(&mut self, next_usd: f64) -> Result<(), Error> {
        let Some(budget_usd) = self.client.config().budget_usd else { return Ok(()) };
        if self.committed_usd() + next_usd > budget_usd {
            self.submit().await?;
            self.settle(|_, _| {}).await?;
        }
        let spent_usd = self.committed_usd();
        if spent_usd + next_usd > budget_usd {
            return Err(Error::Budget { budget_usd, spent_usd, next_usd });
        }
        Ok(())
    }

    /// Uploads and creates. With `look_first`, unless the server already has a batch of this name.
    async fn create(&self, mut state: State, look_first: bool) -> Result<State, Error> {
        let inner = self.client.inner();
        let mut id = if look_first { self.find(&state.name).await? } else { None };
        if id.is_none() {
            let path = state.requests(&self.folder);
            let upload = || CreateFileRequest {
                file: FileInput { source: InputSource::Path { path: path.clone() } },
                purpose: FilePurpose::Batch,
                expires_after: None,
            };
            let file: Value = inner.patiently(async || inner.api.files().create_byot(upload()).await).await?;
            let body = json!({
                "input_file_id": file["id"],
                "endpoint": inner.batch_path(),
                "completion_window": "24h",
                "metadata": {"tsumugi": state.name}
            });
            // Not blindly again: an attempt whose answer was lost may have made the batch.
            let tried = AtomicBool::new(false);
            let made: Value = inner
                .patiently(async || {
                    if tried.swap(true, Ordering::Relaxed)
                        && let Ok(Some(id)) = self.find(&state.name).await
                    {
                        return Ok(json!({ "id": id }));
                    }
                    inner.api.batches().create_byot(&body).await
                })
                .await?;
            id = made["id"].as_str().map(str::to_owned);
        }
        let missing = || Error::Batch { id: state.name.clone(), message: "the server gave no id".into() };
        state.id = Some(id.ok_or_else(missing)?);
        state.save(&self.folder)?;
        Ok(state)
    }

    /// The id of the batch with that name among those of the account, the latest first.
    async fn find(&self, name: &str) -> Result<Option<String>, Error> {
        let inner = self.client.inner();
        let mut query = vec![("limit", "100".to_owned())];
        for _ in 0..PAGES {
            let list: Value =
                inner.patiently(async || inner.api.batches().query(&query)?.list_byot().await).await?;
            let batches = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ours = |batch: &&Value| batch["metadata"]["tsumugi"] == name && batch["status"] != "failed";
            if let Some(batch) = batches.iter().find(ours) {
                return Ok(batch["id"].as_str().map(str::to_owned));
            }
            let last = batches.last().and_then(|batch| batch["id"].as_str());
            match last.filter(|_| list["has_more"] == true) {
                Some(last) => {
                    query.truncate(1);
                    query.push(("after", last.to_owned()));
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// Looks at a batch; where it has ended, collects it.
    async fn look(&self, state: &State) -> Result<Look, Error> {
        let inner = self.client.inner();
        let id = state.id.as_deref().unwrap_or_default();
        let batch: Value = inner.patiently(async || inner.api.batches().retrieve_byot(id).await).await?;
        match batch["status"].as_str().unwrap_or_default() {
            "completed" | "expired" | "cancelled" => {}
            "failed" => {
                let message = format!("the server refused it: {}", batch["errors"]);
                if message.contains("token_limit_exceeded") {
                    return Ok(Look::NoRoom(message));
                }
                state.forget(&self.folder)?;
                return Err(Error::Batch { id: id.to_owned(), message });
            }
            _ => return Ok(Look::UnderWay),
        }
        let mut answered = 0;
        if let Some(file) = batch["output_file_id"].as_str().filter(|file| !file.is_empty()) {
            let bytes = inner.patiently(async || inner.api.files().content(file).await).await?;
            let prompts = state.prompt_tokens.iter().copied().chain(std::iter::repeat(0));
            let asked: HashMap<&str, (&str, u64)> = std::iter::zip(&state.keys, prompts)
                .map(|((key, model), tokens)| (key.as_str(), (model.as_str(), tokens)))
                .collect();
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                answered += u64::from(self.collect(&asked, line)?);
            }
        }
        state.forget(&self.folder)?;
        Ok(Look::Ended { answered, unanswered: (state.keys.len() as u64).saturating_sub(answered) })
    }

    /// Puts the reply of one line into the cache. Lines that are none are left to be sent singly.
    fn collect(&self, asked: &HashMap<&str, (&str, u64)>, line: &[u8]) -> Result<bool, Error> {
        let Ok(Line { custom_id, response: Some(response) }) = serde_json::from_slice::<Line>(line) else {
            return Ok(false);
        };
        let Some((model, prompt_tokens)) = asked.get(custom_id.as_str()).copied() else { return Ok(false) };
        if response.status_code != 200 {
            return Ok(false);
        }
        // A run that was killed while it collected had this one already.
        if self.client.inner().has(&custom_id) {
            return Ok(true);
        }
        let wire: Option<WireReply> = serde_json::from_value(response.body).ok();
        let Some(mut reply) = wire.and_then(|wire| wire.into_reply(model)) else { return Ok(false) };
        let inner = self.client.inner();
        let usage = reply.counted(prompt_tokens);
        inner.keep(model, &custom_id, &mut reply, usage, inner.batch_price(model))?;
        Ok(true)
    }
}

impl Inner {
    /// The path that batches name; Azure's has no version in it.
    fn batch_path(&self) -> &'static str {
        if self.config.azure.is_some() { "/chat/completions" } else { "/v1/chat/completions" }
    }

    /// A request as a line of a batch's file.
    fn batch_line(&self, request: &Request, key: &str) -> Result<String, Error> {
        let mut body = self.body(request)?;
        if let Some(azure) = &self.config.azure {
            body["model"] = azure.deployment.clone().into();
        }
        Ok(json!({"custom_id": key, "method": "POST", "url": self.batch_path(), "body": body}).to_string())
    }

    fn has(&self, key: &str) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.contains(key))
    }

    /// Repeats a call as often and with the waits of a request.
    async fn patiently<T>(&self, call: impl AsyncFn() -> Result<T, OpenAIError>) -> Result<T, Error> {
        let deadline = Instant::now() + self.config.deadline();
        let (mut attempt, mut tries) = (0, 0);
        loop {
            attempt += 1;
            let fault = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => crate::transport::fault_of(error),
            };
            tries += u32::from(!fault.asks_for_patience());
            tokio::time::sleep(self.pause(&fault, attempt, tries, deadline)?).await;
        }
    }
}

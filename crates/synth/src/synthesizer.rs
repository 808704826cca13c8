//! Items in, conversations out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tsumugi_chat::{Batches, Client, Reply, Request};
use tsumugi_record::{Content, Conversation, Excluded, Generator, Image, Message};
use tsumugi_text::LanguagePack;

use crate::check::{CheckConfig, Checker, Rejection};
use crate::fit::TileRule;
use crate::item::{Item, Turn};
use crate::outcome::{Call, Outcome, Verdict};
use crate::prompt::Prompt;
use crate::prompt::check_folder;
use crate::second_look::SecondLook;
use crate::task::Task;
use crate::trial::Trials;
use crate::{Error, ask};

/// Settings that decide the conversations, besides the items and the endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SynthConfig {
    /// Language of the conversations: the code of a language pack (`ja`, `en`, `zh`, `ko`) or the folder of one. Default:
    /// `ja`, the language of the paper.
    pub language: String,
    /// The model's name at the endpoint.
    pub model: String,
    /// The model for the second call ([`CheckConfig::image_needed`]). Default: `model`.
    pub check_model: Option<String>,
    /// Seed of the sampling; none for endpoints that accept none. Default: 0.
    pub seed: Option<i64>,
    /// Thresholds of the checks.
    pub checks: CheckConfig,
    /// How images are resized. Default: the rule of gpt-4o at high detail.
    pub tiles: TileRule,
    /// Goes on where the first 20 replies to a task were all dropped. By default the run then ends with
    /// [`Error::AllDropped`].
    pub keep_going: bool,
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self {
            language: "ja".into(),
            model: String::new(),
            check_model: None,
            seed: Some(0),
            checks: CheckConfig::default(),
            tiles: TileRule::default(),
            keep_going: false,
        }
    }
}

/// Asks for conversations and checks them.
#[derive(Debug)]
pub struct Synthesizer {
    client: Client,
    config: SynthConfig,
    prompts: BTreeMap<Task, Prompt>,
    second: Option<(SecondLook, f64)>,
    pack: Arc<LanguagePack>,
    checker: Checker,
    /// As many images are decoded at once as there are processors: each takes its pixels' memory.
    decoders: Semaphore,
    trials: Trials,
}

impl Synthesizer {
    /// Loads the prompts of these tasks from the folder `prompts`, or from the language pack where the folder has no such file.
    /// Conversations that share text with `benchmark_questions` are rejected.
    ///
    /// # Errors
    /// [`Error::Config`] for an empty model name, [`Error::Text`] for an unknown language, and as [`Prompt::load`].
    pub fn new(
        client: Client,
        config: SynthConfig,
        tasks: &[Task],
        prompts: Option<&Path>,
        benchmark_questions: &[String],
    ) -> Result<Self, Error> {
        if config.model.trim().is_empty() {
            return Err(Error::Config {
                message: "`model` is empty; set it to the name that the endpoint knows the model by".into(),
            });
        }
        if let Some(folder) = prompts {
            check_folder(folder)?;
        }
        let pack = Arc::new(LanguagePack::open(&config.language)?);
        let second = match config.checks.image_needed {
            Some(least) if (0.0..=1.0).contains(&least) => Some((SecondLook::load(&pack, prompts)?, least)),
            Some(least) => {
                return Err(Error::Config {
                    message: format!("`image_needed` is {least}; it is a fraction from 0 to 1"),
                });
            }
            None => None,
        };
        let prompts = tasks
            .iter()
            .map(|task| Ok((*task, Prompt::load(*task, &pack, prompts)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let checker = Checker::new(config.checks.clone(), Arc::clone(&pack), benchmark_questions);
        let decoders = Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from));
        let on_trial = prompts.keys().copied().filter(|_| !config.keep_going);
        let trials = Trials::new(on_trial);
        Ok(Self { client, config, prompts, second, pack, checker, decoders, trials })
    }

    /// The language pack in use.
    #[must_use]
    pub fn pack(&self) -> &LanguagePack {
        &self.pack
    }

    /// The prompts in use.
    #[must_use]
    pub fn prompts(&self) -> &BTreeMap<Task, Prompt> {
        &self.prompts
    }

    /// The prompt of the second call, where there is one.
    #[must_use]
    pub fn second_look(&self) -> Option<&SecondLook> {
        self.second.as_ref().map(|(prompt, _)| prompt)
    }

    /// Notes that an earlier run kept replies to a task: that the next ones are dropped is then no reason to stop.
    pub fn trust(&self, task: Task) {
        self.trials.end(task);
    }

    /// Counts a row that an earlier run dropped among the first replies to its task.
    ///
    /// # Errors
    /// [`Error::AllDropped`] where it makes them all.
    pub fn recall_dropped(&self, task: Task, row: &Excluded) -> Result<(), Error> {
        self.trials.recall(task, row)
    }

    /// Whether a reply to the task was kept, or may be dropped without end ([`SynthConfig::keep_going`]).
    #[must_use]
    pub fn is_trusted(&self, task: Task) -> bool {
        self.trials.is_over(task)
    }

    /// The client, for its ledger.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks every task of every item that it suits, as many at once as the client allows. Outcomes come in the order of items
    /// and then of tasks; `done` is called as each is there. Must run in a tokio runtime.
    ///
    /// # Errors
    /// The first fatal error of the endpoint, or [`Error::AllDropped`]. What was in flight by then is finished first and is in
    /// the cache.
    pub async fn run(
        self: &Arc<Self>,
        items: Vec<Item>,
        done: impl Fn(&Outcome),
    ) -> Result<Vec<Outcome>, Error> {
        let jobs = self.jobs(items).enumerate().map(|(place, (task, item))| {
            let this = Arc::clone(self);
            async move {
                let job = tokio::spawn(async move { this.tried(task, item).await });
                let outcome = job.await.unwrap_or_else(|source| Err(Error::Task { source }));
                (place, outcome)
            }
        });
        // Unordered, so that one request that waits for minutes does not hold up those behind it.
        let mut running =
            futures::stream::iter(jobs).buffer_unordered(self.client.config().concurrency.max(1));
        let (mut outcomes, mut fatal) = (BTreeMap::new(), None);
        while let Some((place, outcome)) = running.next().await {
            match outcome {
                Ok(outcome) => {
                    done(&outcome);
                    outcomes.insert(place, outcome);
                }
                Err(error) => keep_cause(&mut fatal, error),
            }
        }
        match fatal {
            Some(error) => Err(error),
            None => Ok(outcomes.into_values().collect()),
        }
    }

    fn jobs(self: &Arc<Self>, items: Vec<Item>) -> impl Iterator<Item = (Task, Arc<Item>)> + use<> {
        let this = Arc::clone(self);
        items.into_iter().map(Arc::new).flat_map(move |item| {
            let suited: Vec<Task> = this.prompts.keys().copied().filter(|task| item.suits(*task)).collect();
            suited.into_iter().map(move |task| (task, Arc::clone(&item)))
        })
    }

    /// Puts the requests of all tasks of every item into batches; [`Synthesizer::run`] then finds the replies in the cache.
    /// A second round, after the batches have ended, puts in the second calls, which are made of the replies to the first.
    ///
    /// # Errors
    /// As [`Batches::push`].
    pub async fn enqueue(self: &Arc<Self>, items: Vec<Item>, batches: &mut Batches) -> Result<(), Error> {
        for (task, item) in self.jobs(items) {
            // What cannot be asked is counted when its turn comes in `run`.
            let (Some(prompt), Ok(request)) = (self.prompts.get(&task), self.request(task, &item).await?)
            else {
                continue;
            };
            match self.client.lookup(&request)? {
                None => batches.push(&request).await?,
                Some(reply) => {
                    if let Ok(turns) = self.checked(task, prompt, &item, &reply)
                        && let Some((second, _)) = self.second_of(task)
                    {
                        batches.push(&self.second_request(second, &turns)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Builds a request. Decoding and shrinking a photo takes milliseconds of CPU: not on a thread that serves connections, and
    /// not when the run has been stopped.
    async fn request(
        self: &Arc<Self>,
        task: Task,
        item: &Arc<Item>,
    ) -> Result<Result<Request, Rejection>, Error> {
        // The semaphore is never closed.
        let _turn = self.decoders.acquire().await.ok();
        self.client.check_running()?;
        let (this, item) = (Arc::clone(self), Arc::clone(item));
        let build = move || {
            let prompt = this.prompts.get(&task)?;
            let config = &this.config;
            Some(ask::request(task, prompt, &item, &config.model, &config.tiles, config.seed))
        };
        Ok(match tokio::task::spawn_blocking(build).await {
            Ok(Some(result)) => result,
            // Decoders are fed what strangers made: one that panics costs its image only.
            Ok(None) | Err(_) => Err(Rejection::new("unreadable_image", None)),
        })
    }

    fn second_of(&self, task: Task) -> Option<(&SecondLook, f64)> {
        let second = self.second.as_ref().filter(|_| SecondLook::concerns(task))?;
        Some((&second.0, second.1))
    }

    fn second_request(&self, second: &SecondLook, turns: &[Turn]) -> Request {
        let model = self.config.check_model.as_ref().unwrap_or(&self.config.model);
        second.request(turns, model, self.config.seed)
    }

    fn checked(
        &self,
        task: Task,
        prompt: &Prompt,
        item: &Item,
        reply: &Reply,
    ) -> Result<Vec<Turn>, Rejection> {
        let turns = ask::turns(task, prompt, item, reply, self.pack.replies())?;
        self.checker.check(task, prompt, item, &turns)?;
        Ok(turns)
    }

    /// One outcome, which counts where its task is on trial.
    async fn tried(self: Arc<Self>, task: Task, item: Arc<Item>) -> Result<Outcome, Error> {
        let place = self.trials.enter(task).await;
        let outcome = Arc::clone(&self).one(task, item).await?;
        self.trials.note(&outcome, place).inspect_err(|error| self.client.stop(error.to_string()))?;
        Ok(outcome)
    }

    async fn one(self: Arc<Self>, task: Task, item: Arc<Item>) -> Result<Outcome, Error> {
        let Some(prompt) = self.prompts.get(&task) else {
            return Err(Error::Config { message: format!("no prompt for task {task}") });
        };
        let mut work =
            Work { id: self.id(task, prompt, &item), task, item: &item, calls: vec![], asked: false };
        let request = match self.request(task, &item).await? {
            Ok(request) => request,
            Err(rejection) => return Ok(work.rejected(rejection, None)),
        };
        let reply = match work.send(&self.client, &request, task.name(), &prompt.version).await? {
            Ok(reply) => reply,
            Err(rejection) => return Ok(work.rejected(rejection, None)),
        };
        let turns = match self.checked(task, prompt, &item, &reply) {
            Ok(turns) => turns,
            Err(rejection) => return Ok(work.rejected(rejection, Some(&reply))),
        };
        if let Some((second, least)) = self.second_of(task) {
            let request = self.second_request(second, &turns);
            let purpose = format!("{task}/{}", SecondLook::NAME);
            let looked = match work.send(&self.client, &request, &purpose, &second.version).await? {
                Ok(verdict) => SecondLook::judge(&turns, &verdict, least),
                Err(rejection) => Err(rejection),
            };
            if let Err(rejection) = looked {
                return Ok(work.rejected(rejection, Some(&reply)));
            }
        }
        let conversation = conversation(work.id.clone(), task, prompt, &item, turns, &reply);
        Ok(work.done(Verdict::Kept(conversation)))
    }

    /// Sixteen hex digits of SHA-256 over task, prompt version, model and item.
    fn id(&self, task: Task, prompt: &Prompt, item: &Item) -> String {
        let mut hash = Sha256::new();
        for field in [task.name(), &prompt.version, &self.config.model, &item.id] {
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field);
        }
        let mut id = HEXLOWER.encode(&hash.finalize());
        id.truncate(16);
        id
    }
}

/// One task on one item while it is under way.
struct Work<'a> {
    id: String,
    task: Task,
    item: &'a Arc<Item>,
    calls: Vec<Call>,
    asked: bool,
}

impl Work<'_> {
    /// Sends a request and notes the call. The outer error ends the run, the inner one the item.
    async fn send(
        &mut self,
        client: &Client,
        request: &Request,
        purpose: &str,
        prompt_version: &str,
    ) -> Result<Result<Reply, Rejection>, Error> {
        let reply = match client.send(request).await {
            Ok(reply) => reply,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => return Ok(Err(Rejection::new(error.reason(), Some(error.to_string())))),
        };
        self.asked |= !reply.cached;
        self.calls.push(Call {
            id: self.id.clone(),
            item: self.item.id.clone(),
            purpose: purpose.to_owned(),
            key: request.key(),
            model: reply.model.clone(),
            prompt_version: prompt_version.to_owned(),
            prompt_tokens: reply.usage.prompt_tokens,
            completion_tokens: reply.usage.completion_tokens,
            usd: reply.usd,
            time: reply.time,
        });
        Ok(Ok(reply))
    }

    fn rejected(self, rejection: Rejection, reply: Option<&Reply>) -> Outcome {
        let value = match reply {
            Some(reply) => {
                Some(serde_json::json!({ "found": rejection.value, "reply": reply.text }).to_string())
            }
            None => rejection.value,
        };
        let excluded = Excluded {
            id: self.id.clone(),
            step: format!("synthesize/{}", self.task),
            reason: rejection.reason.to_owned(),
            value,
            provenance: self.item.provenance.clone(),
        };
        self.done(Verdict::Rejected(excluded))
    }

    fn done(self, verdict: Verdict) -> Outcome {
        Outcome {
            task: self.task,
            verdict,
            calls: self.calls,
            asked: self.asked,
            item: Arc::clone(self.item),
        }
    }
}

/// Keeps the error that stopped the run, not one that only reports that it was stopped.
fn keep_cause(fatal: &mut Option<Error>, error: Error) {
    let stopped = |error: &Error| matches!(error, Error::Chat(tsumugi_chat::Error::Stopped { .. }));
    if fatal.as_ref().is_none_or(|first| stopped(first) && !stopped(&error)) {
        *fatal = Some(error);
    }
}

fn conversation(
    id: String,
    task: Task,
    prompt: &Prompt,
    item: &Item,
    turns: Vec<Turn>,
    reply: &Reply,
) -> Conversation {
    let text = |text: String| Content { kind: "text".into(), text: Some(text) };
    let mut messages = Vec::with_capacity(2 * turns.len());
    for (number, turn) in turns.into_iter().enumerate() {
        let mut content = Vec::new();
        if number == 0 && item.image.is_some() {
            content.push(Content { kind: "image".into(), text: None });
        }
        content.push(text(turn.question));
        messages.push(Message { role: "user".into(), content });
        messages.push(Message { role: "assistant".into(), content: vec![text(turn.answer)] });
    }
    Conversation {
        id,
        images: item.image.iter().map(|image| Image { bytes: None, path: image.path.clone() }).collect(),
        messages,
        task: task.name().to_owned(),
        generator: Generator {
            model: reply.model.clone(),
            prompt_version: prompt.version.clone(),
            prompt_tokens: reply.usage.prompt_tokens,
            completion_tokens: reply.usage.completion_tokens,
        },
    }
}

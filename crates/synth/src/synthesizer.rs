//! Items in, conversations out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tsumugi_chat::{Batches, Client, Reply, Request};
use tsumugi_record::{Content, Conversation, Excluded, Generator, Message};

use crate::check::{CheckConfig, Checker, Rejection};
use crate::item::{Item, Turn};
use crate::{Error, Prompt, Task, TileRule, ask};

/// What decides the conversations, besides the items and the endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthConfig {
    /// The model's name at the endpoint.
    pub model: String,
    /// Thresholds of the checks.
    pub checks: CheckConfig,
    /// How pictures are resized.
    pub tiles: TileRule,
}

/// What came of one task on one item.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A conversation that passed the checks.
    Kept(Conversation),
    /// Why there is none; the reply, where there was one, is the value.
    Rejected(Task, Excluded),
}

/// Asks for conversations and checks them.
#[derive(Debug)]
pub struct Synthesizer {
    client: Client,
    config: SynthConfig,
    prompts: BTreeMap<Task, Prompt>,
    checker: Checker,
}

impl Synthesizer {
    /// With prompts for these tasks, from the folder where it has them; `benchmark_questions` are kept out of the data.
    ///
    /// # Errors
    /// [`Error::Config`] for an empty model name, and as [`Prompt::load`].
    pub fn new(
        client: Client,
        config: SynthConfig,
        tasks: &[Task],
        prompts: Option<&Path>,
        benchmark_questions: &[String],
    ) -> Result<Self, Error> {
        if config.model.trim().is_empty() {
            return Err(Error::Config {
                message: "no model is named; give the name that the endpoint knows it by".into(),
            });
        }
        let prompts = tasks
            .iter()
            .map(|task| Ok((*task, Prompt::load(*task, prompts)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let checker = Checker::new(config.checks.clone(), benchmark_questions);
        Ok(Self { client, config, prompts, checker })
    }

    /// The prompts in use.
    #[must_use]
    pub fn prompts(&self) -> &BTreeMap<Task, Prompt> {
        &self.prompts
    }

    /// The client, for its ledger.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks every task of every item, as many at once as the client allows. Outcomes come in the order of items and then of
    /// tasks, and `done` is called as each is there. Must run in a tokio runtime.
    ///
    /// # Errors
    /// The first fatal error of the endpoint. What was in flight by then is finished first and is in the cache.
    pub async fn run(
        self: &Arc<Self>,
        items: Vec<Item>,
        done: impl Fn(&Outcome),
    ) -> Result<Vec<Outcome>, Error> {
        let items: Vec<Arc<Item>> = items.into_iter().map(Arc::new).collect();
        let jobs =
            items.iter().flat_map(|item| self.prompts.keys().map(move |task| (*task, Arc::clone(item))));
        let tasks = jobs.map(|(task, item)| {
            let this = Arc::clone(self);
            async move {
                let job = tokio::spawn(async move { this.one(task, item).await });
                job.await.unwrap_or_else(|error| {
                    Err(Error::Config { message: format!("a task ended early: {error}") })
                })
            }
        });
        let mut running = futures::stream::iter(tasks).buffered(self.client.config().concurrency.max(1));
        let (mut outcomes, mut fatal) = (Vec::new(), None);
        while let Some(outcome) = running.next().await {
            match outcome {
                Ok(outcome) => {
                    done(&outcome);
                    outcomes.push(outcome);
                }
                Err(error) => keep_cause(&mut fatal, error),
            }
        }
        match fatal {
            Some(error) => Err(error),
            None => Ok(outcomes),
        }
    }

    /// Puts the requests of all tasks of every item into batches; [`Synthesizer::run`] then finds the replies in the cache.
    ///
    /// # Errors
    /// As [`Batches::push`].
    pub async fn enqueue(self: &Arc<Self>, items: Vec<Item>, batches: &mut Batches) -> Result<(), Error> {
        for item in items.into_iter().map(Arc::new) {
            for task in self.prompts.keys() {
                // What cannot be asked is counted when its turn comes in `run`.
                if let Ok(request) = self.request(*task, &item).await {
                    batches.push(&request).await?;
                }
            }
        }
        Ok(())
    }

    /// Builds a request. Decoding and shrinking a photo takes milliseconds of CPU: not on a thread that serves connections.
    async fn request(self: &Arc<Self>, task: Task, item: &Arc<Item>) -> Result<Request, Rejection> {
        let (this, item) = (Arc::clone(self), Arc::clone(item));
        let build = move || {
            let prompt = this.prompts.get(&task)?;
            Some(ask::request(task, prompt, &item, &this.config.model, &this.config.tiles))
        };
        match tokio::task::spawn_blocking(build).await {
            Ok(Some(result)) => result,
            // Decoders are fed what strangers made: one that panics costs its picture only.
            Ok(None) | Err(_) => Err(Rejection::new("unreadable_image", None)),
        }
    }

    async fn one(self: Arc<Self>, task: Task, item: Arc<Item>) -> Result<Outcome, Error> {
        let Some(prompt) = self.prompts.get(&task) else {
            return Err(Error::Config { message: format!("no prompt for task {task}") });
        };
        let id = self.id(task, prompt, &item);
        let excluded = |rejection: Rejection| {
            Outcome::Rejected(
                task,
                Excluded {
                    id: id.clone(),
                    step: format!("synthesize/{task}"),
                    reason: rejection.reason.to_owned(),
                    value: rejection.value,
                    provenance: item.provenance.clone(),
                },
            )
        };
        let request = match self.request(task, &item).await {
            Ok(request) => request,
            Err(rejection) => return Ok(excluded(rejection)),
        };
        let reply = match self.client.send(&request).await {
            Ok(reply) => reply,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => return Ok(excluded(Rejection::new(error.reason(), Some(error.to_string())))),
        };
        let turns = match ask::turns(task, prompt, &item, &reply) {
            Ok(turns) => turns,
            Err(rejection) => return Ok(excluded(rejection)),
        };
        match self.checker.check(task, prompt, &item, &turns) {
            Ok(()) => Ok(Outcome::Kept(conversation(id, task, prompt, &item, turns, &reply))),
            Err(rejection) => Ok(excluded(rejection)),
        }
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

/// Keeps the error that stopped the run rather than one that only says that it was stopped.
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
        images: item.image.iter().cloned().collect(),
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

//! The client: cache, budget, limits and retries around one request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::cache::{Cache, Entry, Line, Lost, Refused};
use crate::fault::{Class, Fault};
use crate::ledger::{Accounts, Reservation};
use crate::limiter::{Limiter, lock};
use crate::parameters::{Body, Lesson, ParameterChanges, Parameters};
use crate::prices::DEFAULT_IMAGE_TOKENS;
use crate::reply::WireReply;
use crate::transport::{Endpoint, Transport, fault_of, http_client};
use crate::{ClientConfig, Error, Ledger, Reply, Request, Usage};

/// Upper bound of the completion tokens that is assumed for a request without a limit of its own.
const ASSUMED_COMPLETION_TOKENS: u64 = 4096;
/// A client of one endpoint. Clones share connections, limits, cache and ledger.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: ClientConfig,
    pub(crate) base: String,
    pub(crate) api: async_openai::Client<Endpoint>,
    limiter: Arc<Limiter>,
    pub(crate) cache: Option<Cache>,
    pub(crate) accounts: Accounts,
    /// Whether the server has answered at all, even with an error: such a server may be restarting.
    pub(crate) heard: Arc<AtomicBool>,
    /// Requests that were postponed until their deadline, since the last answer.
    pub(crate) put_off: AtomicU32,
    /// What is sent instead of parameters that models refuse.
    parameters: Parameters,
    /// The message of the first fatal error; setting it wakes all that wait.
    halted: watch::Sender<Option<String>>,
    /// Requests in flight by key: a second request with the same key waits for the first and takes its reply from the cache.
    flights: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) jitter: Mutex<StdRng>,
}

/// What an attempt may take.
#[derive(Debug, Clone, Copy)]
struct Cost {
    most_usd: f64,
    /// Estimated tokens of prompt and reply, for the limits a minute.
    tokens: u64,
}

impl Client {
    /// Creates a client and reads its cache folder. It does not connect yet.
    ///
    /// # Errors
    /// [`Error::Config`] for invalid values, [`Error::Cache`] when the cache folder cannot be used.
    pub fn new(mut config: ClientConfig) -> Result<Self, Error> {
        let url = config.checked_base_url()?;
        config.token_limit_field = config.settled_limit_field(&url);
        let base = config.base_url.trim().trim_end_matches('/').to_owned();
        let http = http_client(&url, &config)?;
        let limiter =
            Arc::new(Limiter::new(config.concurrency, config.requests_per_minute, config.tokens_per_minute));
        let heard = Arc::new(AtomicBool::new(false));
        let transport = Transport {
            http: http.clone(),
            key: config.api_key.clone(),
            limiter: Arc::clone(&limiter),
            heard: Arc::clone(&heard),
        };
        let api =
            async_openai::Client::build(http, Endpoint::new(&base, &config)?).with_http_service(transport);
        let accounts = Accounts::new(config.budget_usd);
        let parameters = Parameters::default();
        let place = place(&base, &config);
        let recall = |line: Line| match line {
            Line::Reply(entry) => accounts.recall(&entry),
            Line::Lost(lost) => accounts.unknown(lost.lost_usd),
            Line::Refused(line) if line.endpoint == place => {
                parameters.change(&line.model, &line.parameter, line.instead.as_deref());
            }
            Line::Refused(_) => {}
        };
        let cache = config.cache.as_ref().map(|folder| Cache::open(folder, recall)).transpose()?;
        let inner = Inner {
            base,
            api,
            limiter,
            cache,
            accounts,
            heard,
            put_off: AtomicU32::new(0),
            parameters,
            halted: watch::Sender::new(None),
            flights: Mutex::default(),
            jitter: Mutex::new(StdRng::seed_from_u64(entropy())),
            config,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Answers a request from the cache, or else from the server, with retries.
    ///
    /// After a fatal error every further request that is not in the cache fails with [`Error::Stopped`] before it is sent,
    /// while those in flight finish and are kept.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_fatal`] tells whether to go on with other requests.
    pub async fn send(&self, request: &Request) -> Result<Reply, Error> {
        let key = request.key();
        let result = match self.cached(&key)? {
            Some(reply) => return Ok(reply),
            None if self.inner.cache.is_none() => self.inner.answer(request, &key).await,
            None => self.send_once(request, &key).await,
        };
        let result = result.map_err(|error| self.inner.unless_all_are_rejected(error));
        if let Err(error) = &result
            && error.is_fatal()
            && !matches!(error, Error::Stopped { .. })
        {
            self.inner.halt(error.to_string());
        }
        result
    }

    /// Checks that requests are still sent. Call it before a request is built with some effort.
    ///
    /// # Errors
    /// [`Error::Stopped`] after a fatal error.
    pub fn check_running(&self) -> Result<(), Error> {
        self.inner.check_halted()
    }

    /// Sends no further request: all that are not in the cache fail with [`Error::Stopped`] and this reason, as after a fatal
    /// error. Those in flight finish and are kept.
    pub fn stop(&self, reason: impl Into<String>) {
        self.inner.halt(reason.into());
    }

    /// The ledger so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger { parameters: self.inner.parameters.all(), ..self.inner.accounts.snapshot() }
    }

    /// What is sent instead of the parameters that a model refuses, as far as its endpoint was asked.
    #[must_use]
    pub fn parameter_changes(&self, model: &str) -> ParameterChanges {
        self.inner.parameters.of(model)
    }

    /// The configuration. Its key is redacted in `Debug` and skipped by serde.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// The reply to this request, if the cache has it.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn lookup(&self, request: &Request) -> Result<Option<Reply>, Error> {
        match &self.inner.cache {
            Some(cache) => cache.get(&request.key()),
            None => Ok(None),
        }
    }

    fn cached(&self, key: &str) -> Result<Option<Reply>, Error> {
        let reply = match &self.inner.cache {
            Some(cache) => cache.get(key)?,
            None => None,
        };
        if reply.is_some() {
            self.inner.accounts.cached();
        }
        Ok(reply)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Lets only one request of a key proceed at a time.
    async fn send_once(&self, request: &Request, key: &str) -> Result<Reply, Error> {
        let flight = Arc::clone(lock(&self.inner.flights).entry(key.to_owned()).or_default());
        let turn = flight.lock().await;
        let result = match self.cached(key) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => self.inner.answer(request, key).await,
            Err(error) => Err(error),
        };
        drop(turn);
        let mut flights = lock(&self.inner.flights);
        // Two references, the map's and this one: no other request waits.
        if Arc::strong_count(&flight) == 2 {
            flights.remove(key);
        }
        drop(flights);
        result
    }
}

impl Inner {
    async fn answer(&self, request: &Request, key: &str) -> Result<Reply, Error> {
        self.check_halted()?;
        let most = self.most_usage(request);
        let cost = Cost {
            most_usd: self.most_usd(&request.model, most)?,
            tokens: request.estimate_prompt_tokens(self.image_tokens(&request.model))
                + most.completion_tokens,
        };
        let mut body = Body::new(request, self.config.token_limit_field)?;
        let (mut reply, reservation) = self.attempts(&request.model, &mut body, cost).await?;
        let usage = reply.counted(most.prompt_tokens);
        self.keep(&request.model, key, &mut reply, usage, 1.0)?;
        drop(reservation);
        Ok(reply)
    }

    fn image_tokens(&self, model: &str) -> u64 {
        let of_price = || self.config.prices.find(model).and_then(|price| price.image_tokens);
        self.config.image_tokens.or_else(of_price).unwrap_or(DEFAULT_IMAGE_TOKENS)
    }

    /// Most tokens a request may take.
    pub(crate) fn most_usage(&self, request: &Request) -> Usage {
        Usage {
            prompt_tokens: request.most_prompt_tokens(self.image_tokens(&request.model)),
            completion_tokens: match request.max_tokens.map(u64::from) {
                Some(most) if self.parameters.is_unlimited(&request.model) => {
                    most.max(ASSUMED_COMPLETION_TOKENS)
                }
                Some(most) => most,
                None => ASSUMED_COMPLETION_TOKENS,
            },
        }
    }

    /// The body of a request as it is sent in a batch.
    pub(crate) fn body(&self, request: &Request) -> Result<Value, Error> {
        let mut body = Body::new(request, self.config.token_limit_field)?;
        Ok(Value::Object(body.adapted(&self.parameters, &request.model).clone()))
    }

    /// The price of a request in a batch as a fraction of its normal price.
    pub(crate) fn batch_price(&self, model: &str) -> f64 {
        self.config.prices.find(model).map_or(1.0, |price| price.batch)
    }

    /// Records a reply at this fraction of its price, and stores it with its time and cost.
    pub(crate) fn keep(
        &self,
        model: &str,
        key: &str,
        reply: &mut Reply,
        usage: Usage,
        part: f64,
    ) -> Result<(), Error> {
        reply.usd = self.config.prices.find(model).map_or(0.0, |price| price.cost(usage) * part);
        reply.time = now();
        self.accounts.answered(model, usage, reply.usd);
        if let Some(cache) = &self.cache {
            cache.put(&Entry {
                key: key.to_owned(),
                at: reply.time,
                usd: reply.usd,
                asked: model.to_owned(),
                reply: reply.clone(),
            })?;
        }
        Ok(())
    }

    /// The most that tokens may cost; 0 where there is neither price nor budget.
    pub(crate) fn most_usd(&self, model: &str, most: Usage) -> Result<f64, Error> {
        match (self.config.prices.find(model), self.config.budget_usd) {
            (Some(price), _) => Ok(price.cost(most)),
            (None, None) => Ok(0.0),
            (None, Some(_)) => Err(Error::config(format!(
                "`budget_usd` is set, but the price table `prices` has no entry for the model {model:?}; add one"
            ))),
        }
    }

    /// Retries until there is a reply, a permanent fault, or no attempt or time left. Returns the reply with the budget
    /// reserved for it, which is held until its cost is recorded.
    async fn attempts(
        &self,
        model: &str,
        body: &mut Body,
        cost: Cost,
    ) -> Result<(Reply, Reservation<'_>), Error> {
        let tokens = cost.tokens;
        let mut started = None;
        let (mut attempt, mut tries) = (0, 0);
        loop {
            let reservation = self.accounts.reserve(cost.most_usd).await?;
            let slot = self.unless_halted(self.limiter.admit(tokens)).await?;
            // Waiting for a free slot is not the server's fault: the deadline runs from the first attempt.
            let deadline = *started.get_or_insert_with(Instant::now) + self.config.deadline();
            attempt += 1;
            let sent = Instant::now();
            let fault = match self.attempt(model, body.adapted(&self.parameters, model), deadline).await {
                Ok(reply) => {
                    self.put_off.store(0, Ordering::Relaxed);
                    self.limiter.widen();
                    self.limiter.settle(tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
                    return Ok((reply, reservation));
                }
                Err(fault) => fault,
            };
            drop(slot);
            self.limiter.settle(tokens, 0);
            if fault.may_have_cost() {
                self.lost(model, cost.most_usd)?;
            }
            drop(reservation);
            if self.learn(model, body, &fault)? {
                attempt -= 1;
                continue;
            }
            if matches!(fault.class, Class::RateLimited | Class::Overloaded) {
                self.limiter.narrow(sent);
            }
            tries += u32::from(!fault.asks_for_patience());
            let wait = self.pause(&fault, attempt, tries, deadline)?;
            self.accounts.retried(fault.class.name());
            let (seconds, message) = (wait.as_secs_f64(), &fault.message);
            tracing::debug!("attempt {attempt} failed ({message}), again in {seconds:.1} s");
            self.unless_halted(tokio::time::sleep(wait)).await?;
        }
    }

    /// Whether the body is to be sent again with other parameters, since its model refused one.
    fn learn(&self, model: &str, body: &Body, fault: &Fault) -> Result<bool, Error> {
        let (parameter, instead) = match self.parameters.learn(model, body, fault) {
            Lesson::None => return Ok(false),
            Lesson::Known => return Ok(true),
            Lesson::New { parameter, instead } => (parameter, instead),
        };
        let endpoint = place(&self.base, &self.config);
        let what = match &instead {
            Some(other) => format!("`{other}` is sent instead"),
            None => "it is left out".to_owned(),
        };
        let message = &fault.message;
        tracing::warn!("{endpoint}: model {model:?} refuses `{parameter}`; {what} from here on ({message})");
        if let Some(cache) = &self.cache {
            cache.note(&Refused { endpoint, model: model.to_owned(), parameter, instead, at: now() })?;
        }
        Ok(true)
    }

    async fn attempt(
        &self,
        model: &str,
        body: &Map<String, Value>,
        deadline: Instant,
    ) -> Result<Reply, Fault> {
        let left = deadline.saturating_duration_since(Instant::now());
        let chat = self.api.chat();
        let answer = chat.create_byot::<_, WireReply>(body);
        let wire = match tokio::time::timeout(left, answer).await {
            Ok(result) => result.map_err(fault_of)?,
            Err(_) => return Err(Fault::timed_out()),
        };
        if let Some(error) = wire.error() {
            return Err(Fault::from_error_value(error));
        }
        wire.into_reply(model).ok_or_else(|| Fault::broken("no choices"))
    }

    /// Reserves for good what an attempt may have cost if it is unknown whether the server charged for it.
    fn lost(&self, model: &str, usd: f64) -> Result<(), Error> {
        self.accounts.unknown(usd);
        match &self.cache {
            Some(cache) if usd > 0.0 => {
                cache.note(&Lost { lost_usd: usd, at: now(), asked: model.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn halt(&self, reason: String) {
        self.halted.send_if_modified(|halted| {
            let first = halted.is_none();
            halted.get_or_insert(reason);
            first
        });
    }

    fn check_halted(&self) -> Result<(), Error> {
        match self.halted.borrow().as_ref() {
            Some(reason) => Err(Error::Stopped { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    async fn unless_halted<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let mut halted = self.halted.subscribe();
        self.check_halted()?;
        tokio::select! {
            biased;
            Ok(reason) = halted.wait_for(Option::is_some) => {
                Err(Error::Stopped { reason: reason.clone().unwrap_or_default() })
            }
            done = work => Ok(done),
        }
    }
}

/// Where a model is served: the base URL, and at Azure the deployment.
fn place(base: &str, config: &ClientConfig) -> String {
    match &config.azure {
        Some(azure) => format!("{base}/openai/deployments/{}", azure.deployment),
        None => base.to_owned(),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A seed for the jitter from the process's own hash keys: jitter must differ between processes, nothing more.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

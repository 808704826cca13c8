//! A client for OpenAI-compatible chat endpoints that survives rate limits, faults and restarts.
//!
//! [`Client::send`] answers a [`Request`] of text and images, with a strict JSON schema where one is given:
//!
//! - **durable cache**: a folder of append-only files keyed by model, messages and parameters. A run repeated or resumed, even
//!   after `kill -9`, sends only what is missing; equal concurrent requests are sent once.
//! - **retries** with exponential back-off and full jitter on 408, 409, 429, 5xx, timeouts, cut connections and broken bodies,
//!   whatever the shape of the error body, and never before the time a `Retry-After` header asks for (seconds, fractions, dates).
//!   A rate limit uses up no retries; only the deadline of a request ends its waiting.
//! - **limits**: requests in flight (additive increase, multiplicative decrease), requests and tokens a minute, given or learned
//!   from `x-ratelimit-*` headers.
//! - **budget and ledger**: tokens and money by model from a price table; a request that could overshoot is not sent.
//! - **parameters**: what a model refuses (`temperature`, `seed`, `max_tokens`, a JSON schema, ...) is learned from its error reply
//!   and renamed or left out from then on. The decision is logged, is in the [`Ledger`], and is kept with the cache.
//! - **reasoning models**: [`Reply::answer`] is what a model says after it has thought, however the server hands that over.
//! - **batches**: [`Client::batches`] sends the same requests through the Batch API and puts the replies into the cache.
//! - **errors that say what to do**: those with [`Error::is_fatal`] stop the run in order (no server, key refused, quota or budget
//!   used up), the others end one item with its [`Error::reason`].
//!
//! The key comes from `OPENAI_API_KEY` or code and is in no log, file or error, even where the server echoes it.
//!
//! It builds on the types, URLs and API groups of [`async_openai`], with a transport of its own below.
//!
//! ```no_run
//! use tsumugi_chat::{ChatMessage, Client, ClientConfig, Request};
//!
//! # async fn run() -> Result<(), tsumugi_chat::Error> {
//! let config = ClientConfig { cache: Some("replies".into()), budget_usd: Some(5.0), ..ClientConfig::from_env(None)? };
//! let client = Client::new(config)?;
//! let request = Request {
//!     model: "gpt-4o-mini".into(),
//!     messages: vec![ChatMessage::user("富士山の高さは？")],
//!     max_tokens: Some(100),
//!     ..Request::default()
//! };
//! let reply = client.send(&request).await?;
//! println!("{} ({} tokens)", reply.answer(), reply.usage.completion_tokens);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod batch;
mod cache;
mod client;
mod config;
mod error;
mod fault;
mod key;
mod ledger;
mod limiter;
mod parameters;
mod prices;
mod reasoning;
mod refusal;
mod remedy;
mod reply;
mod request;
mod retry;
mod transport;

pub use batch::{BatchConfig, BatchSummary, Batches};
pub use client::Client;
pub use config::{Azure, ClientConfig, DEFAULT_BASE_URL, TokenLimitField};
pub use error::{Cause, Error};
pub use key::ApiKey;
pub use ledger::{Ledger, Spent};
pub use parameters::ParameterChanges;
pub use prices::{Price, Prices, of_model};
pub use reply::{Reply, Usage};
pub use request::{ChatMessage, JsonSchema, Part, Request, Role};

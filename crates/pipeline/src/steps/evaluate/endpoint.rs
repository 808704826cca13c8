//! Clients of endpoints that answer or judge.

use std::path::Path;
use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tsumugi_chat::{Client, ClientConfig};

use super::{EvaluateConfig, JudgeConfig, STEP};
use crate::Error;
use crate::steps::once::once;

/// An OpenAI-compatible endpoint and its limits.
pub(super) struct Endpoint<'a> {
    base_url: Option<&'a str>,
    concurrency: Option<usize>,
    budget_usd: Option<f64>,
}

impl<'a> Endpoint<'a> {
    /// That which answers.
    pub(super) fn of_model(config: &'a EvaluateConfig) -> Self {
        Endpoint {
            base_url: config.base_url.as_deref(),
            concurrency: config.concurrency,
            budget_usd: config.budget_usd,
        }
    }

    /// That which judges; as that of the model where nothing else is said.
    pub(super) fn of_judge(config: &'a EvaluateConfig, judge: &'a JudgeConfig) -> Self {
        Endpoint {
            base_url: judge.base_url.as_deref().or(config.base_url.as_deref()),
            concurrency: judge.concurrency.or(config.concurrency),
            budget_usd: judge.budget_usd.or(config.budget_usd),
        }
    }

    /// A client that keeps its replies in a folder.
    pub(super) fn client(&self, cache: &Path) -> Result<Client, Error> {
        let config = ClientConfig::from_env(self.base_url).map_err(Error::setting("endpoint"))?;
        let config = ClientConfig {
            cache: Some(cache.to_owned()),
            concurrency: self.concurrency.unwrap_or(config.concurrency),
            budget_usd: self.budget_usd.or(config.budget_usd),
            ..config
        };
        Client::new(config).map_err(|error| match error {
            error @ tsumugi_chat::Error::Config { .. } => Error::setting("endpoint")(error),
            error => Error::step(STEP, "endpoint")(error),
        })
    }
}

/// The threads that wait for endpoints.
pub(super) fn runtime(cell: &OnceLock<Runtime>) -> Result<&Runtime, Error> {
    once(cell, || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(Error::step(STEP, "threads"))
    })
}

/// Something is missing that may be there another time: all else is kept, and the shard is done again.
pub(super) fn incomplete(what: &str) -> Error {
    Error::step(STEP, "endpoint")(format!(
        "{what}. Replies so far are kept; run again, only what is missing is asked"
    ))
}

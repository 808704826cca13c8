//! Settings of the client.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of a [`Remote`](crate::Remote).
///
/// No service publishes such numbers; the defaults ride out an overload of about two minutes and keep memory small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RemoteConfig {
    /// Requests that may fail in a row without making progress before reading fails. 8 by default (our choice): with
    /// the default waits, about two minutes in all.
    pub attempts: u32,
    /// Wait after the first failure, in milliseconds; it doubles with each further failure. 500 by default (our
    /// choice). A longer wait that the server requests (`Retry-After`, up to ten minutes) is respected.
    pub first_wait_ms: u64,
    /// Longest wait between two attempts, in milliseconds. 60,000 by default (our choice).
    pub longest_wait_ms: u64,
    /// Time without a byte after which a connection counts as cut, in milliseconds. 30,000 by default (our choice).
    pub idle_ms: u64,
    /// Ranges fetched concurrently if only parts of an archive are wanted. 8 by default (our choice).
    pub parallel_ranges: usize,
    /// Values that replace `AWS_...` environment variables. Empty by default. Never serialised, because they may hold
    /// keys.
    #[serde(skip)]
    pub s3: S3Settings,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait_ms: 500,
            longest_wait_ms: 60_000,
            idle_ms: 30_000,
            parallel_ranges: 8,
            s3: S3Settings::default(),
        }
    }
}

impl RemoteConfig {
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

/// Settings of S3, named like the environment variables that they replace. `Debug` shows no values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct S3Settings(BTreeMap<String, String>);

impl S3Settings {
    /// Sets a variable (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ...).
    #[must_use]
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.0.insert(variable.to_owned(), value.into());
        self
    }

    /// The `AWS_...` variables of the environment, overridden by these settings. Empty values count as unset.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok().filter(|name| name.starts_with("AWS_"))?,
                value.into_string().ok()?,
            ))
        });
        let mut variables: BTreeMap<_, _> = environment.chain(self.0.clone()).collect();
        variables.retain(|_, value| !value.is_empty());
        variables
    }
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

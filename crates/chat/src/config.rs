//! Configuration of a client.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ApiKey, Error, Prices};

/// OpenAI's own address, used where neither the configuration nor `OPENAI_BASE_URL` names another.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// Configuration of a [`crate::Client`]. The key is never serialised.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ClientConfig {
    /// Address of the API without `/chat/completions`. Default: OpenAI's, or `OPENAI_BASE_URL` where the environment is read.
    pub base_url: String,
    /// The API key; none for servers that need none. Skipped by serde both ways: keys come from the environment or from code.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// Deployment at Azure OpenAI; none for any other server.
    pub azure: Option<Azure>,
    /// Maximum number of concurrent requests, at least 1. Additive increase and multiplicative decrease stay below it.
    /// Default: 16, this project's choice.
    pub concurrency: usize,
    /// Time limit of one attempt in seconds, connecting and reading included. Default: 120, this project's choice.
    pub timeout: f64,
    /// Time limit of one request in seconds over all attempts and the waits between them. Default: 900, this project's choice.
    pub deadline: f64,
    /// Requests per minute. By default learned from `x-ratelimit-*` headers where the server sends them.
    pub requests_per_minute: Option<u32>,
    /// Tokens per minute, prompt and completion together. By default learned like `requests_per_minute`.
    pub tokens_per_minute: Option<u32>,
    /// Maximum number of attempts after the first. Default: 8, this project's choice.
    pub max_retries: u32,
    /// Base of the exponential back-off in seconds: the wait before retry n is drawn uniformly from 0 to this times 2^(n-1)
    /// ("full jitter"). Default: 0.5, this project's choice.
    pub backoff_base: f64,
    /// Upper bound of that interval in seconds. Default: 30, this project's choice.
    pub backoff_cap: f64,
    /// Folder of the durable reply cache and the ledger. By default nothing is kept.
    pub cache: Option<PathBuf>,
    /// Prices by model. Default: the table of this crate, whose rows name their source and date.
    pub prices: Prices,
    /// Upper bound of the prompt tokens of one image, where the caller knows how large its images are; by default that of the
    /// price table. Used for limits and budget only.
    pub image_tokens: Option<u64>,
    /// Budget in USD: the client stops before a request that could exceed it. Earlier runs with the same cache folder count.
    /// No limit by default.
    pub budget_usd: Option<f64>,
    /// Request field that carries the token limit. Default: chosen by the server's address.
    pub token_limit_field: TokenLimitField,
}

/// Azure OpenAI: the base URL is the resource (`https://NAME.openai.azure.com`), the key goes into `api-key`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Azure {
    /// The deployment's name.
    pub deployment: String,
    /// The query parameter `api-version`; `2024-10-21`, the stable version when this was written, where absent.
    #[serde(default = "default_api_version")]
    pub api_version: String,
}

fn default_api_version() -> String {
    "2024-10-21".into()
}

/// A deployment's name and an API version are parts of URLs.
fn fits_url(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// The name of the request field for the token limit.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenLimitField {
    /// `max_completion_tokens` at OpenAI and Azure, whose newer models take no other; `max_tokens` elsewhere, since some servers
    /// know no other and most of those that do take both.
    #[default]
    Auto,
    /// `max_completion_tokens`, OpenAI's present name.
    MaxCompletionTokens,
    /// `max_tokens`, the name older servers know.
    MaxTokens,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.into(),
            api_key: None,
            azure: None,
            concurrency: 16,
            timeout: 120.0,
            deadline: 900.0,
            requests_per_minute: None,
            tokens_per_minute: None,
            max_retries: 8,
            backoff_base: 0.5,
            backoff_cap: 30.0,
            cache: None,
            prices: Prices::builtin(),
            image_tokens: None,
            budget_usd: None,
            token_limit_field: TokenLimitField::default(),
        }
    }
}

impl ClientConfig {
    /// Defaults for one base URL, without a key.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Defaults with the base URL given, or else that of `OPENAI_BASE_URL`, or else OpenAI's; the key from `OPENAI_API_KEY`.
    ///
    /// # Errors
    /// [`Error::Config`] when the key cannot be one.
    pub fn from_env(base_url: Option<&str>) -> Result<Self, Error> {
        let base_url = match base_url {
            Some(url) => url.to_owned(),
            None => std::env::var("OPENAI_BASE_URL")
                .ok()
                .filter(|url| !url.trim().is_empty())
                .unwrap_or_else(|| DEFAULT_BASE_URL.into()),
        };
        Ok(Self { api_key: ApiKey::from_env()?, ..Self::new(base_url) })
    }

    /// Defaults for a deployment of Azure OpenAI: `endpoint` is the resource (`https://NAME.openai.azure.com`) or else that of
    /// `AZURE_OPENAI_ENDPOINT`; the key from `AZURE_OPENAI_API_KEY`, or else from `OPENAI_API_KEY`.
    ///
    /// # Errors
    /// [`Error::Config`] when no endpoint is named or the key cannot be one.
    pub fn azure_from_env(endpoint: Option<&str>, azure: Azure) -> Result<Self, Error> {
        let endpoint = endpoint.map(str::to_owned).or_else(|| std::env::var("AZURE_OPENAI_ENDPOINT").ok());
        let endpoint = endpoint.filter(|url| !url.trim().is_empty()).ok_or_else(|| {
            Error::config(
                "no Azure endpoint is named; set `base_url` or AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com",
            )
        })?;
        let key = match ApiKey::from_variable("AZURE_OPENAI_API_KEY")? {
            Some(key) => Some(key),
            None => ApiKey::from_env()?,
        };
        Ok(Self { api_key: key, azure: Some(azure), ..Self::new(endpoint) })
    }

    /// Checks the values and gives the base URL without a trailing slash.
    pub(crate) fn checked_base_url(&self) -> Result<url::Url, Error> {
        let bad = |message: String| Error::config(message);
        let parsed = url::Url::parse(self.base_url.trim()).map_err(|error| {
            let message = format!(
                "`base_url` is {:?}, which is not a URL; it should look like {DEFAULT_BASE_URL}",
                self.base_url
            );
            Error::config_caused(message, error)
        })?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
            return Err(bad(format!("`base_url` is {:?}, which is not http or https", self.base_url)));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() || parsed.query().is_some() {
            return Err(bad(
                "`base_url` holds a user, password or query; set the key in OPENAI_API_KEY instead".into(),
            ));
        }
        if let Some(azure) = &self.azure
            && !(fits_url(&azure.deployment) && fits_url(&azure.api_version))
        {
            return Err(bad(format!(
                "Azure's deployment {:?} and API version {:?} must be names of letters, digits, '-', '.' and '_', such as gpt-4o and 2024-10-21",
                azure.deployment, azure.api_version
            )));
        }
        let positive = [("timeout", self.timeout), ("deadline", self.deadline)];
        for (name, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(bad(format!("`{name}` must be a positive number of seconds, not {value}")));
            }
        }
        for (name, value) in [("backoff_base", self.backoff_base), ("backoff_cap", self.backoff_cap)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(bad(format!("`{name}` must be a number of seconds, not {value}")));
            }
        }
        if self.concurrency == 0 {
            return Err(bad("`concurrency` must be at least 1".into()));
        }
        if self.requests_per_minute == Some(0) || self.tokens_per_minute == Some(0) {
            return Err(bad("a limit of 0 a minute would never send anything; leave `requests_per_minute` and `tokens_per_minute` out for none".into()));
        }
        if self.budget_usd.is_some_and(|usd| usd.is_nan() || usd < 0.0) {
            return Err(bad("`budget_usd` must be a positive amount of USD".into()));
        }
        Ok(parsed)
    }

    /// The field for the token limit, settled by the address where it is [`TokenLimitField::Auto`].
    pub(crate) fn settled_limit_field(&self, base: &url::Url) -> TokenLimitField {
        match self.token_limit_field {
            TokenLimitField::Auto if self.azure.is_some() || base.host_str() == Some("api.openai.com") => {
                TokenLimitField::MaxCompletionTokens
            }
            TokenLimitField::Auto => TokenLimitField::MaxTokens,
            other => other,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout.min(1e9))
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs_f64(self.deadline.min(1e9))
    }
}

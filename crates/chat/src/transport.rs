//! One attempt over HTTP, as the service below async-openai's client.
//!
//! async-openai deserialises error bodies into one fixed shape and decides on retries from it; here every answer is read in
//! full, classified whatever its shape, and handed up as a [`Fault`]. Retrying is the business of [`crate::Client`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use tsumugi_robots::requested_wait;

use crate::config::Azure;
use crate::fault::Fault;
use crate::limiter::Limiter;
use crate::{ApiKey, ClientConfig, Error};

/// Most bytes read of a chat reply: far above the longest that any model writes.
const MOST_OF_REPLY: usize = 16 << 20;
/// Most bytes of a batch's file: some 10 KB for each of OpenAI's 50,000 requests.
const MOST_OF_FILE: usize = 512 << 20;
/// Most bytes of an error page; the rest is not read.
const MOST_OF_ERROR: usize = 256 << 10;

/// Azure's header for the key.
const AZURE_KEY: HeaderName = HeaderName::from_static("api-key");

/// Where and how to authenticate, for async-openai.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    base: String,
    azure: Option<Azure>,
    headers: HeaderMap,
    key: SecretString,
}

impl Endpoint {
    pub(crate) fn new(base: &str, config: &ClientConfig) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &config.api_key {
            let (name, text) = match config.azure {
                Some(_) => (AZURE_KEY, key.expose().to_owned()),
                None => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            };
            let mut value = HeaderValue::from_str(&text).map_err(|error| {
                Error::config_caused("the API key cannot be sent in an HTTP header", error)
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let key = config
            .api_key
            .as_ref()
            .map_or_else(|| SecretString::from(String::new()), |key| key.secret().clone());
        Ok(Self { base: base.to_owned(), azure: config.azure.clone(), headers, key })
    }
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        match &self.azure {
            // Files and batches belong to the resource, everything else to a deployment.
            Some(azure) if !path.starts_with("/files") && !path.starts_with("/batches") => {
                format!("{}/openai/deployments/{}{path}", self.base, azure.deployment)
            }
            Some(_) => format!("{}/openai{path}", self.base),
            None => format!("{}{path}", self.base),
        }
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.azure.iter().map(|azure| ("api-version", azure.api_version.as_str())).collect()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) key: Option<ApiKey>,
    pub(crate) limiter: Arc<Limiter>,
    /// Set by the first answer of any status.
    pub(crate) heard: Arc<AtomicBool>,
}

impl Transport {
    async fn attempt(self, factory: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
        let request = factory.build().await?;
        let is_file = request.url().path().contains("/files");
        let mut response =
            self.http.execute(request).await.map_err(|error| fault(Fault::from_transport(&error)))?;
        self.heard.store(true, Ordering::Relaxed);
        self.limiter.observe(response.headers());
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let wait = requested_wait(header, SystemTime::now());
        let most = match status.is_success() {
            true if is_file => MOST_OF_FILE,
            true => MOST_OF_REPLY,
            false => MOST_OF_ERROR,
        };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // An error page cut short is still that error.
                Err(_) if !status.is_success() => break,
                Err(error) => return Err(fault(Fault::from_transport(&error))),
            }
            if body.len() > most && !status.is_success() {
                body.truncate(most);
                break;
            }
            if body.len() > most {
                return Err(fault(Fault::too_large(most)));
            }
        }
        let body = match &self.key {
            Some(key) => key.scrub(body),
            None => body,
        };
        if !status.is_success() {
            return Err(fault(Fault::from_status(status, &body, wait)));
        }
        let mut whole = http::Response::new(body);
        *whole.status_mut() = status;
        Ok(reqwest::Response::from(whole))
    }
}

impl tower_service::Service<HttpRequestFactory> for Transport {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().attempt(factory))
    }
}

fn fault(fault: Fault) -> OpenAIError {
    OpenAIError::Boxed(Box::new(fault))
}

/// The fault behind an error of async-openai.
pub(crate) fn fault_of(error: OpenAIError) -> Fault {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::broken(&other.to_string()),
        },
        OpenAIError::JSONDeserialize(error, _) => Fault::broken(&format!("invalid JSON ({error})")),
        OpenAIError::Reqwest(error) => Fault::from_transport(&error),
        other => Fault::broken(&other.to_string()),
    }
}

/// The HTTP client: no redirects (they would carry the key elsewhere), no proxy to loopback, certificates only where TLS is spoken.
pub(crate) fn http_client(base: &url::Url, config: &ClientConfig) -> Result<reqwest::Client, Error> {
    // The provider of cryptography is chosen once for the process; another crate's earlier choice is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .timeout(config.timeout())
        .connect_timeout(config.timeout().min(std::time::Duration::from_secs(20)))
        .pool_max_idle_per_host(config.concurrency.max(1))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tsumugi/", env!("CARGO_PKG_VERSION")));
    if base.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    let loopback = match base.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if loopback {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::config_caused("cannot set up an HTTP client", error))
}

//! The client: settings, stores, and one thread for all input and output.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use tokio::runtime::Runtime;

use crate::address::Address;
use crate::error::Error;
use crate::error::{RemoteError, RemoteFault};
use crate::service::Service;

/// Settings of a [`Remote`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RemoteOptions {
    /// Requests in a row that may fail without bringing anything new before reading fails. 8 by default.
    pub attempts: u32,
    /// Wait after the first failure; it doubles with each further one. Half a second by default, with the other
    /// settings some two minutes in all. What a server asks for (`Retry-After`) is waited in any case.
    pub first_wait: Duration,
    /// Longest wait. 60 seconds by default.
    pub longest_wait: Duration,
    /// Time without a byte after which a connection counts as cut. 30 seconds by default.
    pub idle: Duration,
    /// Ranges that are fetched at a time where only parts of an archive are wanted. 8 by default.
    pub parallel_ranges: usize,
    /// What takes the place of environment variables for S3. Empty by default.
    pub s3: S3Settings,
}

/// Settings of S3 by the names of their environment variables, before which they go. Values are not shown.
#[derive(Clone, Default)]
pub struct S3Settings(BTreeMap<String, String>);

impl S3Settings {
    /// The same with the variable (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ...) set.
    #[must_use]
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.0.insert(variable.to_owned(), value.into());
        self
    }

    /// The variables of the environment for AWS and these settings; empty ones count as not set.
    fn variables(&self) -> BTreeMap<String, String> {
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

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            parallel_ranges: 8,
            s3: S3Settings::default(),
        }
    }
}

/// Reads objects over `https://`, `http://` and `s3://`, and local files in the same way.
///
/// A clone is another handle to the same client. One thread of its own does all input and output, so the blocking
/// functions work on any thread.
///
/// S3 is set up by the usual environment variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
/// `AWS_SESSION_TOKEN`; `AWS_REGION` or `AWS_DEFAULT_REGION` (`us-east-1` without either);
/// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` for other services than Amazon's (also `http://`);
/// `AWS_VIRTUAL_HOSTED_STYLE_REQUEST`; web identity and container credentials. Without any keys, or with
/// `AWS_SKIP_SIGNATURE=true`, requests are not signed, as public buckets want it; on a machine of Amazon EC2
/// the keys of its role are taken.
#[derive(Debug, Clone)]
pub struct Remote(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: RemoteOptions,
    service: Service,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    runtime: Option<Runtime>,
}

/// An object of a store.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    /// As it is shown.
    pub(crate) address: String,
    /// Whether requests are signed; `None` for plain HTTP.
    pub(crate) signed: Option<bool>,
}

impl Remote {
    /// A client.
    ///
    /// # Errors
    /// [`Error::Remote`] where the thread or the TLS client cannot be made.
    pub fn new(options: RemoteOptions) -> Result<Self, Error> {
        let setup = |reason: String| RemoteError::new("the HTTP client", RemoteFault::Setup(reason));
        // Another part of the program may have chosen a provider already: that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("tsumugi-warc/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.idle)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| setup(crate::service::causes(&error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tsumugi-remote")
            .enable_all()
            .build()
            .map_err(|error| setup(error.to_string()))?;
        let service = Service { client };
        Ok(Self(Arc::new(Inner { options, service, buckets: Mutex::default(), runtime: Some(runtime) })))
    }

    /// Runs a task on the thread of this client.
    pub(crate) fn spawn<F>(&self, task: F) -> Option<tokio::task::AbortHandle>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.runtime.as_ref().map(|runtime| runtime.spawn(task).abort_handle())
    }

    pub(crate) fn object(&self, address: &Address) -> Result<Object, RemoteError> {
        let setup =
            |error: &dyn std::fmt::Display| RemoteError::new(address, RemoteFault::Setup(error.to_string()));
        match address {
            Address::Http(url) => {
                // The whole URL is the store's, so that its path and query stay as they were written.
                let store = HttpBuilder::new()
                    .with_url(url.0.as_str())
                    .with_retry(no_retry())
                    .with_http_connector(self.0.service.clone())
                    .build()
                    .map_err(|error| setup(&error))?;
                Ok(Object {
                    store: Arc::new(store),
                    path: Path::default(),
                    address: address.to_string(),
                    signed: None,
                })
            }
            Address::S3 { bucket, key } => {
                let path = Path::parse(key).map_err(|error| setup(&error))?;
                let (store, signed) = self.bucket(bucket).map_err(|error| setup(&error))?;
                Ok(Object { store, path, address: address.to_string(), signed: Some(signed) })
            }
            Address::File(_) | Address::StandardInput => {
                Err(RemoteError::new(address, RemoteFault::Address("this is no URL".into())))
            }
        }
    }

    fn bucket(&self, name: &str) -> Result<(Arc<dyn ObjectStore>, bool), object_store::Error> {
        let variables = self.0.options.s3.variables();
        let environment = S3Environment::read(&|name| variables.get(name).cloned());
        let mut buckets = self.0.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(store) = buckets.get(name) {
            return Ok((store.clone(), environment.signed));
        }
        let mut builder = AmazonS3Builder::new();
        for (variable, value) in &variables {
            if let Ok(key) = variable.to_ascii_lowercase().parse() {
                builder = builder.with_config(key, value);
            }
        }
        builder = builder
            .with_bucket_name(name)
            .with_retry(no_retry())
            .with_client_options(ClientOptions::new().with_allow_http(true))
            .with_skip_signature(!environment.signed)
            .with_http_connector(self.0.service.clone());
        if let Some(endpoint) = environment.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let store: Arc<dyn ObjectStore> = Arc::new(builder.build()?);
        buckets.insert(name.to_owned(), store.clone());
        Ok((store, environment.signed))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which an async caller must not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// This crate retries itself, since only it knows how far reading has come.
fn no_retry() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// What the environment says of S3 that `object_store` does not read itself.
#[derive(Debug, PartialEq)]
struct S3Environment {
    endpoint: Option<String>,
    signed: bool,
}

impl S3Environment {
    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let yes = |name: &str| {
            variable(name)
                .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))
        };
        let keys = set("AWS_ACCESS_KEY_ID")
            || set("AWS_WEB_IDENTITY_TOKEN_FILE")
            || set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
            || set("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let role = || !yes("AWS_EC2_METADATA_DISABLED") && (set("AWS_METADATA_ENDPOINT") || is_ec2());
        let unsigned = yes("AWS_SKIP_SIGNATURE") || yes("AWS_NO_SIGN_REQUEST");
        Self {
            endpoint: variable("AWS_ENDPOINT_URL_S3").filter(|url| !url.is_empty()),
            signed: !unsigned && (keys || role()),
        }
    }
}

/// Whether this machine is one of Amazon EC2, by what its firmware says of the vendor. Asking the network
/// would hang everywhere else.
fn is_ec2() -> bool {
    std::fs::read_to_string("/sys/devices/virtual/dmi/id/sys_vendor")
        .is_ok_and(|vendor| vendor.starts_with("Amazon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> S3Environment {
        let fixed = [("AWS_EC2_METADATA_DISABLED", "true")];
        S3Environment::read(&|name| {
            variables.iter().chain(&fixed).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn signs_where_there_are_keys_and_nothing_forbids_it() {
        assert!(!environment(&[]).signed);
        assert!(!environment(&[("AWS_ACCESS_KEY_ID", "")]).signed);
        assert!(environment(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]).signed);
        assert!(environment(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/a")]).signed);
        for name in ["AWS_SKIP_SIGNATURE", "AWS_NO_SIGN_REQUEST"] {
            assert!(!environment(&[("AWS_ACCESS_KEY_ID", "a"), (name, "TRUE")]).signed);
        }
        let endpoint = environment(&[("AWS_ENDPOINT_URL_S3", "http://localhost:5000")]).endpoint;
        assert_eq!(endpoint.as_deref(), Some("http://localhost:5000"));
    }
}

//! The client: stores, and one thread for all input and output.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use tokio::runtime::Runtime;

use crate::address::Address;
use crate::config::RemoteConfig;
use crate::error::{Cause, Error, RemoteError, RemoteFault};
use crate::service::Service;

/// Reads objects over `https://`, `http://` and `s3://`, and local files in the same way.
///
/// A clone is another handle to the same client. The client's own thread does all input and output, so the blocking
/// functions work on any thread.
///
/// S3 is configured by the usual environment variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
/// `AWS_SESSION_TOKEN`; `AWS_REGION` or `AWS_DEFAULT_REGION` (`us-east-1` without either);
/// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` for services other than Amazon's (also `http://`);
/// `AWS_VIRTUAL_HOSTED_STYLE_REQUEST`; web identity and container credentials. Without any keys, or with
/// `AWS_SKIP_SIGNATURE=true`, requests are not signed, as public buckets expect. On an Amazon EC2 machine the keys of
/// its role are used.
#[derive(Debug, Clone)]
pub struct Remote(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: RemoteConfig,
    service: Service,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    runtime: Option<Runtime>,
}

/// An object of a store.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    /// The address for messages.
    pub(crate) address: String,
    /// Whether requests are signed; `None` for plain HTTP.
    pub(crate) signed: Option<bool>,
}

impl Remote {
    /// Creates a client.
    ///
    /// # Errors
    /// [`Error::Remote`] if the thread or the TLS client cannot be created.
    pub fn new(config: RemoteConfig) -> Result<Self, Error> {
        let setup = |cause: Cause| RemoteError::new("the HTTP client", RemoteFault::Setup(cause));
        // Fails if another part of the program has installed a provider already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("tsumugi-warc-remote/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.idle())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| setup(Arc::new(error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tsumugi-remote")
            .enable_all()
            .build()
            .map_err(|error| setup(Arc::new(error)))?;
        let service = Service { client };
        Ok(Self(Arc::new(Inner { config, service, buckets: Mutex::default(), runtime: Some(runtime) })))
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
            |error: object_store::Error| RemoteError::new(address, RemoteFault::Setup(Arc::new(error)));
        match address {
            Address::Http(url) => {
                // The whole URL is the store's base, so that its path and query stay as they were written.
                let store = HttpBuilder::new()
                    .with_url(url.0.as_str())
                    .with_retry(no_retry())
                    .with_http_connector(self.0.service.clone())
                    .build()
                    .map_err(setup)?;
                Ok(Object {
                    store: Arc::new(store),
                    path: Path::default(),
                    address: address.to_string(),
                    signed: None,
                })
            }
            Address::S3 { bucket, key } => {
                let path = Path::parse(key)
                    .map_err(|error| RemoteError::new(address, RemoteFault::invalid_key(error)))?;
                let (store, signed) = self.bucket(bucket).map_err(setup)?;
                Ok(Object { store, path, address: address.to_string(), signed: Some(signed) })
            }
            Address::File(_) | Address::StandardInput => Err(RemoteError::new(
                address,
                RemoteFault::Address { reason: "this is not a URL", source: None },
            )),
        }
    }

    fn bucket(&self, name: &str) -> Result<(Arc<dyn ObjectStore>, bool), object_store::Error> {
        let variables = self.0.config.s3.variables();
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

/// This crate retries itself, because only it knows how far it has read.
fn no_retry() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// Settings of S3 that `object_store` does not read from the environment itself.
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

/// Whether this machine is an Amazon EC2 instance, by the vendor that its firmware reports. Asking the network would
/// hang everywhere else.
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
    fn signs_requests_if_there_are_keys_and_nothing_forbids_it() {
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

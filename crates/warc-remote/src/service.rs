//! The HTTP client below the object stores. It notes what `object_store` does not report about an answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use http::{HeaderValue, Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use tsumugi_robots::requested_wait;

/// The last answer to a request; travels with the request as an extension.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen(Arc<Mutex<Answer>>);

/// Facts of an answer.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    /// Code of an S3 error.
    pub(crate) code: Option<String>,
    /// Region of the bucket, as S3 reports it.
    pub(crate) region: Option<String>,
    /// The answer does not report the length of the object.
    pub(crate) unknown_length: bool,
    /// Why there is no answer.
    pub(crate) failure: Option<Arc<HttpError>>,
    pub(crate) timed_out: bool,
}

impl Seen {
    pub(crate) fn answer(&self) -> Answer {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn set(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = answer;
    }
}

/// The HTTP client that all stores share.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) client: reqwest::Client,
}

impl HttpConnector for Service {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    fn call<'s, 'a>(&'s self, request: HttpRequest) -> Answering<'a>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(self.answer(request))
    }
}

impl Service {
    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let seen = request.extensions().get::<Seen>().cloned();
        let get = request.method() == Method::GET || request.method() == Method::HEAD;
        // The bytes must arrive as they are stored: a content coding would hide their length and offsets.
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let result = HttpService::call(&self.client, request).await;
        let Some(seen) = seen else { return result };
        match result {
            Ok(response) => note(response, &seen, get).await,
            Err(error) => {
                // The store's own error would name the URL, which may hold keys; this one does not.
                let (kind, error) = (error.kind(), Arc::new(error));
                let timed_out = kind == HttpErrorKind::Timeout;
                seen.set(Answer { failure: Some(error.clone()), timed_out, ..Answer::default() });
                Err(HttpError::new(kind, error))
            }
        }
    }
}

/// Notes an answer.
async fn note(response: HttpResponse, seen: &Seen, get: bool) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let mut answer = Answer {
        status: Some(parts.status.as_u16()),
        retry_after: requested_wait(header, SystemTime::now()),
        region: parts.headers.get("x-amz-bucket-region").and_then(|v| v.to_str().ok()).map(str::to_owned),
        ..Answer::default()
    };
    if get && parts.status.is_success() && !parts.headers.contains_key(CONTENT_LENGTH) {
        // The store refuses answers without a length. Nothing reads this one: a partial answer reports its length in
        // Content-Range.
        answer.unknown_length = parts.status == StatusCode::OK;
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        seen.set(answer);
        return Ok(HttpResponse::from_parts(parts, body));
    }
    // Noted before reading the body, because that may fail.
    seen.set(answer.clone());
    let bytes = body.bytes().await?;
    answer.code = s3_code(&String::from_utf8_lossy(&bytes));
    seen.set(answer);
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

/// The element `Code` of an S3 error. The rest may contain keys and is discarded.
fn s3_code(xml: &str) -> Option<String> {
    let (_, rest) = xml.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (code.len() < 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_the_code_of_an_s3_error() {
        let xml = "<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>";
        assert_eq!(s3_code(xml).as_deref(), Some("InvalidAccessKeyId"));
        assert_eq!(s3_code("<html>403</html>"), None);
        assert_eq!(s3_code("<Code>not a code: AKIA</Code>"), None);
    }
}

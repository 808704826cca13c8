//! The HTTP client below the object stores: what `object_store` does not tell of an answer is noted here.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService};

/// What was seen of the last answer to a request; travels with the request as an extension.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen(Arc<Mutex<Answer>>);

/// Facts of an answer.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    /// Code of an S3 error.
    pub(crate) code: Option<String>,
    /// Region that S3 says the bucket is in.
    pub(crate) region: Option<String>,
    /// The answer does not tell how long the object is.
    pub(crate) unknown_length: bool,
    /// Why there is no answer.
    pub(crate) failure: Option<String>,
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

/// A client that all stores share.
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
        // Bytes are wanted as they are stored: packed on the way they would have neither length nor offsets.
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let result = HttpService::call(&self.client, request).await;
        let Some(seen) = seen else { return result };
        match result {
            Ok(response) => note(response, &seen, get).await,
            Err(error) => {
                let timed_out = error.kind() == object_store::client::HttpErrorKind::Timeout;
                seen.set(Answer { failure: Some(causes(&error)), timed_out, ..Answer::default() });
                Err(error)
            }
        }
    }
}

/// Notes what an answer says.
async fn note(response: HttpResponse, seen: &Seen, get: bool) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let mut answer = Answer {
        status: Some(parts.status.as_u16()),
        retry_after: retry_after(&parts.headers),
        region: parts.headers.get("x-amz-bucket-region").and_then(|v| v.to_str().ok()).map(str::to_owned),
        ..Answer::default()
    };
    if get && parts.status.is_success() && !parts.headers.contains_key(CONTENT_LENGTH) {
        // The store refuses answers without a length. This one is never looked at; that of a part tells it elsewhere.
        answer.unknown_length = parts.status == StatusCode::OK;
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        seen.set(answer);
        return Ok(HttpResponse::from_parts(parts, body));
    }
    // Noted before the body is read: reading it may fail.
    seen.set(answer.clone());
    let bytes = body.bytes().await?;
    answer.code = s3_code(&String::from_utf8_lossy(&bytes));
    seen.set(answer);
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

/// `Retry-After` in seconds. Its other form, a date, is rare; the usual back-off serves then.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The element `Code` of an S3 error. The rest of it may tell of keys and is not taken.
fn s3_code(xml: &str) -> Option<String> {
    let (_, rest) = xml.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (code.len() < 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| code.to_owned())
}

/// The messages of an error and its causes. The client leaves URLs out of them.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut messages: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = error.to_string();
        match messages.last() {
            // Many errors repeat their cause.
            Some(last) if last.contains(&message) => {}
            _ => messages.push(message),
        }
        next = error.source();
    }
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_code_and_nothing_else_of_an_s3_error() {
        let xml = "<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>";
        assert_eq!(s3_code(xml).as_deref(), Some("InvalidAccessKeyId"));
        assert_eq!(s3_code("<html>403</html>"), None);
        assert_eq!(s3_code("<Code>not a code: AKIA</Code>"), None);
    }
}

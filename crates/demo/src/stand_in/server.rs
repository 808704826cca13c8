//! The HTTP side, on a thread of its own.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread::JoinHandle;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{MODEL, reply};
use crate::Error;

/// The server; it stops when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts the server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error::Io`] where no port or thread is to be had.
    pub fn start() -> Result<Self, Error> {
        let place = Path::new("127.0.0.1");
        let io = |error| Error::io("starting the stand-in server", place)(error);
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("stand-in".into())
            .spawn(move || runtime.block_on(serve(listener, stopped)))
            .map_err(io)?;
        Ok(Self { base_url: format!("http://{address}/v1"), stop: Some(stop), thread: Some(thread) })
    }

    /// What to give as base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // The thread may have ended by itself; either way it is gone after this.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            if let Err(error) = connection.await {
                // The client hung up; nobody is left to tell.
                drop(error);
            }
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let (status, value) = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/v1/models") => (
            200,
            json!({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "tsumugi"}]}),
        ),
        (&Method::POST, "/v1/chat/completions") => match body.collect().await {
            Ok(body) => completion(&body.to_bytes()),
            Err(error) => failure(400, &format!("the body could not be read: {error}")),
        },
        (_, path) => failure(404, &format!("the stand-in has no {path}")),
    };
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

fn failure(status: u16, message: &str) -> (u16, Value) {
    (
        status,
        json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}

fn completion(body: &[u8]) -> (u16, Value) {
    let request: Value = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return failure(400, &format!("the request is not JSON: {error}")),
    };
    let asked = reply::Asked::read(&request);
    let text = reply::reply(&asked).unwrap_or_else(|error| error.to_string());
    let (prompt, completion) = (asked.tokens(), text.chars().count() as u64);
    let value = json!({
        "id": "stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": null},
            "finish_reason": "stop"
        }],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    });
    (200, value)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    fn exchange(server: &StandIn, head: &str, body: &str) -> String {
        let address = server.base_url().trim_start_matches("http://").trim_end_matches("/v1");
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn every_answer_is_well_formed_and_named() {
        let server = StandIn::start().unwrap();
        assert!(exchange(&server, "GET /v1/models", "").contains(MODEL));
        let answer = exchange(
            &server,
            "POST /v1/chat/completions",
            r#"{"messages":[{"role":"user","content":"やあ"}]}"#,
        );
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(MODEL), "{answer}");
        assert!(exchange(&server, "POST /v1/chat/completions", "{").starts_with("HTTP/1.1 400"));
        assert!(exchange(&server, "GET /v1/files", "").starts_with("HTTP/1.1 404"));
        let address = server.base_url().to_owned();
        drop(server);
        assert!(TcpStream::connect(address.trim_start_matches("http://").trim_end_matches("/v1")).is_err());
    }
}

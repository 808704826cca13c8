//! A loopback server whose answers a test writes: one closure from the number of the request and its body to an answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the server does with one request.
pub(crate) enum Answer {
    /// Status, headers, body.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// Answers after a while.
    Later(Duration, Box<Answer>),
    /// Begins a body and closes the connection.
    Cut,
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    pub(crate) raw: Bytes,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base_url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) most_at_once: Arc<AtomicUsize>,
}

/// A good reply with that text.
pub(crate) fn good(text: &str) -> Answer {
    let body = json!({
        "id": "x", "object": "chat.completion", "model": "loopback-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    });
    Answer::Reply(200, vec![], body.to_string())
}

/// An error in OpenAI's shape.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::Reply(
        status,
        vec![],
        json!({"error": {"message": message, "type": code, "param": null, "code": code}}).to_string(),
    )
}

impl Server {
    /// Starts it on a free port of the running runtime; it lives as long as the runtime.
    pub(crate) async fn start(answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_raw(move |number, seen| answer(number, &seen.body)).await
    }

    /// The same with all that was seen of the request.
    pub(crate) async fn start_raw(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            base_url: format!("http://{}/v1", listener.local_addr().unwrap()),
            seen: Arc::default(),
            most_at_once: Arc::default(),
        };
        let (answer, state, now) = (Arc::new(answer), server.clone(), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, state, now) = (answer.clone(), state.clone(), now.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        let (answer, state, now) = (answer.clone(), state.clone(), now.clone());
                        async move {
                            let here = now.fetch_add(1, Ordering::SeqCst) + 1;
                            state.most_at_once.fetch_max(here, Ordering::SeqCst);
                            let result = serve(request, &state, answer.as_ref()).await;
                            now.fetch_sub(1, Ordering::SeqCst);
                            result
                        }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        server
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Seconds between the first and the second request.
    pub(crate) fn gap(&self) -> f64 {
        let seen = self.seen.lock().unwrap();
        (seen[1].at - seen[0].at).as_secs_f64()
    }
}

type Body = http_body_util::Either<Full<Bytes>, http_body_util::channel::Channel<Bytes, std::io::Error>>;

async fn serve(
    request: Request<Incoming>,
    server: &Server,
    answer: &(impl Fn(usize, &Seen) -> Answer + Send + Sync),
) -> Result<Response<Body>, std::io::Error> {
    let (method, path) = (request.method().clone(), request.uri().to_string());
    let authorization =
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
    let seen = Seen {
        at: Instant::now(),
        method: method.to_string(),
        path,
        authorization,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        raw: body,
    };
    let number = {
        let mut all = server.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    let mut answer = answer(number, &seen);
    while let Answer::Later(wait, inner) = answer {
        tokio::time::sleep(wait).await;
        answer = *inner;
    }
    match answer {
        Answer::Reply(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Body::Left(Full::new(body.into()))).unwrap())
        }
        Answer::Cut => {
            let (mut sender, channel) = http_body_util::channel::Channel::new(4);
            tokio::spawn(async move {
                let _ = sender.send_data(Bytes::from_static(b"{\"choices\":[{\"mess")).await;
                sender.abort(std::io::Error::other("cut"));
            });
            Ok(Response::new(Body::Right(channel)))
        }
        Answer::Later(..) => unreachable!(),
    }
}

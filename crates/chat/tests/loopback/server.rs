//! The loopback server of these tests: one closure from the number of a request and its body to an answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tsumugi_testkit::{Reply, chat};

/// What the server does with one request.
pub(crate) enum Answer {
    /// Status, headers, body.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// Answers after a while.
    Later(Duration, Box<Answer>),
    /// Starts a body and closes the connection.
    Cut,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Reply(status, headers, body) => headers
                .into_iter()
                .fold(Reply::new(status, body), |reply, (name, value)| reply.header(name, &value)),
            Answer::Later(delay, answer) => Reply::from(*answer).delay(delay),
            Answer::Cut => Reply::new(200, "{\"choices\":[{\"mess").claim_length(1000),
        }
    }
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    pub(crate) raw: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base_url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    server: tsumugi_testkit::Server,
}

/// A good reply with that text.
pub(crate) fn good(text: &str) -> Answer {
    Answer::Reply(200, vec![], chat::completion_body(text))
}

/// An error in OpenAI's format.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::Reply(status, vec![], chat::error_body(code, message))
}

impl Server {
    /// Starts it on a free port.
    pub(crate) async fn start(answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_raw(move |number, seen| answer(number, &seen.body)).await
    }

    /// The same with all that was seen of the request.
    pub(crate) async fn start_raw(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let log = seen.clone();
        let server = tsumugi_testkit::Server::start(move |request| {
            let one = Seen {
                at: request.at,
                method: request.method.clone(),
                path: request.target.clone(),
                authorization: request.header("authorization").map(str::to_owned),
                body: request.json(),
                raw: request.body.clone(),
            };
            let number = {
                let mut all = log.lock().unwrap();
                all.push(one.clone());
                all.len() - 1
            };
            answer(number, &one).into()
        });
        Self { base_url: server.url("v1"), seen, server }
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The largest number of requests that were answered at the same time.
    pub(crate) fn most_concurrent(&self) -> usize {
        self.server.most_concurrent()
    }

    /// Seconds between the first and the second request.
    pub(crate) fn gap(&self) -> f64 {
        let seen = self.seen.lock().unwrap();
        (seen[1].at - seen[0].at).as_secs_f64()
    }
}

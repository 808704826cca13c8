//! A loopback server that answers chat requests by a closure.

use serde_json::Value;
use tsumugi_testkit::chat;

/// Status and text of a reply.
pub(crate) type Reply = (u16, String);

pub(crate) struct Server {
    pub(crate) url: String,
    server: tsumugi_testkit::Server,
}

impl Server {
    /// Serves on a free port until the process ends. `answer` gets the number of the request and its body.
    pub(crate) fn start(
        answer: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let server =
            tsumugi_testkit::Server::start(move |request| match answer(request.number, &request.json()) {
                (200, text) => chat::completion(&text),
                (status, text) => chat::error(status, "invalid_request_error", &text),
            });
        Ok(Self { url: server.url("v1"), server })
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.server.count()
    }
}

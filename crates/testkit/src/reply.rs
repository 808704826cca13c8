//! Replies and the ways in which they can go wrong.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::request::Request;

/// Bytes of a chunk of the chunked transfer coding.
const CHUNK: usize = 10_000;
/// How long a stalled connection stays open.
const STALL: Duration = Duration::from_secs(60);

/// A reply of a [`Server`](crate::Server).
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Arc<Vec<u8>>,
    ranges: bool,
    chunked: bool,
    claimed_length: Option<u64>,
    cut: Option<usize>,
    stall: Option<usize>,
    delay: Duration,
    pace: Pace,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Once,
    Drip(Duration),
    Endless,
}

impl Reply {
    /// A reply with this status and body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, Arc::new(body.into()))
    }

    /// A stored object: all of it, or the range that is requested.
    #[must_use]
    pub fn object(bytes: &Arc<Vec<u8>>) -> Self {
        Self { ranges: true, ..Self::of(200, bytes.clone()) }
    }

    fn of(status: u16, body: Arc<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            ranges: false,
            chunked: false,
            claimed_length: None,
            cut: None,
            stall: None,
            delay: Duration::ZERO,
            pace: Pace::Once,
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds an `ETag`.
    #[must_use]
    pub fn etag(self, etag: &str) -> Self {
        self.header("ETag", etag)
    }

    /// Sends the whole object even if a range is requested.
    #[must_use]
    pub fn ignore_range(mut self) -> Self {
        self.ranges = false;
        self
    }

    /// Sends the body in chunks, without `Content-Length`.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Claims this `Content-Length`, whatever the body's length, and closes the connection after the body.
    #[must_use]
    pub fn claim_length(mut self, length: u64) -> Self {
        self.claimed_length = Some(length);
        self
    }

    /// Closes the connection after this many bytes of the body.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// Sends nothing more after this many bytes of the body, and keeps the connection open.
    #[must_use]
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.stall = Some(bytes);
        self
    }

    /// Waits before replying.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body byte by byte with this pause after each.
    #[must_use]
    pub fn drip(mut self, pause: Duration) -> Self {
        self.pace = Pace::Drip(pause);
        self
    }

    /// Sends the body again and again, in chunks, until the client closes the connection.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.pace = Pace::Endless;
        self.chunked = true;
        self
    }

    /// Sends the reply. Returns whether the connection can serve another request.
    pub(crate) fn send(
        &self,
        request: &Request,
        stream: &mut TcpStream,
        sent: &AtomicUsize,
    ) -> std::io::Result<bool> {
        std::thread::sleep(self.delay);
        let (head, body) = self.render(request);
        stream.write_all(head.as_bytes())?;
        let stays = self.stays();
        if request.method == "HEAD" {
            return Ok(stays);
        }
        let end = self.cut.or(self.stall).unwrap_or(usize::MAX).min(body.len());
        let body = &body[..end];
        match self.pace {
            Pace::Once if !self.chunked => send_all(stream, body, sent)?,
            Pace::Once => {
                send_chunks(stream, body, sent)?;
                if self.cut.is_none() {
                    stream.write_all(b"0\r\n\r\n")?;
                }
            }
            Pace::Drip(pause) => {
                for byte in body {
                    send_all(stream, &[*byte], sent)?;
                    std::thread::sleep(pause);
                }
            }
            Pace::Endless => loop {
                send_chunks(stream, body, sent)?;
            },
        }
        if self.stall.is_some() {
            std::thread::sleep(STALL);
        }
        Ok(stays)
    }

    /// The head of the reply to a request, and the part of the body that it asks for.
    fn render(&self, request: &Request) -> (String, &[u8]) {
        let length = self.body.len();
        let range = request.range().filter(|_| self.status == 200 && self.ranges);
        let (status, body) = match range {
            None => (self.status, &self.body[..]),
            Some((first, _)) if first >= length => (416, &b""[..]),
            Some((first, last)) => {
                (206, &self.body[first..last.map_or(length, |last| (last + 1).min(length))])
            }
        };
        let mut head = format!("HTTP/1.1 {status} X\r\n");
        if let (206, Some((first, _))) = (status, range) {
            head += &format!("Content-Range: bytes {first}-{}/{length}\r\n", first + body.len() - 1);
        }
        if self.chunked {
            head += "Transfer-Encoding: chunked\r\n";
        } else {
            head += &format!("Content-Length: {}\r\n", self.claimed_length.unwrap_or(body.len() as u64));
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.stays() {
            head += "Connection: close\r\n";
        }
        (head + "\r\n", body)
    }

    /// Whether the connection can serve another request after this reply.
    fn stays(&self) -> bool {
        self.cut.is_none() && self.claimed_length.is_none()
    }
}

fn send_all(stream: &mut TcpStream, bytes: &[u8], sent: &AtomicUsize) -> std::io::Result<()> {
    stream.write_all(bytes)?;
    sent.fetch_add(bytes.len(), Ordering::SeqCst);
    Ok(())
}

fn send_chunks(stream: &mut TcpStream, body: &[u8], sent: &AtomicUsize) -> std::io::Result<()> {
    for chunk in body.chunks(CHUNK) {
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        send_all(stream, &framed, sent)?;
    }
    Ok(())
}

//! The server: one thread per connection.

use std::collections::HashMap;
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::reply::Reply;
use crate::request::{Request, read_body, read_head};

/// An HTTP/1.1 server on a free port of this machine. It runs until the process ends.
#[derive(Debug, Clone)]
pub struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    log: Mutex<Log>,
    concurrent: AtomicUsize,
    most_concurrent: AtomicUsize,
    bytes_sent: AtomicUsize,
    connections: AtomicUsize,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    /// Number of requests by host and target.
    counts: HashMap<(String, String), usize>,
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

impl Server {
    /// Starts a server on 127.0.0.1. `answer` returns the reply to a request.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", answer)
    }

    /// Starts a server on this address of the machine; `0.0.0.0` takes all of 127.0.0.0/8.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn start_at(ip: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("the listener has an address"),
            seen: Arc::default(),
        };
        let (answer, seen): (Arc<Answer>, _) = (Arc::new(answer), server.seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let (answer, seen) = (answer.clone(), seen.clone());
                // A client that closes the connection ends its thread, which is not a failure of the test.
                std::thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        server
    }

    /// `http://HOST:PORT`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `HOST:PORT` of the server.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://HOST:PORT/PATH`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}/{}", self.base(), path.trim_start_matches('/'))
    }

    /// `http://HOST:PORT/PATH` with another name for the host.
    #[must_use]
    pub fn url_of(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}/{}", self.port(), path.trim_start_matches('/'))
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.seen.log().requests.clone()
    }

    /// The number of requests so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seen.log().requests.len()
    }

    /// The number of requests for a target (path and query) at a host.
    #[must_use]
    pub fn count_of(&self, host: &str, target: &str) -> usize {
        self.seen.log().counts.get(&(host.to_owned(), target.to_owned())).copied().unwrap_or(0)
    }

    /// The largest number of requests that were answered at the same time.
    #[must_use]
    pub fn most_concurrent(&self) -> usize {
        self.seen.most_concurrent.load(Ordering::SeqCst)
    }

    /// Connections opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Bytes of bodies sent so far.
    #[must_use]
    pub fn bytes_sent(&self) -> usize {
        self.seen.bytes_sent.load(Ordering::SeqCst)
    }
}

impl Seen {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A port of 127.0.0.1 on which nothing listens: it was free a moment ago.
///
/// # Panics
/// If there is no free port.
#[must_use]
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("the listener has an address").port()
}

/// Serves requests of a connection until it ends.
fn serve(stream: TcpStream, seen: &Seen, answer: &Answer) {
    // A reply goes out in several writes; none of them should wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(request) = receive(&mut reader, seen) {
        let concurrent = seen.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_concurrent.fetch_max(concurrent, Ordering::SeqCst);
        let close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let result = answer(&request).send(&request, reader.get_mut(), &seen.bytes_sent);
        seen.concurrent.fetch_sub(1, Ordering::SeqCst);
        if close || !result.unwrap_or(false) {
            return;
        }
    }
}

fn receive(reader: &mut BufReader<TcpStream>, seen: &Seen) -> Option<Request> {
    let (first, headers) = read_head(reader)?;
    let body = read_body(reader, &headers)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = Request { number: 0, repeat: 0, at: Instant::now(), method, target, headers, body };
    let mut log = seen.log();
    request.number = log.requests.len();
    let count = log.counts.entry((request.host().to_owned(), request.target.clone())).or_default();
    request.repeat = *count;
    *count += 1;
    log.requests.push(request.clone());
    Some(request)
}

//! A small HTTP server on loopback that misbehaves as told: it cuts connections, ignores ranges, stalls and lies.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// First and last byte asked for.
    pub(crate) fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    object: Arc<Vec<u8>>,
    headers: Vec<(String, String)>,
    ignore_range: bool,
    chunked: bool,
    /// Bytes of the body after which the connection is closed.
    cut: Option<usize>,
    /// Bytes of the body after which nothing comes any more.
    stall: Option<usize>,
}

impl Reply {
    /// The object, or the range of it that is asked for.
    pub(crate) fn object(bytes: &Arc<Vec<u8>>) -> Self {
        Self {
            status: 200,
            object: bytes.clone(),
            headers: Vec::new(),
            ignore_range: false,
            chunked: false,
            cut: None,
            stall: None,
        }
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self { status, ..Self::object(&Arc::new(body.as_bytes().to_vec())) }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn etag(self, etag: &str) -> Self {
        self.header("ETag", etag)
    }

    pub(crate) fn ignore_range(mut self) -> Self {
        self.ignore_range = true;
        self
    }

    /// Without Content-Length.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    pub(crate) fn stall(mut self, bytes: usize) -> Self {
        self.stall = Some(bytes);
        self
    }

    fn send(&self, request: &Request, stream: &mut TcpStream) -> std::io::Result<()> {
        let length = self.object.len();
        let range = request.range().filter(|_| self.status == 200 && !self.ignore_range);
        let (status, body) = match range {
            None => (self.status, &self.object[..]),
            Some((first, _)) if first >= length => (416, &b""[..]),
            Some((first, last)) => {
                (206, &self.object[first..last.map_or(length, |last| (last + 1).min(length))])
            }
        };
        let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
        if let (206, Some((first, _))) = (status, range) {
            head += &format!("Content-Range: bytes {first}-{}/{length}\r\n", first + body.len() - 1);
        }
        head += &if self.chunked {
            "Transfer-Encoding: chunked\r\n".into()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if request.method == "HEAD" {
            return Ok(());
        }
        let end = self.cut.or(self.stall).unwrap_or(usize::MAX).min(body.len());
        for part in body[..end].chunks(10_000) {
            if self.chunked {
                stream.write_all(format!("{:x}\r\n", part.len()).as_bytes())?;
            }
            stream.write_all(part)?;
            if self.chunked {
                stream.write_all(b"\r\n")?;
            }
        }
        if self.chunked && self.cut.is_none() {
            stream.write_all(b"0\r\n\r\n")?;
        }
        if self.stall.is_some() {
            std::thread::sleep(Duration::from_secs(60));
        }
        Ok(())
    }
}

/// The server. It lives as long as the test.
pub(crate) struct Server {
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, seen) = (answer.clone(), seen.clone());
                std::thread::spawn(move || {
                    if let Ok(mut stream) = stream
                        && let Some(request) = read_request(&stream, &seen)
                    {
                        // A client that has enough closes the connection.
                        let _ = answer(&request).send(&request, &mut stream);
                    }
                });
            }
        });
        Self { base, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream, seen: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        })
        .collect();
    let mut seen = seen.lock().unwrap();
    let request = Request { number: seen.len(), method, target, headers };
    seen.push(request.clone());
    Some(request)
}

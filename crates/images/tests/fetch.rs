//! The fetcher against a server on this machine that does what strangers' servers do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tsumugi_images::fetch::{Answer, Fetcher, HeaderMap, HttpConfig, Lookup, Refusal};

/// What the server was asked for, and how it went.
#[derive(Default)]
struct Seen {
    asked: Mutex<HashMap<String, usize>>,
    heads: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    body_bytes: AtomicUsize,
}

struct Server {
    at: SocketAddr,
    seen: Arc<Seen>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (at, seen) = (listener.local_addr().unwrap(), Arc::<Seen>::default());
        let server = Self { at, seen: seen.clone() };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = seen.clone();
                tokio::spawn(async move {
                    // A client that goes away is no fault of the server.
                    let _ = serve(stream, &seen).await;
                });
            }
        });
        server
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.at.port())
    }

    fn asked(&self, host: &str, path: &str) -> usize {
        let key = format!("{host}:{}{path}", self.at.port());
        self.seen.asked.lock().unwrap().get(&key).copied().unwrap_or(0)
    }
}

async fn serve(stream: TcpStream, seen: &Seen) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        let count = {
            let mut asked = seen.asked.lock().unwrap();
            let count = asked.entry(format!("{host}{path}")).or_default();
            *count += 1;
            *count
        };
        seen.heads.lock().unwrap().push(head);
        let now = seen.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_at_once.fetch_max(now, Ordering::SeqCst);
        let goes_on = reply(&mut stream, seen, &host, &path, count).await;
        seen.at_once.fetch_sub(1, Ordering::SeqCst);
        if !goes_on? {
            return Ok(());
        }
    }
}

/// Answers, and says whether the connection stays.
async fn reply(
    stream: &mut BufReader<TcpStream>,
    seen: &Seen,
    host: &str,
    path: &str,
    count: usize,
) -> std::io::Result<bool> {
    let port = host.rsplit(':').next().unwrap_or_default();
    let whole = |status: &str, more: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let redirect = |target: &str| whole("302 Found", &format!("Location: {target}\r\n"), "");
    let text = match path {
        "/robots.txt" if host.starts_with("closed") => {
            whole("200 OK", "", "User-agent: *\nDisallow: /private/\n")
        }
        "/robots.txt" if host.starts_with("broken") => whole("503 Service Unavailable", "", ""),
        "/robots.txt" => whole("404 Not Found", "", ""),
        "/circle" => redirect("/circle2"),
        "/circle2" => redirect("/circle"),
        "/moved" => redirect("/a.png"),
        "/moved-out" => redirect("http://169.254.169.254/latest/meta-data"),
        "/moved-home" => redirect(&format!("http://private.test:{port}/a.png")),
        "/moved-closed" => redirect(&format!("http://closed.test:{port}/private/a.png")),
        "/moved-file" => redirect("file:///etc/passwd"),
        "/moved-far" => redirect(&format!("/hop/{}", 30)),
        "/gone" => whole("410 Gone", "", ""),
        "/later" if count == 1 => whole("429 Too Many Requests", "Retry-After: 1\r\n", ""),
        "/much-later" => whole("503 Service Unavailable", "Retry-After: 86400\r\n", ""),
        "/sometimes" if count < 3 => whole("500 Internal Server Error", "", ""),
        "/packed" => whole("200 OK", "Content-Encoding: gzip\r\n", "xxxx"),
        "/says-much" => "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".to_owned(),
        "/says-little" => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npicture".to_owned(),
        "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npic".to_owned(),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            return Ok(false);
        }
        "/slow-body" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npic").await?;
            tokio::time::sleep(Duration::from_secs(30)).await;
            return Ok(false);
        }
        "/drips" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b".").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        "/endless" | "/opted-out" => {
            let optout = if path == "/opted-out" { "X-Robots-Tag: noai\r\n" } else { "" };
            stream
                .write_all(
                    format!("HTTP/1.1 200 OK\r\n{optout}Transfer-Encoding: chunked\r\n\r\n").as_bytes(),
                )
                .await?;
            let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
                seen.body_bytes.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
        "/large" => whole("200 OK", "", &"x".repeat(3 << 20)),
        "/linger" => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            whole("200 OK", "", "picture")
        }
        _ => whole("200 OK", "ETag: \"1\"\r\n", "picture"),
    };
    stream.write_all(text.as_bytes()).await?;
    Ok(!matches!(path, "/cut" | "/says-little" | "/says-much"))
}

/// Every name under `.test` is this machine.
struct Local;

impl Lookup for Local {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        let known = host.ends_with(".test") && host != "unknown.test";
        Box::pin(async move {
            if known {
                Ok(vec![Ipv4Addr::LOCALHOST.into()])
            } else {
                Err(std::io::Error::other("no such name"))
            }
        })
    }
}

fn config() -> HttpConfig {
    HttpConfig {
        private_hosts: ["a.test", "closed.test", "broken.test"].map(String::from).to_vec(),
        max_bytes: 1 << 20,
        first_wait_ms: 10,
        longest_wait_ms: 2_000,
        idle_ms: 300,
        whole_ms: 1_000,
        ..HttpConfig::default()
    }
}

fn fetcher(config: HttpConfig) -> Fetcher {
    Fetcher::with_lookup(config, Arc::new(Local)).unwrap()
}

async fn fetch(fetcher: &Fetcher, url: &str) -> Answer {
    let by_head = |head: &HeaderMap| head.contains_key("x-robots-tag").then(|| "opt_out_header".to_owned());
    fetcher.fetch(url, &by_head).await
}

#[tokio::test]
async fn every_fault_has_its_reason() {
    let server = Server::start().await;
    let fetcher = fetcher(config());
    for (path, reason, requests) in [
        ("/a.png", "", 1),
        ("/moved", "", 2),
        ("/later", "", 2),
        ("/sometimes", "", 3),
        ("/circle", "too_many_redirects", 11),
        ("/moved-out", "private_address", 1),
        ("/moved-home", "private_address", 1),
        ("/moved-closed", "robots_txt", 1),
        ("/moved-file", "no_http_url", 1),
        ("/gone", "status:410", 1),
        ("/much-later", "long_wait", 1),
        ("/packed", "content_encoding", 1),
        ("/says-much", "too_many_bytes", 1),
        ("/endless", "too_many_bytes", 1),
        ("/cut", "cut_off", 3),
        ("/slow", "timeout", 3),
        ("/slow-body", "timeout", 3),
        ("/drips", "timeout", 3),
        ("/opted-out", "opt_out_header", 1),
    ] {
        let answer = fetch(&fetcher, &server.url("a.test", path)).await;
        let found = answer.body.as_ref().err().map_or(String::new(), |refusal| refusal.reason().into_owned());
        assert_eq!((found.as_str(), answer.requests), (reason, requests), "{path}");
        if reason.is_empty() {
            assert_eq!(answer.body.unwrap(), "picture", "{path}");
            assert_eq!(answer.status, 200);
        }
    }
    // A length that is too short ends the picture there: what is missing is found when it is decoded.
    assert_eq!(fetch(&fetcher, &server.url("a.test", "/says-little")).await.body.unwrap(), "pic");
    for (url, refusal) in [
        (server.url("unknown.test", "/a.png"), Refusal::UnknownHost),
        (server.url("private.test", "/a.png"), Refusal::PrivateAddress),
        (server.url("127.0.0.1", "/a.png"), Refusal::PrivateAddress),
        (server.url("2130706433", "/a.png"), Refusal::PrivateAddress),
        (server.url("0x7f.1", "/a.png"), Refusal::PrivateAddress),
        (server.url("[::ffff:127.0.0.1]", "/a.png"), Refusal::PrivateAddress),
        ("http://a.test:1/a.png".into(), Refusal::Unreachable),
        ("ftp://a.test/a.png".into(), Refusal::Address),
        ("no address".into(), Refusal::Address),
    ] {
        assert_eq!(fetch(&fetcher, &url).await.body.unwrap_err(), refusal, "{url}");
    }
    // A host that is down is found out once: no further picture of it is waited for.
    let began = Instant::now();
    for n in 0..100 {
        let answer = fetch(&fetcher, &format!("http://a.test:1/{n}.png")).await;
        assert_eq!((answer.body.unwrap_err(), answer.requests), (Refusal::Unreachable, 0));
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    // Nothing reached what was refused, and little of what was not wanted was read.
    assert_eq!(server.asked("private.test", "/a.png"), 0);
    assert!(server.seen.body_bytes.load(Ordering::SeqCst) < 32 << 20);
}

#[tokio::test]
async fn a_host_is_left_alone_as_long_as_it_asks() {
    let server = Server::start().await;
    let fetcher = fetcher(HttpConfig { per_host: 8, ..config() });
    let began = Instant::now();
    let (first, second) = (server.url("a.test", "/later"), server.url("a.test", "/a.png"));
    let late = fetch(&fetcher, &first);
    let other = async {
        // Once the host has asked for a wait, every request to it waits.
        while server.asked("a.test", "/later") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        fetch(&fetcher, &second).await
    };
    let (late, other) = tokio::join!(late, other);
    assert!(late.body.is_ok() && other.body.is_ok());
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn few_large_bodies_are_held_at_a_time() {
    let server = Server::start().await;
    let fetcher = fetcher(HttpConfig { large_bodies: 2, max_bytes: 8 << 20, per_host: 8, ..config() });
    let url = server.url("a.test", "/large");
    let held = [fetch(&fetcher, &url).await, fetch(&fetcher, &url).await];
    assert!(held.iter().all(|answer| answer.body.as_ref().unwrap().len() == 3 << 20));
    // A third waits for room until its time is up, small ones do not.
    let third = fetch(&fetcher, &url).await;
    assert_eq!(third.body.unwrap_err(), Refusal::Timeout);
    assert!(fetch(&fetcher, &server.url("a.test", "/a.png")).await.body.is_ok());
    drop(held);
    assert!(fetch(&fetcher, &url).await.body.is_ok());
}

#[tokio::test]
async fn robots_are_read_once_and_kept_to() {
    let server = Server::start().await;
    let fetcher = fetcher(config());
    for _ in 0..3 {
        let refused = fetch(&fetcher, &server.url("closed.test", "/private/a.png")).await;
        assert_eq!(refused.body.unwrap_err(), Refusal::Robots);
        assert!(fetch(&fetcher, &server.url("closed.test", "/a.png")).await.body.is_ok());
        let broken = fetch(&fetcher, &server.url("broken.test", "/a.png")).await;
        assert_eq!(broken.body.unwrap_err(), Refusal::RobotsUnreachable);
    }
    assert_eq!(server.asked("closed.test", "/robots.txt"), 1);
    assert_eq!(server.asked("closed.test", "/private/a.png"), 0);
    assert_eq!(server.asked("broken.test", "/robots.txt"), 3, "three attempts, once");
    assert_eq!(server.asked("broken.test", "/a.png"), 0);
    // Whoever may do so can leave them aside.
    let free = self::fetcher(HttpConfig { robots: false, ..config() });
    assert!(fetch(&free, &server.url("closed.test", "/private/a.png")).await.body.is_ok());
}

#[tokio::test]
async fn few_requests_at_a_time_to_one_host() {
    let server = Server::start().await;
    let fetcher =
        fetcher(HttpConfig { per_host: 3, robots: false, contact: "mailto:me@a.jp".into(), ..config() });
    let url = server.url("a.test", "/linger");
    let all = futures::future::join_all((0..60).map(|_| fetch(&fetcher, &url))).await;
    assert!(all.iter().all(|answer| answer.body.is_ok()));
    assert_eq!(server.seen.most_at_once.load(Ordering::SeqCst), 3);
    let heads = server.seen.heads.lock().unwrap();
    let agent = format!("user-agent: tsumugi/{} (+mailto:me@a.jp)\r\n", env!("CARGO_PKG_VERSION"));
    assert!(heads.iter().all(|head| head.contains(&agent) && head.contains("accept-encoding: identity\r\n")));
}

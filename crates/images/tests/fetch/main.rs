//! The fetcher against a loopback server that misbehaves like servers of strangers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod pace;
mod rights;

use std::future::Future;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tsumugi_images::fetch::{Answer, Fetcher, HeaderMap, HttpConfig, Lookup, Refusal};
use tsumugi_testkit::{Reply, Server};

/// A server that does what servers of strangers do.
fn server() -> Server {
    Server::start(|request| {
        let (host, path) = (request.host(), request.target.as_str());
        let port = request.header("host").and_then(|host| host.rsplit(':').next()).unwrap_or_default();
        let redirect = |target: &str| Reply::new(302, "").header("Location", target);
        match path {
            "/robots.txt" if host.starts_with("closed") => {
                Reply::new(200, "User-agent: *\nDisallow: /private/\n")
            }
            "/robots.txt" if host.starts_with("broken") => Reply::new(503, ""),
            "/robots.txt" => Reply::new(404, ""),
            "/circle" => redirect("/circle2"),
            "/circle2" => redirect("/circle"),
            "/moved" => redirect("/a.png"),
            "/moved-out" => redirect("http://169.254.169.254/latest/meta-data"),
            "/moved-home" => redirect(&format!("http://private.test:{port}/a.png")),
            "/moved-closed" => redirect(&format!("http://closed.test:{port}/private/a.png")),
            "/moved-file" => redirect("file:///etc/passwd"),
            "/gone" => Reply::new(410, ""),
            "/later" if request.repeat == 0 => Reply::new(429, "").header("Retry-After", "1"),
            "/sometimes" if request.repeat < 2 => Reply::new(500, ""),
            "/brotli" => Reply::new(200, "xxxx").header("Content-Encoding", "br"),
            "/gzip" => Reply::new(200, gzip(b"image")).header("Content-Encoding", "gzip"),
            "/coding-none" => Reply::new(200, "image").header("Content-Encoding", "none"),
            "/coding-unknown" => Reply::new(200, "image").header("Content-Encoding", "UTF-8, identity"),
            "/empty-coding" => Reply::new(200, "image").header("Content-Encoding", ""),
            "/compressed" => Reply::new(200, "xxxx").header("Content-Encoding", "gzip"),
            "/says-much" => Reply::new(200, "").claim_length(999_999_999_999),
            "/says-little" => Reply::new(200, "image").claim_length(3),
            "/cut" => Reply::new(200, "ima").claim_length(100),
            "/slow" => Reply::new(200, "image").delay(Duration::from_secs(30)),
            "/slow-body" => Reply::new(200, vec![b'x'; 100]).stall_after(3),
            "/drips" => Reply::new(200, vec![b'.'; 100_000]).drip(Duration::from_millis(20)),
            "/endless" => Reply::new(200, vec![b'x'; 0x10000]).endless(),
            "/opted-out" => Reply::new(200, vec![b'x'; 0x10000]).header("X-Robots-Tag", "noai").endless(),
            "/large" => Reply::new(200, vec![b'x'; 3 << 20]),
            "/linger" => Reply::new(200, "image").delay(Duration::from_millis(20)),
            _ => Reply::new(200, "image").etag("\"1\""),
        }
    })
}

/// Packs bytes as gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    compressed.write_all(bytes).unwrap();
    compressed.finish().unwrap()
}

/// Resolves every name under `.test` to this machine.
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
        request_ms: 1_000,
        ..HttpConfig::default()
    }
}

fn fetcher(config: HttpConfig) -> Fetcher {
    Fetcher::with_lookup(config, Arc::new(Local)).unwrap()
}

async fn fetch(fetcher: &Fetcher, url: &str) -> Answer {
    let by_headers =
        |headers: &HeaderMap| headers.contains_key("x-robots-tag").then(|| "opt_out_header".to_owned());
    fetcher.fetch(url, &by_headers).await
}

#[tokio::test]
async fn every_failure_has_a_reason() {
    let server = server();
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
        ("/compressed", "content_encoding", 1),
        ("/brotli", "content_encoding", 1),
        ("/gzip", "", 1),
        ("/coding-none", "", 1),
        ("/coding-unknown", "", 1),
        ("/empty-coding", "", 1),
        ("/says-much", "too_many_bytes", 1),
        ("/endless", "too_many_bytes", 1),
        ("/cut", "cut_off", 3),
        ("/slow", "timeout", 3),
        ("/slow-body", "timeout", 3),
        ("/drips", "timeout", 3),
        ("/opted-out", "opt_out_header", 1),
    ] {
        let answer = fetch(&fetcher, &server.url_of("a.test", path)).await;
        let found = answer.body.as_ref().err().map_or(String::new(), |refusal| refusal.reason().into_owned());
        assert_eq!((found.as_str(), answer.requests), (reason, requests), "{path}");
        if reason.is_empty() {
            assert_eq!(answer.body.unwrap(), "image", "{path}");
            assert_eq!(answer.status, 200);
        }
    }
    // A length that is too short ends the image there; decoding finds that the rest is missing.
    assert_eq!(fetch(&fetcher, &server.url_of("a.test", "/says-little")).await.body.unwrap(), "ima");
    for (url, refusal) in [
        (server.url_of("unknown.test", "/a.png"), Refusal::UnknownHost),
        (server.url_of("private.test", "/a.png"), Refusal::PrivateAddress),
        (server.url_of("127.0.0.1", "/a.png"), Refusal::PrivateAddress),
        (server.url_of("2130706433", "/a.png"), Refusal::PrivateAddress),
        (server.url_of("0x7f.1", "/a.png"), Refusal::PrivateAddress),
        (server.url_of("[::ffff:127.0.0.1]", "/a.png"), Refusal::PrivateAddress),
        ("http://a.test:1/a.png".into(), Refusal::Unreachable),
        ("ftp://a.test/a.png".into(), Refusal::Address),
        ("no address".into(), Refusal::Address),
    ] {
        assert_eq!(fetch(&fetcher, &url).await.body.unwrap_err(), refusal, "{url}");
    }
    // A host that is down is detected once; its other images fail without waiting.
    let began = Instant::now();
    for n in 0..100 {
        let answer = fetch(&fetcher, &format!("http://a.test:1/{n}.png")).await;
        assert_eq!((answer.body.unwrap_err(), answer.requests), (Refusal::Unreachable, 0));
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    // No request reached a refused host, and little of the unwanted bodies was read.
    assert_eq!(server.count_of("private.test", "/a.png"), 0);
    assert!(server.bytes_sent() < 32 << 20);
}

#[tokio::test]
async fn waits_as_long_as_a_host_requests() {
    let server = server();
    let fetcher = fetcher(HttpConfig { per_host: 8, ..config() });
    let began = Instant::now();
    let (first, second) = (server.url_of("a.test", "/later"), server.url_of("a.test", "/a.png"));
    let late = fetch(&fetcher, &first);
    let other = async {
        // After the host has requested a wait, every request to it waits.
        while server.count_of("a.test", "/later") == 0 {
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
async fn holds_few_large_bodies() {
    let server = server();
    let fetcher = fetcher(HttpConfig { large_bodies: 2, max_bytes: 8 << 20, per_host: 8, ..config() });
    let url = server.url_of("a.test", "/large");
    let held = [fetch(&fetcher, &url).await, fetch(&fetcher, &url).await];
    assert!(held.iter().all(|answer| answer.body.as_ref().unwrap().len() == 3 << 20));
    // A third large body waits for room, which does not count as time of its request; small ones do not wait.
    let waiting = config().request_ms * 3 / 2;
    let third = async {
        let began = Instant::now();
        let third = fetch(&fetcher, &url).await;
        assert_eq!(third.body.unwrap().len(), 3 << 20);
        assert!(began.elapsed() >= Duration::from_millis(waiting));
    };
    let small = async {
        assert!(fetch(&fetcher, &server.url_of("a.test", "/a.png")).await.body.is_ok());
        tokio::time::sleep(Duration::from_millis(waiting)).await;
        drop(held);
    };
    tokio::join!(third, small);
}

#[tokio::test]
async fn fetches_robots_txt_once_and_obeys_it() {
    let server = server();
    let fetcher = fetcher(config());
    for _ in 0..3 {
        let refused = fetch(&fetcher, &server.url_of("closed.test", "/private/a.png")).await;
        assert_eq!(refused.body.unwrap_err(), Refusal::Robots);
        assert!(fetch(&fetcher, &server.url_of("closed.test", "/a.png")).await.body.is_ok());
        let broken = fetch(&fetcher, &server.url_of("broken.test", "/a.png")).await;
        assert_eq!(broken.body.unwrap_err(), Refusal::RobotsUnreachable);
    }
    assert_eq!(server.count_of("closed.test", "/robots.txt"), 1);
    assert_eq!(server.count_of("closed.test", "/private/a.png"), 0);
    assert_eq!(server.count_of("broken.test", "/robots.txt"), 3, "three attempts, once");
    assert_eq!(server.count_of("broken.test", "/a.png"), 0);
    // They can be switched off.
    let free = self::fetcher(HttpConfig { robots: false, ..config() });
    assert!(fetch(&free, &server.url_of("closed.test", "/private/a.png")).await.body.is_ok());
}

#[tokio::test]
async fn limits_concurrent_requests_per_host() {
    let server = server();
    let fetcher =
        fetcher(HttpConfig { per_host: 3, robots: false, contact: "mailto:me@a.jp".into(), ..config() });
    let url = server.url_of("a.test", "/linger");
    let all = futures::future::join_all((0..60).map(|_| fetch(&fetcher, &url))).await;
    assert!(all.iter().all(|answer| answer.body.is_ok()));
    assert_eq!(server.most_concurrent(), 3);
    let agent = format!("tsumugi/{} (+mailto:me@a.jp)", env!("CARGO_PKG_VERSION"));
    assert!(server.requests().iter().all(|request| {
        request.header("user-agent") == Some(&agent) && request.header("accept-encoding") == Some("identity")
    }));
}

//! How hosts are treated: waits, limits, connections, credentials.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tsumugi_images::fetch::{Fetcher, HttpConfig, Lookup, Refusal};
use tsumugi_testkit::{Reply, Server};

use super::{Local, config, fetch, fetcher};

/// Without the files of sites, so that only images are requested.
fn plain() -> HttpConfig {
    HttpConfig { robots: false, opt_out: Vec::new(), ..config() }
}

#[tokio::test]
async fn a_long_wait_holds_the_host() {
    let answer = |status: u16, wait: &'static str| {
        move |request: &tsumugi_testkit::Request| match request.target.as_str() {
            "/busy" => Reply::new(status, "busy").header("Retry-After", wait),
            _ => Reply::new(200, "image"),
        }
    };
    for (status, wait) in
        [(429, "3600"), (503, "86400"), (500, "7200"), (503, "Tue, 31 Dec 2999 23:59:59 GMT")]
    {
        let (server, other) = (Server::start(answer(status, wait)), Server::start(answer(200, "0")));
        let fetcher = fetcher(plain());
        let first = fetch(&fetcher, &server.url_of("a.test", "/busy")).await;
        assert_eq!((first.body.unwrap_err(), first.requests), (Refusal::LongWait, 1), "{wait}");
        // All other images of the host are refused without a request, also those on another port.
        for url in [
            server.url_of("a.test", "/a.png"),
            server.url_of("a.test", "/busy"),
            other.url_of("a.test", "/a.png"),
        ] {
            let answer = fetch(&fetcher, &url).await;
            assert_eq!((answer.body.unwrap_err(), answer.requests), (Refusal::LongWait, 0), "{url}");
        }
        assert_eq!((server.count(), other.count()), (1, 0));
        assert!(fetch(&fetcher, &server.url_of("closed.test", "/a.png")).await.body.is_ok());
    }
}

#[tokio::test]
async fn an_overloaded_host_is_slowed_down() {
    for (status, wait) in [(429, None), (503, None), (503, Some("0")), (429, Some("soon"))] {
        let server = Server::start(move |request| match (request.target.as_str(), wait) {
            ("/busy", None) if request.repeat < 2 => Reply::new(status, "busy"),
            ("/busy", Some(wait)) if request.repeat < 2 => {
                Reply::new(status, "busy").header("Retry-After", wait)
            }
            _ => Reply::new(200, "image"),
        });
        let fetcher = fetcher(HttpConfig { first_wait_ms: 200, per_host: 8, ..plain() });
        let urls = ["/busy", "/1", "/2"].map(|path| server.url_of("a.test", path));
        let busy = fetch(&fetcher, &urls[0]);
        let others = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            [fetch(&fetcher, &urls[1]).await, fetch(&fetcher, &urls[2]).await]
        };
        let (busy, others) = tokio::join!(busy, others);
        assert_eq!((busy.body.unwrap(), busy.requests), ("image".into(), 3));
        assert!(others.iter().all(|answer| answer.body.is_ok()));
        // After the first failure nothing is sent for 200 ms, whichever image it is for.
        let starts: Vec<Instant> = server.requests().iter().map(|request| request.at).collect();
        let wait = starts[1] - starts[0];
        assert!(wait >= Duration::from_millis(190), "{status}: {wait:?}");
    }
}

#[tokio::test]
async fn an_image_waits_for_its_turn_as_long_as_it_takes() {
    let server = Server::start(|_| Reply::new(200, "image").delay(Duration::from_millis(300)));
    // Eight images take 2.4 seconds one after another, and each may take one.
    let fetcher = fetcher(HttpConfig { per_host: 1, idle_ms: 900, ..plain() });
    let url = server.url_of("a.test", "/a.png");
    let all = futures::future::join_all((0..8).map(|_| fetch(&fetcher, &url))).await;
    assert!(all.iter().all(|answer| answer.body.is_ok() && answer.requests == 1));
}

#[tokio::test]
async fn limits_are_for_hosts_and_not_for_origins() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let start = || {
        Server::start(|_| {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(15));
            NOW.fetch_sub(1, Ordering::SeqCst);
            Reply::new(200, "image")
        })
    };
    let servers = [start(), start(), start()];
    let fetcher = fetcher(HttpConfig { per_host: 2, ..plain() });
    let urls: Vec<String> = (0..24).map(|n| servers[n % 3].url_of("a.test", &format!("/{n}"))).collect();
    let all = futures::future::join_all(urls.iter().map(|url| fetch(&fetcher, url))).await;
    assert!(all.iter().all(|answer| answer.body.is_ok()));
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn connections_outlive_redirects_and_errors() {
    let server = Server::start(|request| {
        let page = "x".repeat(20_000);
        match request.target.as_str() {
            "/moved" => Reply::new(302, page).header("Location", "/a.png"),
            "/gone" => Reply::new(404, page).chunked(),
            "/failed" => Reply::new(500, page),
            _ => Reply::new(200, "image"),
        }
    });
    let fetcher = fetcher(HttpConfig { per_host: 1, attempts: 1, ..plain() });
    for path in ["/moved", "/gone", "/failed", "/moved", "/a.png"] {
        let _ = fetch(&fetcher, &server.url_of("a.test", path)).await;
    }
    assert_eq!((server.count(), server.connections()), (7, 1));
    // A long or endless body is not read for that.
    let server = Server::start(|request| match request.target.as_str() {
        "/endless" => Reply::new(404, vec![b'x'; 10_000]).endless(),
        "/slow" => Reply::new(404, vec![b'x'; 10_000]).drip(Duration::from_millis(50)),
        _ => Reply::new(404, vec![b'x'; 50 << 20]),
    });
    let fetcher = self::fetcher(HttpConfig { attempts: 1, ..plain() });
    for path in ["/endless", "/long", "/slow"] {
        let answer = fetch(&fetcher, &server.url_of("a.test", path)).await;
        assert_eq!(answer.body.unwrap_err(), Refusal::Status(404));
    }
    assert!(server.bytes_sent() < 32 << 20, "{}", server.bytes_sent());
}

#[tokio::test]
async fn credentials_of_strangers_are_not_sent() {
    let server = Server::start(|request| {
        let host = request.header("host").unwrap_or_default();
        match request.target.as_str() {
            "/moved" => Reply::new(302, "").header("Location", &format!("http://name:secret@{host}/a.png")),
            _ => Reply::new(200, "image"),
        }
    });
    let fetcher = fetcher(config());
    for credentials in ["name:secret@", "name@", ":secret@", "n%40me:s%3Acret@", "@"] {
        for path in ["a.png", "moved"] {
            let answer =
                fetch(&fetcher, &format!("http://{credentials}a.test:{}/{path}", server.port())).await;
            assert_eq!(answer.body.unwrap(), "image");
            assert!(!answer.url.contains('@'), "{}", answer.url);
        }
    }
    assert!(server.requests().iter().all(|request| request.header("authorization").is_none()));
}

/// Counts lookups, each of which takes a while.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Lookup for Counting {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let found = Local.lookup(host);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            found.await
        })
    }
}

#[tokio::test]
async fn lookups_under_way_are_shared() {
    let server = Server::start(|_| Reply::new(200, "image"));
    let lookup = Arc::new(Counting::default());
    let fetcher = Fetcher::with_lookup(HttpConfig { per_host: 16, ..plain() }, lookup.clone()).unwrap();
    let url = server.url_of("a.test", "/a.png");
    let all = futures::future::join_all((0..16).map(|_| fetch(&fetcher, &url))).await;
    assert!(all.iter().all(|answer| answer.body.is_ok()));
    assert_eq!(lookup.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn addresses_of_clouds_are_not_connected_to() {
    let fetcher = fetcher(plain());
    for host in [
        "168.63.129.16",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "0xa83f8110",
        "2822734096",
        "[::ffff:168.63.129.16]",
        "[64:ff9b::169.254.169.254]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "[fe80::a9fe:a9fe]",
    ] {
        let answer = fetch(&fetcher, &format!("http://{host}/latest/meta-data")).await;
        assert_eq!(answer.body.unwrap_err(), Refusal::PrivateAddress, "{host}");
    }
}

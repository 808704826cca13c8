//! Pictures over HTTP: ten thousand with faults, and runs that are killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Random, assert_same, files, kill_after, run_ok, step};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tsumugi::images::fetch::HttpConfig;
use tsumugi::pipeline::steps::fetch_images::{FetchImages, FetchImagesConfig};
use tsumugi::pipeline::{Context, runner};
use tsumugi::record::{Document, Fetch, ImageRow, ImageSlot, Node, Record, ShardReader, ShardWriter, shards};

/// All of 127.0.0.0/8 is this machine: each address is a host of its own.
const HOSTS: usize = 50;

/// Answers to `/N.bmp`, and how often each was asked for.
struct Server {
    port: u16,
    asked: Arc<Mutex<HashMap<String, usize>>>,
    _runtime: Runtime,
}

impl Server {
    fn start(delay: Duration) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("0.0.0.0:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<HashMap<String, usize>>>::default();
        let counts = asked.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counts = counts.clone();
                tokio::spawn(async move {
                    // A client that is killed is no fault of the server.
                    let _ = serve(stream, &counts, delay).await;
                });
            }
        });
        Self { port, asked, _runtime: runtime }
    }

    fn url(&self, n: usize) -> String {
        format!("http://127.0.0.{}:{}/{n}.bmp", 1 + n % HOSTS, self.port)
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|(path, _)| path.ends_with(".bmp")).map(|(_, n)| n).sum()
    }
}

async fn serve(
    stream: TcpStream,
    counts: &Mutex<HashMap<String, usize>>,
    delay: Duration,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let count = {
            let mut counts = counts.lock().unwrap();
            let count = counts.entry(path.clone()).or_default();
            *count += 1;
            *count
        };
        tokio::time::sleep(delay).await;
        let number = path.trim_start_matches('/').trim_end_matches(".bmp").parse().ok();
        let (bytes, stays) = match number {
            Some(n) => answer(n, count),
            None if path == "/robots.txt" => (whole("404 Not Found", "", b""), true),
            None => (whole("200 OK", "", &picture(path.len())), true),
        };
        stream.write_all(&bytes).await?;
        if !stays {
            return Ok(());
        }
    }
}

/// Without a date an answer has that of its coming, which no second run has.
const DATE: &str = "Date: Fri, 27 Nov 2026 12:00:00 GMT\r\n";

fn whole(status: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{DATE}{more}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer that says it is longer than it is.
fn short(says: u64, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{DATE}Content-Length: {says}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A picture of 4 x 4 pixels that is like no other.
fn picture(n: usize) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    for word in [54 + 48, 0, 54, 40, 4, 4, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        file.extend(u32::to_le_bytes(word));
    }
    file.extend((0..16).flat_map(|at| [n as u8, (n >> 8) as u8, at]));
    file
}

/// What may go wrong with a picture, and the reason that is to stand in the table. One in ten has a fault.
fn fault(n: usize) -> Option<(&'static str, Option<&'static str>)> {
    const FAULTS: [(&str, Option<&str>); 8] = [
        ("gone", Some("status:404")),
        ("cut", Some("cut_off")),
        ("broken at first", None),
        ("busy at first", None),
        ("no picture", Some("not_an_image")),
        ("says that it is huge", Some("too_many_bytes")),
        ("opted out", Some("opt_out_header")),
        ("in a circle", Some("too_many_redirects")),
    ];
    n.is_multiple_of(10).then(|| FAULTS[n / 10 % FAULTS.len()])
}

fn answer(n: usize, count: usize) -> (Vec<u8>, bool) {
    let good = || (whole("200 OK", "ETag: \"1\"\r\n", &picture(n)), true);
    match fault(n).map(|(name, _)| name) {
        Some("gone") => (whole("404 Not Found", "", b"gone"), true),
        Some("cut") => (short(102, b"BM"), false),
        Some("broken at first") if count < 3 => (whole("500 Internal Server Error", "", b""), true),
        Some("busy at first") if count < 2 => {
            (whole("429 Too Many Requests", "Retry-After: 0\r\n", b""), true)
        }
        Some("no picture") => (whole("200 OK", "", b"<html>Not here</html>"), true),
        Some("says that it is huge") => (short(99_999_999_999, b""), false),
        Some("opted out") => (whole("200 OK", "X-Robots-Tag: noimageai\r\n", &picture(n)), true),
        Some("in a circle") => (whole("302 Found", &format!("Location: /{n}.bmp\r\n"), b""), true),
        _ => good(),
    }
}

/// Documents with pictures 0 to `pictures`, twenty a page; each tenth page shows the first picture again.
fn documents(folder: &Path, server: &Server, pictures: usize) {
    let node = |n: usize| Node {
        image: Some(ImageSlot { url: server.url(n), ..ImageSlot::default() }),
        ..Node::default()
    };
    let numbers: Vec<usize> = (0..pictures).collect();
    let pages: Vec<Document> = numbers
        .chunks(20)
        .enumerate()
        .map(|(page, numbers)| {
            let mut nodes: Vec<Node> = numbers.iter().map(|n| node(*n)).collect();
            if page % 10 == 9 {
                nodes.push(node(1));
            }
            let url = format!("http://page{page}.test/");
            Document { id: page.to_string(), url, nodes, ..Document::default() }
        })
        .collect();
    std::fs::create_dir_all(folder).unwrap();
    for (number, part) in pages.chunks(pages.len().div_ceil(3)).enumerate() {
        let path = folder.join(tsumugi::record::shard_name(Document::KIND, number));
        let mut writer = ShardWriter::create(path).unwrap();
        writer.write(part).unwrap();
        writer.finish().unwrap();
    }
}

fn rows<R: Record>(folder: &Path) -> Vec<R> {
    let shards = shards(folder, R::KIND).unwrap();
    shards.iter().flat_map(|path| ShardReader::<R>::open(path).unwrap().read_all().unwrap()).collect()
}

#[test]
fn ten_thousand_pictures_arrive_once_or_have_a_reason() {
    const PICTURES: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Duration::ZERO);
    documents(&folder.path().join("documents"), &server, PICTURES);
    let http = HttpConfig { allow_private: true, per_host: 8, first_wait_ms: 20, ..HttpConfig::default() };
    let config = FetchImagesConfig {
        documents: folder.path().join("documents"),
        from: vec!["http".into()],
        out: folder.path().join("images"),
        http,
        ..FetchImagesConfig::default()
    };
    let summary = runner::run::<FetchImages>(config.clone(), &Context::hidden()).unwrap();

    let fetches: Vec<Fetch> = rows(&config.out.join("fetches"));
    let images: Vec<ImageRow> = rows(&config.out);
    assert_eq!(
        (summary.rows["fetches"], summary.rows["images"]),
        (fetches.len() as u64, images.len() as u64)
    );
    let bytes: HashMap<String, Vec<u8>> =
        images.into_iter().map(|row| (row.id, row.image.bytes.unwrap())).collect();
    let mut occurrences: HashMap<String, Vec<Fetch>> = HashMap::new();
    for fetch in fetches {
        occurrences.entry(fetch.url.clone()).or_default().push(fetch);
    }
    assert_eq!(occurrences.len(), PICTURES);
    let asked = server.asked.lock().unwrap();
    for n in 0..PICTURES {
        let found = &occurrences[&server.url(n)];
        assert_eq!(found.len(), if n == 1 { 1 + PICTURES / 200 } else { 1 });
        let reason = fault(n).and_then(|(_, reason)| reason);
        assert_eq!(found[0].reason.as_deref(), reason, "picture {n}");
        let requests = asked[&format!("/{n}.bmp")];
        match fault(n).map(|(name, _)| name) {
            None => assert_eq!(requests, 1, "picture {n}"),
            Some("busy at first") => assert_eq!(requests, 2, "picture {n}"),
            Some("broken at first" | "cut") => assert_eq!(requests, 3, "picture {n}"),
            Some("in a circle") => assert_eq!(requests, 11, "picture {n}"),
            Some(_) => assert_eq!(requests, 1, "picture {n}"),
        }
        if reason.is_none() {
            assert_eq!(bytes[found[0].image_id.as_ref().unwrap()], picture(n));
            assert_eq!((found[0].status, found[0].date.as_str()), (200, "2026-11-27T12:00:00Z"));
            assert_eq!(found[0].etag.as_deref(), Some("\"1\""));
        }
    }
    assert_eq!(asked["/robots.txt"], HOSTS);
}

fn fetch_step(documents: &Path, out: &Path) -> Command {
    let mut command = step("fetch_images");
    command.args(["--from", "http", "--allow-private", "--connections", "20", "--documents"]).arg(documents);
    command.arg("--out").arg(out);
    command
}

#[test]
fn killed_runs_ask_for_nothing_twice_and_end_with_the_same_bytes() {
    const PICTURES: usize = 1_500;
    const KILLS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Duration::from_millis(15));
    let documents = folder.path().join("documents");
    self::documents(&documents, &server, PICTURES);
    let tables = |name: &str| name.ends_with(".parquet") || name == "manifest.json";
    let undisturbed = folder.path().join("undisturbed");
    let began = Instant::now();
    run_ok(&mut fetch_step(&documents, &undisturbed));
    let duration = began.elapsed();
    let reference = files(&undisturbed, &tables);
    let once = server.requests();

    let mut random = Random(20_241_022);
    let mut interrupted = 0;
    for kill in 0..KILLS {
        let out = folder.path().join(format!("killed-{kill}"));
        let before = server.requests();
        // Twice each, the second time in what is left.
        for _ in 0..2 {
            let wait = duration.mul_f64(0.1 + 0.6 * random.unit());
            interrupted += usize::from(kill_after(&mut fetch_step(&documents, &out), wait));
        }
        run_ok(&mut fetch_step(&documents, &out));
        assert_same(&files(&out, &tables), &reference, &format!("kill {kill}"));
        // Only what was under way is asked for again, three times at most: twenty pictures at each kill.
        let again = (server.requests() - before).saturating_sub(once);
        assert!(again <= 2 * 20 * 3, "{again} requests more than the {once} of an undisturbed run");
    }
    assert!(interrupted >= KILLS, "only {interrupted} runs were killed before their end");
}

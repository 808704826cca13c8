//! Images over HTTP: ten thousand with faults, and runs that are killed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Random, assert_same, files, kill_when, run_ok, step};
use tsumugi::images::fetch::HttpConfig;
use tsumugi::pipeline::steps::fetch_images::{FetchImages, FetchImagesConfig};
use tsumugi::pipeline::{Context, runner};
use tsumugi::record::{Document, Fetch, ImageRow, ImageSlot, Node, Record, ShardReader, ShardWriter, shards};
use tsumugi_testkit::{Reply, bitmap};

/// All of 127.0.0.0/8 is this machine: each address is a host of its own.
const HOSTS: usize = 50;

/// Answers to `/N.bmp`, and counts how often each was requested.
struct Server(tsumugi_testkit::Server);

impl Server {
    fn start(delay: Duration) -> Self {
        Self(tsumugi_testkit::Server::start_at("0.0.0.0", move |request| {
            let path = request.target.as_str();
            let number = path.trim_start_matches('/').trim_end_matches(".bmp").parse().ok();
            let reply = match number {
                Some(n) => answer(n, request.repeat + 1),
                None if path == "/robots.txt" => Reply::new(404, ""),
                None => Reply::new(200, image(path.len())),
            };
            // Without a date an answer has that of its arrival, which no second run has.
            reply.header("Date", "Fri, 27 Nov 2026 12:00:00 GMT").delay(delay)
        }))
    }

    fn host(n: usize) -> String {
        format!("127.0.0.{}", 1 + n % HOSTS)
    }

    fn url(&self, n: usize) -> String {
        self.0.url_of(&Self::host(n), &format!("{n}.bmp"))
    }

    fn count_of(&self, n: usize) -> usize {
        self.0.count_of(&Self::host(n), &format!("/{n}.bmp"))
    }

    fn requests(&self) -> usize {
        self.0.requests().iter().filter(|request| request.target.ends_with(".bmp")).count()
    }
}

/// An image of 4 x 4 pixels that is like no other.
fn image(n: usize) -> Vec<u8> {
    bitmap(4, 4, |x, y| [n as u8, (n >> 8) as u8, (4 * y + x) as u8])
}

/// What may go wrong with an image, and the reason that the table must give. One in ten has a fault.
fn fault(n: usize) -> Option<(&'static str, Option<&'static str>)> {
    const FAULTS: [(&str, Option<&str>); 8] = [
        ("gone", Some("status:404")),
        ("cut", Some("cut_off")),
        ("broken at first", None),
        ("busy at first", None),
        ("no image", Some("not_an_image")),
        ("says that it is huge", Some("too_many_bytes")),
        ("opted out", Some("opt_out_header")),
        ("in a circle", Some("too_many_redirects")),
    ];
    n.is_multiple_of(10).then(|| FAULTS[n / 10 % FAULTS.len()])
}

fn answer(n: usize, count: usize) -> Reply {
    match fault(n).map(|(name, _)| name) {
        Some("gone") => Reply::new(404, "gone"),
        Some("cut") => Reply::new(200, "BM").claim_length(102),
        Some("broken at first") if count < 3 => Reply::new(500, ""),
        Some("busy at first") if count < 2 => Reply::new(429, "").header("Retry-After", "0"),
        Some("no image") => Reply::new(200, "<html>Not here</html>"),
        Some("says that it is huge") => Reply::new(200, "").claim_length(99_999_999_999),
        Some("opted out") => Reply::new(200, image(n)).header("X-Robots-Tag", "noimageai"),
        Some("in a circle") => Reply::new(302, "").header("Location", &format!("/{n}.bmp")),
        _ => Reply::new(200, image(n)).etag("\"1\""),
    }
}

/// Documents with images 0 to `images`, twenty per page. Each tenth page shows image 1 again.
fn documents(folder: &Path, server: &Server, images: usize) {
    let node = |n: usize| Node {
        image: Some(ImageSlot { url: server.url(n), ..ImageSlot::default() }),
        ..Node::default()
    };
    let numbers: Vec<usize> = (0..images).collect();
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
fn ten_thousand_images_arrive_once_or_have_a_reason() {
    const IMAGES: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Duration::ZERO);
    documents(&folder.path().join("documents"), &server, IMAGES);
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
    assert_eq!(occurrences.len(), IMAGES);
    for n in 0..IMAGES {
        let found = &occurrences[&server.url(n)];
        assert_eq!(found.len(), if n == 1 { 1 + IMAGES / 200 } else { 1 });
        let reason = fault(n).and_then(|(_, reason)| reason);
        assert_eq!(found[0].reason.as_deref(), reason, "image {n}");
        let requests = server.count_of(n);
        match fault(n).map(|(name, _)| name) {
            None => assert_eq!(requests, 1, "image {n}"),
            Some("busy at first") => assert_eq!(requests, 2, "image {n}"),
            Some("broken at first" | "cut") => assert_eq!(requests, 3, "image {n}"),
            Some("in a circle") => assert_eq!(requests, 11, "image {n}"),
            Some(_) => assert_eq!(requests, 1, "image {n}"),
        }
        if reason.is_none() {
            assert_eq!(bytes[found[0].image_id.as_ref().unwrap()], image(n));
            assert_eq!((found[0].status, found[0].date.as_str()), (200, "2026-11-27T12:00:00Z"));
            assert_eq!(found[0].etag.as_deref(), Some("\"1\""));
        }
    }
    let requests = server.0.requests();
    assert_eq!(requests.iter().filter(|request| request.target == "/robots.txt").count(), HOSTS);
}

fn fetch_step(documents: &Path, out: &Path) -> Command {
    let mut command = step("fetch_images");
    command.args(["--from", "http", "--allow-private", "--connections", "20", "--documents"]).arg(documents);
    command.arg("--out").arg(out);
    command
}

#[test]
fn killed_runs_ask_for_nothing_twice_and_end_with_the_same_bytes() {
    const IMAGES: usize = 1_500;
    const KILLS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Duration::from_millis(15));
    let documents = folder.path().join("documents");
    self::documents(&documents, &server, IMAGES);
    let tables = |name: &str| name.ends_with(".parquet") || name == "manifest.json";
    let undisturbed = folder.path().join("undisturbed");
    run_ok(&mut fetch_step(&documents, &undisturbed));
    let reference = files(&undisturbed, &tables);
    let once = server.requests();

    let mut random = Random(20_241_022);
    let mut interrupted = 0;
    for kill in 0..KILLS {
        let out = folder.path().join(format!("killed-{kill}"));
        let before = server.requests();
        // Twice each, the second time in what is left.
        for _ in 0..2 {
            // By requests and not by time, which says little on a loaded machine. Both together leave some to be asked.
            let until = server.requests() + (once as f64 * (0.05 + 0.3 * random.unit())) as usize;
            interrupted +=
                usize::from(kill_when(&mut fetch_step(&documents, &out), || server.requests() >= until));
        }
        run_ok(&mut fetch_step(&documents, &out));
        assert_same(&files(&out, &tables), &reference, &format!("kill {kill}"));
        // Only images in progress are requested again, at most three times: twenty at each kill.
        let again = (server.requests() - before).saturating_sub(once);
        assert!(again <= 2 * 20 * 3, "{again} requests more than the {once} of an undisturbed run");
    }
    assert_eq!(interrupted, 2 * KILLS, "runs that were killed before their end");
}

//! Images of an archive that writes their URLs otherwise than the pages do, or only repeats what it had captured before.
#![cfg(feature = "data")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a failed test")]

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use tsumugi_pipeline::runner::Summary;
use tsumugi_pipeline::steps::fetch_images::{FetchImages, FetchImagesConfig};
use tsumugi_pipeline::{Context, runner};
use tsumugi_record::{
    Document, Fetch, ImageRow, ImageSlot, Node, Record, ShardReader, ShardWriter, shard_name, shards,
};
use tsumugi_testkit::bitmap;
use tsumugi_warc::{ArchiveWriter, Compression, NewRecord, RecordType};

const DATE: &str = "2024-05-01T00:00:00Z";
const REVISIT: &str = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest";

/// An image that is like no other.
fn image(n: usize) -> Vec<u8> {
    bitmap(4, 4, |x, y| [n as u8, (n >> 8) as u8, (4 * y + x) as u8])
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// One page that names these images.
fn documents(folder: &Path, urls: &[&str]) {
    let node = |url: &&str| Node {
        image: Some(ImageSlot { url: (*url).to_owned(), ..ImageSlot::default() }),
        ..Node::default()
    };
    let nodes = urls.iter().map(node).collect();
    let page = Document { id: "1".into(), url: "http://page.test/".into(), nodes, ..Document::default() };
    std::fs::create_dir_all(folder).unwrap();
    let mut writer = ShardWriter::create(folder.join(shard_name(Document::KIND, 0))).unwrap();
    writer.write(&[page]).unwrap();
    writer.finish().unwrap();
}

fn rows<R: Record>(folder: &Path) -> Vec<R> {
    let shards = shards(folder, R::KIND).unwrap();
    shards.iter().flat_map(|path| ShardReader::<R>::open(path).unwrap().read_all().unwrap()).collect()
}

/// Fetches the images of a page out of archives. Returns for each URL the bytes, or the reason why there are none.
fn fetch(
    archives: &[Vec<NewRecord<'_>>],
    urls: &[&str],
) -> (HashMap<String, Result<Vec<u8>, String>>, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut from = Vec::new();
    for (number, records) in archives.iter().enumerate() {
        let path = at(&format!("{number}.warc.gz"));
        let mut writer = ArchiveWriter::new(File::create(&path).unwrap(), Compression::default());
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish().unwrap();
        from.push(format!("warc:{}", path.display()));
    }
    documents(&at("documents"), urls);
    let config = FetchImagesConfig {
        documents: at("documents"),
        from,
        out: at("images"),
        ..FetchImagesConfig::default()
    };
    let summary = runner::run::<FetchImages>(config, &Context::hidden()).unwrap();
    let images: Vec<ImageRow> = rows(&at("images"));
    let bytes =
        |id: &String| images.iter().find(|image| image.id == *id).unwrap().image.bytes.clone().unwrap();
    let found = rows::<Fetch>(&at("images/fetches")).into_iter().map(|fetch| {
        let image = fetch.image_id.as_ref().map(bytes);
        (fetch.url, image.ok_or_else(|| fetch.reason.unwrap()))
    });
    (found.collect(), summary)
}

#[test]
fn urls_are_matched_by_their_meaning() {
    let cases = [
        ("http://a.test/%E5%86%99%E7%9C%9F.jpg", "http://a.test/写真.jpg"),
        ("http://b.test/%E5%86%99%E7%9C%9F.jpg", "http://b.test/%e5%86%99%e7%9c%9f.jpg"),
        ("http://c.test/%e5%86%99%e7%9c%9f.jpg", "http://c.test/%E5%86%99%E7%9C%9F.jpg"),
        ("http://d.test/%E5%86%99%E7%9C%9F.jpg", "http://d.test/%8E%CA%90%5E.jpg"),
        ("http://e.test/%E5%86%99%E7%9C%9F.jpg", "http://e.test/%bc%cc%bf%bf.jpg"),
        ("http://f.test/x.cgi?f=%8E%CA%90%5E", "http://f.test/x.cgi?f=%E5%86%99%E7%9C%9F"),
        ("http://g.test/%8E%CA%90%5E.jpg", "http://g.test/%E5%86%99%E7%9C%9F.jpg"),
        ("http://h.test/a%20b.jpg", "http://h.test/a b.jpg"),
        ("http://i.test/a.jpg", "https://i.test/a.jpg"),
        ("https://j.test/a.jpg", "http://j.test/a.jpg"),
        ("http://k.test/a.jpg", "http://k.test:80/a.jpg"),
        ("https://l.test/a.jpg", "https://L.TEST:443/a.jpg"),
        ("http://m.test/~u/a.jpg", "http://m.test/%7Eu/a.jpg"),
        ("http://n.test/%7Eu/a.jpg", "http://n.test/~u/a.jpg"),
        ("http://o.test/a[1].jpg", "http://o.test/a%5B1%5D.jpg"),
        ("http://p.test/a(1).jpg", "http://p.test/a%281%29.jpg"),
        ("http://q.test/a|b.jpg", "http://q.test/a%7Cb.jpg"),
        ("http://r.test/a'b,c.jpg", "http://r.test/a%27b%2Cc.jpg"),
        ("http://s.test/a.jpg", "<http://s.test/a.jpg>"),
        ("http://t.test/a.jpg", "http://t.test/x/../a.jpg?#top"),
        ("http://u.test/a.jpg", "http://u.test./a.jpg"),
        ("http://v.test/?u=http%3A%2F%2Fb.test%2Fa.jpg", "http://v.test/?u=http://b.test/a.jpg"),
    ];
    let answers: Vec<Vec<u8>> = (0..cases.len()).map(|n| answer("200 OK", &image(n))).collect();
    let answered = cases.iter().zip(&answers);
    let records = answered.map(|(case, answer)| NewRecord::response(DATE, case.1, answer)).collect();
    let urls = cases.map(|(url, _)| url);
    let (found, _) = fetch(&[records], &urls);
    for (n, (url, archived)) in cases.iter().enumerate() {
        assert_eq!(found[*url].as_deref(), Ok(image(n).as_slice()), "{url} {archived}");
    }
}

#[test]
fn what_differs_is_not_matched_and_the_nearest_spelling_wins() {
    let answers: Vec<Vec<u8>> = (0..4).map(|n| answer("200 OK", &image(n))).collect();
    let records = vec![
        NewRecord::response(DATE, "https://a.test/a.jpg", &answers[0]),
        NewRecord::response(DATE, "http://a.test/a.jpg", &answers[1]),
        NewRecord::response(DATE, "http://b.test/a/b.jpg", &answers[2]),
        NewRecord::response(DATE, "https://c.test:8443/a.jpg", &answers[3]),
    ];
    let urls = [
        "http://a.test/a.jpg",
        "https://a.test/a.jpg",
        "http://a.test/A.jpg",
        "http://b.test/a%2Fb.jpg",
        "http://c.test:8443/a.jpg",
    ];
    let (found, _) = fetch(&[records], &urls);
    assert_eq!(found[urls[0]], Ok(image(1)));
    assert_eq!(found[urls[1]], Ok(image(0)));
    for url in &urls[2..] {
        assert_eq!(found[*url], Err("not_in_archive".into()), "{url}");
    }
}

/// A revisit of a URL whose further fields say what it repeats.
fn revisit<'a>(url: &str, fields: &[(&str, &str)], http: &'a [u8]) -> NewRecord<'a> {
    let record = NewRecord::new(RecordType::Revisit, DATE)
        .field("WARC-Target-URI", url)
        .field("WARC-Profile", REVISIT)
        .field("Content-Type", "application/http; msgtype=response")
        .body(http);
    fields.iter().fold(record, |record, (name, value)| record.field(name, value))
}

#[test]
fn revisits_are_followed_to_what_they_repeat() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: image/bmp\r\n\r\n";
    let first: Vec<Vec<u8>> = (0..8).map(|n| answer("200 OK", &image(n))).collect();
    let original = |n: usize, url: &str, date: &str| {
        NewRecord::response(date, url, &first[n])
            .field("WARC-Payload-Digest", &format!("sha1:{}", "ABCDEFGH".chars().nth(n).unwrap()))
    };
    let older = vec![
        original(0, "http://a.test/by-uri.jpg", DATE),
        original(2, "http://a.test/by-date.jpg", "2023-01-01T00:00:00Z"),
        original(3, "http://a.test/by-date.jpg", "2024-01-01T00:00:00Z"),
        original(4, "https://cdn.test/by-digest.jpg", DATE),
        original(6, "http://a.test/not-modified.jpg", "2023-01-01T00:00:00Z"),
    ];
    let newer = vec![
        revisit("http://a.test/1.jpg", &[("WARC-Refers-To-Target-URI", "http://a.test/by%2duri.jpg")], HEAD),
        revisit(
            "http://a.test/2.jpg",
            &[
                ("WARC-Refers-To-Target-URI", "http://a.test/by-date.jpg"),
                ("WARC-Refers-To-Date", "2024-01-01T00:00:00Z"),
            ],
            HEAD,
        ),
        revisit("http://a.test/3.jpg", &[("WARC-Payload-Digest", "SHA1:e")], HEAD),
        // What is repeated may stand behind the revisit, and a revisit need not have a head.
        revisit("http://a.test/4.jpg", &[("WARC-Refers-To", "<urn:test:5>")], b""),
        NewRecord::response(DATE, "http://a.test/by-id.jpg", &first[5])
            .field("WARC-Record-ID", "<urn:test:5>"),
        revisit("http://a.test/not-modified.jpg", &[], b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        revisit("http://a.test/5.jpg", &[("WARC-Refers-To-Target-URI", "http://a.test/nowhere.jpg")], HEAD),
        revisit(
            "http://a.test/6.jpg",
            &[("WARC-Refers-To-Target-URI", "http://a.test/by-uri.jpg")],
            b"HTTP/1.1 200 OK\r\nX-Robots-Tag: noai\r\n\r\n",
        ),
        revisit(
            "http://a.test/7.jpg",
            &[("WARC-Refers-To-Target-URI", "http://a.test/moved.jpg")],
            b"HTTP/1.1 301 Moved\r\nLocation: /by-uri.jpg\r\n\r\n",
        ),
        // A capture of the URL itself goes before what a revisit of it repeats.
        revisit("http://a.test/8.jpg", &[("WARC-Refers-To-Target-URI", "http://a.test/by-uri.jpg")], HEAD),
        NewRecord::response(DATE, "http://a.test/8.jpg", &first[7]),
    ];
    let urls = ["1", "2", "3", "4", "5", "6", "7", "8", "not-modified"]
        .map(|name| format!("http://a.test/{name}.jpg"));
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let expected = [
        Ok(0),
        Ok(3),
        Ok(4),
        Ok(5),
        Err("revisit_target_missing"),
        Err("opt_out_header"),
        Ok(0),
        Ok(7),
        Ok(6),
    ];
    for archives in [vec![older.clone(), newer.clone()], vec![newer, older]] {
        let (found, summary) = fetch(&archives, &urls);
        for (url, expected) in urls.iter().zip(expected) {
            assert_eq!(found[*url], expected.map(image).map_err(str::to_owned), "{url}");
        }
        // Among them the older capture of `by-date.jpg`, because the URL alone would have named it.
        assert_eq!(summary.rows["images"], 7);
    }
}

#[test]
fn a_redirect_may_lead_to_what_stands_before_it() {
    let (target, other) =
        (answer("200 OK", &image(1)), answer("302 Found\r\nLocation: http://b.test/b.jpg", b""));
    let downgrade = answer("301 Moved\r\nLocation: http://c.test/a.jpg", b"");
    let records = vec![
        NewRecord::response(DATE, "http://b.test/b.jpg", &target),
        NewRecord::response(DATE, "http://a.test/a.jpg", &other),
        NewRecord::response(DATE, "https://c.test/a.jpg", &downgrade),
    ];
    let (found, _) = fetch(&[records], &["http://a.test/a.jpg", "https://c.test/a.jpg"]);
    assert_eq!(found["http://a.test/a.jpg"], Ok(image(1)));
    assert_eq!(found["https://c.test/a.jpg"], Err("redirect_target_missing".into()));
}

#[test]
fn sites_reserve_their_images_by_files_that_archives_hold() {
    let images: Vec<Vec<u8>> = (0..7).map(|n| answer("200 OK", &image(n))).collect();
    let robots = answer("200 OK", b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /");
    let tdmrep = answer("200 OK", br#"[{"location": "/b/", "tdm-reservation": 1}]"#);
    let ai_txt = answer("200 OK", b"User-agent: *\nDisallow: *.jpg");
    let missing = answer("404 Not Found", b"User-agent: *\nContent-Signal: ai-train=no");
    let disallow = answer("200 OK", b"User-agent: *\nDisallow: /");
    let moved = answer("302 Found\r\nLocation: http://a.test/a.jpg", b"");
    let of_images = vec![
        NewRecord::response(DATE, "http://a.test/a.jpg", &images[0]),
        NewRecord::response(DATE, "http://b.test/a.jpg", &images[1]),
        NewRecord::response(DATE, "http://b.test/b/a.jpg", &images[2]),
        NewRecord::response(DATE, "http://c.test/a.jpg", &images[3]),
        NewRecord::response(DATE, "http://c.test/a.png", &images[4]),
        NewRecord::response(DATE, "http://d.test/a.jpg", &images[5]),
        NewRecord::response(DATE, "http://e.test/a.jpg", &images[6]),
        NewRecord::response(DATE, "http://f.test/a.jpg", &moved),
    ];
    let of_sites = vec![
        NewRecord::response(DATE, "http://a.test/robots.txt", &robots),
        NewRecord::response(DATE, "http://b.test/.well-known/tdmrep.json", &tdmrep),
        NewRecord::response(DATE, "https://c.test/ai.txt", &ai_txt),
        NewRecord::response(DATE, "http://d.test/robots.txt", &missing),
        NewRecord::response(DATE, "http://e.test/robots.txt", &disallow),
    ];
    let cases = [
        ("http://a.test/a.jpg", Err("opt_out:content-signal")),
        ("http://b.test/a.jpg", Ok(1)),
        ("http://b.test/b/a.jpg", Err("opt_out:tdmrep")),
        ("http://c.test/a.jpg", Err("opt_out:ai-txt")),
        ("http://c.test/a.png", Ok(4)),
        ("http://d.test/a.jpg", Ok(5)),
        // Nothing is requested, so what may not be requested does not matter.
        ("http://e.test/a.jpg", Ok(6)),
        ("http://f.test/a.jpg", Err("opt_out:content-signal")),
    ];
    let (found, summary) = fetch(&[of_images.clone(), of_sites], &cases.map(|(url, _)| url));
    for (url, expected) in cases {
        assert_eq!(found[url], expected.map(image).map_err(str::to_owned), "{url}");
    }
    assert_eq!(summary.rows["images"], 4);
    let (found, _) = fetch(&[of_images], &cases.map(|(url, _)| url));
    assert!(cases.iter().all(|(url, _)| found[*url].is_ok()));
}

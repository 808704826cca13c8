use std::path::Path;

use tsumugi_record::{Document, Excluded, ShardReader};
use tsumugi_warc::{ArchiveWriter, Compression, NewRecord};

use super::*;
use crate::runner::{self, Summary};

const DATE: &str = "2026-01-31T12:00:00Z";

fn page(writer: &mut ArchiveWriter<Vec<u8>>, url: &str, head: &str, body: &[u8]) {
    let http = [head.as_bytes(), b"\r\n\r\n", body].concat();
    writer.write(&NewRecord::response(DATE, url, &http)).unwrap();
}

fn archive() -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), Compression::default());
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html";
    let ja = "<title>山</title><p>富士山は日本で一番高い山で、静岡県と山梨県にまたがっています。</p><img src=a.jpg>";
    page(&mut writer, "http://a.test/1", html, ja.as_bytes());
    let en = "<p>Mount Fuji is the highest mountain in Japan and stands between two prefectures.</p>";
    page(&mut writer, "http://a.test/2", html, en.as_bytes());
    page(&mut writer, "http://a.test/3", "HTTP/1.1 404 Not Found\r\nContent-Type: text/html", ja.as_bytes());
    page(&mut writer, "http://a.test/4", "HTTP/1.1 200 OK\r\nContent-Type: image/png", b"png");
    page(&mut writer, "http://a.test/5", &format!("{html}\r\nX-Robots-Tag: noai"), ja.as_bytes());
    let tdm = "tdm-reservation: 0\r\nTDM-Reservation: 1";
    page(&mut writer, "http://a.test/7", &format!("{html}\r\n{tdm}"), ja.as_bytes());
    let long = format!("{ja}<!--{}-->", " ".repeat(2_000));
    page(&mut writer, "http://a.test/8", html, long.as_bytes());
    page(&mut writer, "http://a.test/6", html, b"<p></p>");
    writer.finish().unwrap()
}

fn run(bytes: &[u8], out: &Path, threads: usize) -> Result<Summary, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.warc.gz");
    std::fs::write(&path, bytes).unwrap();
    let mut config =
        ExtractDocumentsConfig { warc: vec![path], out: out.to_owned(), ..ExtractDocumentsConfig::default() };
    config.page.max_bytes = 1_000;
    crate::with_threads(threads, || runner::run::<ExtractDocuments>(config, &Context::hidden()))
}

#[test]
fn keeps_japanese_pages_and_says_why_not_others() {
    let out = tempfile::tempdir().unwrap();
    let summary = run(&archive(), out.path(), 2).unwrap();
    assert_eq!((summary.rows["documents"], summary.rows["excluded"]), (4, 2));
    assert_eq!(summary.counts["opted_out"], 2);
    assert_eq!(summary.counts["page_limit"], 1);
    let stages = &summary.funnel.stages;
    assert_eq!(stages[0].dropped["status:404"], 1);
    assert_eq!(stages[1].dropped["language:en"], 1);
    assert_eq!(stages[1].dropped["empty"], 1);
    let documents = ShardReader::<Document>::open(out.path().join("documents-00000.parquet"))
        .unwrap()
        .read_all()
        .unwrap();
    assert_eq!(documents[0].url, "http://a.test/1");
    assert_eq!(documents[0].title.as_deref(), Some("山"));
    assert_eq!(documents[0].nodes[1].image.as_ref().unwrap().url, "http://a.test/a.jpg");
    assert!(documents[1].opt_out && documents[1].provenance.length > 0);
    assert_eq!(documents[2].opt_out_signals, ["header: tdm-reservation"]);
    let excluded = out.path().join("excluded/excluded-00000.parquet");
    assert_eq!(ShardReader::<Excluded>::open(excluded).unwrap().read_all().unwrap().len(), 2);
}

#[test]
fn gives_the_same_bytes_for_any_number_of_threads() {
    let read = |threads| {
        let out = tempfile::tempdir().unwrap();
        run(&archive(), out.path(), threads).unwrap();
        std::fs::read(out.path().join("documents-00000.parquet")).unwrap()
    };
    assert_eq!(read(1), read(4));
}

#[test]
fn reads_what_is_readable_and_refuses_what_is_no_archive() {
    let out = tempfile::tempdir().unwrap();
    let bytes = archive();
    let summary = run(&bytes[..bytes.len() - 100], out.path(), 1).unwrap();
    assert_eq!((summary.rows["documents"], summary.counts["damage:truncated_member"]), (4, 1));
    for (bytes, message) in [(&b""[..], "empty"), (b"Dear reader,\nthis is a text.\n", "not a web archive")] {
        let out = tempfile::tempdir().unwrap();
        let error = crate::with_causes(&run(bytes, out.path(), 1).unwrap_err());
        assert!(error.contains(message), "{error}");
        assert!(!out.path().join("manifest.json").exists());
    }
}

/// Pages whose type is declared in strange ways; the last word says whether they are pages.
#[test]
fn reads_pages_whatever_their_type_is_declared_as() {
    let html = "<html lang=ja><p>富士山は日本で一番高い山で、静岡県と山梨県にまたがっています。</p></html>";
    let part = "富士山は日本で一番高い山で、<b>静岡県</b>と山梨県にまたがっています。";
    let xhtml = format!(
        "<?xml version='1.0'?>{}",
        html.replace("<html", "<html xmlns='http://www.w3.org/1999/xhtml'")
    );
    let feed = "<rss version='2.0'><title>富士山は日本で一番高い山で、静岡県と山梨県にまたがっています。</title></rss>";
    for (head, identified, body, is_page) in [
        ("Content-Type: text/html charset=utf-8", "text/html", html, true),
        ("Content-Type: text/html charset=utf-8", "", html, true),
        ("Content-Type: \"text/html\"", "", html, true),
        ("Content-Type: 'text/html'", "", html, true),
        ("Content-Type: text/html, text/html; charset=utf-8", "", html, true),
        ("Content-Type: text/html\r\nContent-Type: text/html; charset=utf-8", "", html, true),
        ("Content-Type: text/plain\r\nContent-Type: text/html", "", html, true),
        ("Content-Type: text/htmltext/html", "", html, true),
        ("Content-Type: unknown/unknown", "", html, true),
        ("Content-Type: */*", "", html, true),
        ("Content-Type: html", "", html, true),
        ("Content-Type:", "", html, true),
        ("X: y", "", html, true),
        ("X: y", "text/html", part, true),
        ("X: y", "application/xhtml+xml", part, true),
        ("X: y", "", &xhtml, true),
        ("Content-Type: application/xml", "", &xhtml, true),
        ("X: y", "", part, false),
        ("X: y", "text/html", "\u{0}\u{1}", false),
        ("X: y", "text/html", "%PDF-1.4", false),
        ("X: y", "", feed, false),
        ("Content-Type: text/html", "", feed, false),
        ("Content-Type: text/plain", "text/html", html, false),
        ("Content-Type: image/png", "", html, false),
    ] {
        let http = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
        let field = format!("WARC-Identified-Payload-Type: {identified}\r\n");
        let field = if identified.is_empty() { "" } else { &field };
        let archive = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nWARC-Date: {DATE}\r\n{field}Content-Type: \
             application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
            http.len()
        );
        let out = tempfile::tempdir().unwrap();
        let summary = run(archive.as_bytes(), out.path(), 1).unwrap();
        assert_eq!(summary.rows["documents"], u64::from(is_page), "{head} {identified} {body}");
        if !is_page {
            assert_eq!(summary.funnel.stages[0].dropped["not_html"], 1, "{head} {identified} {body}");
        }
    }
}

#[test]
fn counts_replaced_characters_and_drops_mojibake() {
    let mut writer = ArchiveWriter::new(Vec::new(), Compression::default());
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8";
    let text = "富士山は日本で一番高い山で、静岡県と山梨県にまたがっています。".repeat(4);
    // 広告の欄です, in Shift_JIS.
    let mixed =
        [format!("<p>{text}</p><p>").as_bytes(), b"\x8dL\x8d\x90\x82\xcc\x97\x93\x82\xc5\x82\xb7</p>"]
            .concat();
    page(&mut writer, "http://a.test/1", html, &mixed);
    let wrong: String = text.bytes().map(char::from).collect();
    page(&mut writer, "http://a.test/2", html, format!("<p>{wrong}</p>").as_bytes());
    let out = tempfile::tempdir().unwrap();
    let summary = run(&writer.finish().unwrap(), out.path(), 1).unwrap();
    assert_eq!(summary.rows["documents"], 1);
    assert_eq!(summary.counts["replaced_characters"], 6);
    assert_eq!(summary.funnel.stages[1].dropped["mojibake"], 1);
}

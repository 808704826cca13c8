use std::path::Path;

use tsumugi_record::{Document, Excluded, ShardReader};
use tsumugi_warc::{ArchiveWriter, NewRecord, Packing};

use super::*;
use crate::runner::{self, Summary};

const DATE: &str = "2026-01-31T12:00:00Z";

fn page(writer: &mut ArchiveWriter<Vec<u8>>, url: &str, head: &str, body: &[u8]) {
    let http = [head.as_bytes(), b"\r\n\r\n", body].concat();
    writer.write(&NewRecord::response(DATE, url, &http)).unwrap();
}

fn archive() -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), Packing::default());
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

//! Selecting records by indexes, and reading only those.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tsumugi_testkit::{Reply, Server};
use tsumugi_warc::{ArchiveReader, ArchiveWriter, Compression, NewRecord, Options};
use tsumugi_warc_remote::index::{Plan, Selection};
use tsumugi_warc_remote::{Address, Error, Remote};

/// A capture in the archives and indexes of these tests.
struct Capture {
    host: &'static str,
    surt: &'static str,
    mime: &'static str,
    detected: &'static str,
    language: &'static str,
    status: u16,
}

const CAPTURES: [Capture; 6] = [
    Capture {
        host: "a.test",
        surt: "test,a)/",
        mime: "text/html",
        detected: "text/html",
        language: "eng",
        status: 200,
    },
    Capture {
        host: "example.jp",
        surt: "jp,example)/",
        mime: "text/html",
        detected: "text/html",
        language: "jpn,eng",
        status: 200,
    },
    Capture {
        host: "www.example.jp",
        surt: "jp,example)/",
        mime: "text/html",
        detected: "application/xhtml+xml",
        language: "jpn",
        status: 200,
    },
    Capture {
        host: "blog.example.jp",
        surt: "jp,example,blog)/",
        mime: "text/plain",
        detected: "text/html",
        language: "jpn",
        status: 200,
    },
    Capture {
        host: "examples.jp",
        surt: "jp,examples)/",
        mime: "text/html",
        detected: "text/html",
        language: "jpn",
        status: 404,
    },
    Capture {
        host: "b.test",
        surt: "test,b)/",
        mime: "image/png",
        detected: "image/png",
        language: "",
        status: 200,
    },
];

/// Archive, number of the capture, offset and length of its record.
type Place = (String, usize, u64, u64);

/// Two archives with all captures each, the folder that contains them, and offset and length of each record.
struct World {
    folder: tempfile::TempDir,
    places: Vec<Place>,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for name in ["crawl-data/one.warc.gz", "crawl-data/two.warc.gz"] {
        let mut writer = ArchiveWriter::new(Vec::new(), Compression::default());
        for capture in &CAPTURES {
            let http = format!(
                "HTTP/1.1 {} X\r\nContent-Type: {}\r\n\r\n{name} {}",
                capture.status, capture.mime, capture.host
            );
            let url = format!("http://{}/", capture.host);
            writer.write(&NewRecord::response("2026-01-31T12:00:00Z", &url, http.as_bytes())).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default());
        let mut number = 0;
        while let Some(record) = reader.next() {
            let location = record.unwrap().location();
            places.push((name.to_owned(), number, location.offset, location.length.unwrap()));
            number += 1;
        }
    }
    World { folder, places }
}

impl World {
    fn cdxj(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .places
            .iter()
            .map(|(name, number, offset, length)| {
                let Capture { host, surt, mime, detected, language, status } = &CAPTURES[*number];
                format!(
                    r#"{surt} 20260131120000 {{"url": "http://{host}/", "mime": "{mime}", "mime-detected": "{detected}", "status": "{status}", "length": "{length}", "offset": "{offset}", "filename": "{name}", "languages": "{language}"}}"#
                )
            })
            .collect();
        lines.sort();
        lines
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Address {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        Address::File(path)
    }

    fn base(&self) -> Address {
        Address::File(self.folder.path().into())
    }

    /// Bodies of the records that a selection finds through an index.
    fn select(&self, index: &Address, selection: &str, base: &Address) -> Vec<String> {
        let remote = Remote::new(Default::default()).unwrap();
        let selection: Selection = selection.parse().unwrap();
        let plan = Plan::read(&remote, std::slice::from_ref(index), &selection, Some(base)).unwrap();
        assert_eq!(plan.counts().malformed, 0, "{:?}", plan.counts());
        let mut found = Vec::new();
        for archive in plan.archives() {
            let parts = remote.parts(&archive.address, archive.ranges()).unwrap();
            for (span, part) in archive.spans.iter().zip(parts) {
                let (range, bytes) = part.unwrap();
                let mut reader = ArchiveReader::from_part(&bytes[..], range.start, None, Options::default());
                while let Some(record) = reader.next() {
                    let record = record.unwrap();
                    if span.wants(record.location().offset) {
                        let body = String::from_utf8(record.body().to_vec()).unwrap();
                        found.push(body.rsplit("\r\n").next().unwrap().to_owned());
                    }
                }
            }
        }
        found
    }

    /// The expected result of a selection: these captures of both archives, in order.
    fn expected(&self, numbers: &[usize]) -> Vec<String> {
        let wanted = self.places.iter().filter(|(_, number, ..)| numbers.contains(number));
        wanted.map(|(name, number, ..)| format!("{name} {}", CAPTURES[*number].host)).collect()
    }
}

/// Selections and the captures that they find.
const SELECTIONS: [(&str, &[usize]); 7] = [
    ("", &[0, 1, 2, 3, 4, 5]),
    ("language=jpn,status=200", &[1, 2, 3]),
    ("language=jpn,mime=text/html", &[1, 3, 4]),
    ("domain=example.jp", &[1, 2, 3]),
    ("domain=jp,language=eng", &[1]),
    ("mime=image/*,mime=application/xhtml+xml", &[2, 5]),
    ("domain=nowhere.test", &[]),
];

fn gzip(lines: &[String]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for line in lines {
        writeln!(encoder, "{line}").unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn selects_by_plain_and_gzip_cdxj() {
    let world = world();
    let lines = world.cdxj();
    let plain = world.write("index.cdxj", (lines.join("\n") + "\n").as_bytes());
    let compressed = world.write("index/cdx-00000.gz", &[gzip(&lines[..5]), gzip(&lines[5..])].concat());
    for index in [plain, compressed] {
        for (selection, numbers) in SELECTIONS {
            assert_eq!(
                world.select(&index, selection, &world.base()),
                world.expected(numbers),
                "{selection}"
            );
        }
    }
}

#[test]
fn selects_by_cdx_in_columns() {
    let world = world();
    let mut lines = vec![" CDX N b a m s k r M S V g".to_owned()];
    for (name, number, offset, length) in &world.places {
        let Capture { host, surt, mime, status, .. } = &CAPTURES[*number];
        lines.push(format!(
            "{surt} 20260131120000 http://{host}/ {mime} {status} SHA - - {length} {offset} {name}"
        ));
    }
    let index = world.write("index.cdx", lines.join("\n").as_bytes());
    for (selection, numbers) in
        [("domain=example.jp,status=200", &[1, 2, 3][..]), ("mime=text/plain", &[3]), ("status=404", &[4])]
    {
        assert_eq!(world.select(&index, selection, &world.base()), world.expected(numbers), "{selection}");
    }
}

/// Writes ZipNum with two lines per block.
fn write_zipnum(world: &World) -> Address {
    let (mut blocks, mut cluster) = (Vec::new(), String::new());
    for (number, lines) in world.cdxj().chunks(2).enumerate() {
        let block = gzip(lines);
        let key = lines[0].splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        cluster += &format!("{key}\tcdx-00000.gz\t{}\t{}\t{}\n", blocks.len(), block.len(), number + 1);
        blocks.extend(block);
    }
    world.write("zipnum/cdx-00000.gz", &blocks);
    world.write("zipnum/cluster.idx", cluster.as_bytes())
}

#[test]
fn selects_by_the_blocks_of_zipnum() {
    let world = world();
    let cluster = write_zipnum(&world);
    for (selection, numbers) in SELECTIONS {
        assert_eq!(world.select(&cluster, selection, &world.base()), world.expected(numbers), "{selection}");
        assert_eq!(
            world.select(&cluster.parent(), selection, &world.base()),
            world.expected(numbers),
            "{selection}"
        );
    }
}

/// Serves the files of a folder and counts the bytes of their bodies.
fn serve(folder: &Path) -> (Server, Arc<Mutex<BTreeMap<String, usize>>>) {
    let (folder, sent) = (folder.to_owned(), Arc::new(Mutex::new(BTreeMap::new())));
    let counted = sent.clone();
    let server = Server::start(move |request| {
        let Ok(bytes) = std::fs::read(folder.join(request.target.trim_start_matches('/'))) else {
            return Reply::new(404, "");
        };
        let length = match request.range() {
            _ if request.method == "HEAD" => 0,
            Some((first, last)) => last.unwrap_or(bytes.len() - 1).min(bytes.len() - 1) + 1 - first,
            None => bytes.len(),
        };
        *counted.lock().unwrap().entry(request.target.clone()).or_default() += length;
        Reply::object(&Arc::new(bytes)).etag("\"x\"")
    });
    (server, sent)
}

#[test]
fn fetches_only_what_is_wanted_over_http() {
    let world = world();
    write_zipnum(&world);
    let (server, sent) = serve(world.folder.path());
    let cluster = Address::parse(&server.url("zipnum/cluster.idx")).unwrap();
    let base = Address::parse(&server.base()).unwrap();
    let found = world.select(&cluster, "domain=blog.example.jp", &base);
    assert_eq!(found, world.expected(&[3]));
    let sent = sent.lock().unwrap();
    let length = |name: &str| std::fs::metadata(world.folder.path().join(name)).unwrap().len() as usize;
    assert!(sent["/zipnum/cdx-00000.gz"] < length("zipnum/cdx-00000.gz"), "{sent:?}");
    assert!(sent["/crawl-data/one.warc.gz"] < length("crawl-data/one.warc.gz") / 2, "{sent:?}");
}

#[test]
fn counts_bad_lines_and_refuses_what_is_no_index() {
    let world = world();
    let mut lines = world.cdxj();
    lines.insert(1, "jp)/ 2026 {\"url\": ".into());
    lines.push("jp)/ 2026 {\"url\": \"http://jp/\", \"filename\": \"a\", \"offset\": \"1\"}".into());
    lines.push("jp)/ 2026 {\"url\": \"http://jp/\", \"filename\": \"a\", \"offset\": \"18446744073709551615\", \"length\": \"1\"}".into());
    let index = world.write("damaged.cdxj", lines.join("\n").as_bytes());
    let remote = Remote::new(Default::default()).unwrap();
    let plan = |index: &Address| {
        Plan::read(&remote, std::slice::from_ref(index), &Selection::default(), Some(&world.base()))
    };
    let counts = plan(&index).unwrap().counts().clone();
    assert_eq!((counts.wanted, counts.malformed, counts.captures), (12, 3, 15));
    assert!(counts.first_malformed.unwrap().contains("line 2"));
    for (name, bytes) in [("text", "Dear reader,\n".repeat(50)), ("bytes", "\0\u{1}\u{2}".into())] {
        let error = plan(&world.write(name, bytes.as_bytes())).unwrap_err();
        assert!(matches!(error, Error::Index { .. }), "{error}");
    }
    let missing = plan(&Address::File(world.folder.path().join("missing"))).unwrap_err();
    assert!(matches!(missing, Error::Open { .. }), "{missing}");
}

#[cfg(feature = "columnar")]
mod columnar {
    use arrow_array::{ArrayRef, Int16Array, Int32Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    /// The table as Common Crawl writes it: gzip, sorted by `url_surtkey`, here with four rows per row group.
    fn table(world: &World) -> Vec<u8> {
        let mut rows: Vec<_> = world.places.iter().collect();
        rows.sort_by_key(|(name, number, ..)| (CAPTURES[*number].surt, name.clone()));
        let text = |of: &dyn Fn(&Capture) -> String| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| Some(of(&CAPTURES[row.1])).filter(|t| !t.is_empty()))
                    .collect::<StringArray>(),
            )
        };
        let int = |of: fn(&Place) -> u64| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(of(row) as i32)).collect::<Int32Array>())
        };
        let statuses: Int16Array = rows.iter().map(|row| Some(CAPTURES[row.1].status as i16)).collect();
        let names: StringArray = rows.iter().map(|row| Some(row.0.as_str())).collect();
        let batch = RecordBatch::try_from_iter([
            ("url_surtkey", text(&|c| c.surt.into())),
            ("url", text(&|c| format!("http://{}/", c.host))),
            ("url_host_name", text(&|c| c.host.into())),
            ("content_mime_type", text(&|c| c.mime.into())),
            ("content_mime_detected", text(&|c| c.detected.into())),
            ("content_languages", text(&|c| c.language.into())),
            ("fetch_status", Arc::new(statuses) as ArrayRef),
            ("warc_filename", Arc::new(names) as ArrayRef),
            ("warc_record_offset", int(|row| row.2)),
            ("warc_record_length", int(|row| row.3)),
        ])
        .unwrap();
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(GzipLevel::default()))
            .set_max_row_group_row_count(Some(4))
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn selects_by_the_columnar_index() {
        let world = world();
        let index = world.write("part-00000.c000.gz.parquet", &table(&world));
        let unnamed = world.write("part", &table(&world));
        let (server, _) = serve(world.folder.path());
        let remote = Address::parse(&server.url("part-00000.c000.gz.parquet")).unwrap();
        for index in [index, unnamed, remote] {
            for (selection, numbers) in SELECTIONS {
                assert_eq!(
                    world.select(&index, selection, &world.base()),
                    world.expected(numbers),
                    "{selection}"
                );
            }
        }
    }

    #[test]
    fn leaves_row_groups_out_by_their_statistics() {
        let world = world();
        let index = world.write("a.parquet", &table(&world));
        let remote = Remote::new(Default::default()).unwrap();
        let captures = |selection: &str| {
            let plan = Plan::read(
                &remote,
                std::slice::from_ref(&index),
                &selection.parse().unwrap(),
                Some(&world.base()),
            );
            plan.unwrap().counts().captures
        };
        assert_eq!(captures(""), 12);
        assert_eq!(captures("domain=b.test"), 4);
        assert_eq!(captures("status=500"), 0);
    }

    #[test]
    fn names_the_file_and_the_missing_column() {
        let world = world();
        let bytes = table(&world);
        let remote = Remote::new(Default::default()).unwrap();
        let plan = |index: Address, selection: &str| {
            let error = Plan::read(&remote, &[index], &selection.parse().unwrap(), None).unwrap_err();
            format!("{error}: {}", std::error::Error::source(&error).unwrap())
        };
        let cut = world.write("cut.parquet", &bytes[..bytes.len() / 2]);
        assert!(plan(cut, "").contains("cut.parquet"));
        let whole = world.write("whole.parquet", &bytes);
        let missing = plan(whole, "charset=utf-8");
        assert!(missing.contains("whole.parquet") && missing.contains("content_charset"), "{missing}");
    }
}

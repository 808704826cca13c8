//! Reading over connections that break, from servers that misbehave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tsumugi_testkit::{Random, Reply, Request, Server};
use tsumugi_warc::{ArchiveReader, ArchiveWriter, Compression, Decoder, Event, NewRecord, Options};
use tsumugi_warc_remote::{Address, Error, Remote, RemoteConfig, RemoteError, RemoteFault, S3Settings};

/// An archive of pages that do not compress: about 700 kB.
fn archive() -> Arc<Vec<u8>> {
    let mut writer = ArchiveWriter::new(Vec::new(), Compression::default());
    let mut random = Random::new(7);
    for page in 0..40 {
        let mut http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".to_vec();
        http.extend(random.bytes(18_000));
        writer
            .write(&NewRecord::response("2026-01-31T12:00:00Z", &format!("http://a.test/{page}"), &http))
            .unwrap();
    }
    Arc::new(writer.finish().unwrap())
}

fn remote() -> Remote {
    Remote::new(options()).unwrap()
}

fn options() -> RemoteConfig {
    RemoteConfig { attempts: 4, first_wait_ms: 1, ..RemoteConfig::default() }
}

fn address(server: &Server) -> Address {
    Address::parse(&server.url("a/b.warc.gz")).unwrap()
}

fn read(server: &Server) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = remote().reader(&address(server))?.read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RemoteError>());
        inner.unwrap().clone().into()
    })
}

fn fault<T>(result: Result<T, Error>) -> RemoteFault {
    match result {
        Err(Error::Remote(error)) => error.fault.clone(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("no error"),
    }
}

/// Offset, address and body of each record.
fn records<R: Read>(mut reader: ArchiveReader<R>) -> Vec<(u64, String, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(record) = reader.next() {
        let record = record.unwrap();
        found.push((record.location().offset, record.uri().unwrap().into_owned(), record.body().to_vec()));
    }
    found
}

#[test]
fn continues_where_the_connection_was_cut() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |_| Reply::object(&served).etag("\"one\"").cut_after(150_000));
    let reader = remote().archive(&address(&server), Options::default()).unwrap();
    let local = records(ArchiveReader::from_reader(&bytes[..], Options::default()));
    assert_eq!((local.len(), records(reader) == local), (40, true));
    let starts: Vec<_> =
        server.requests().iter().map(|request| request.range().map(|range| range.0)).collect();
    assert_eq!(starts, [None, Some(150_000), Some(300_000), Some(450_000), Some(600_000)]);
}

#[test]
fn skips_bytes_it_has_if_the_server_ignores_ranges() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |request| {
        Reply::object(&served).ignore_range().cut_after(100_000 * (request.number + 1))
    });
    assert!(read(&server).unwrap() == *bytes);
}

#[test]
fn reads_objects_of_unknown_length() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |request| {
        let reply = Reply::object(&served).chunked().ignore_range();
        if request.number == 0 { reply.cut_after(90_000) } else { reply }
    });
    assert!(read(&server).unwrap() == *bytes);
    assert_eq!(remote().version(&address(&server)).unwrap().length, None);
}

#[test]
fn waits_while_the_server_is_busy() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |request| match request.number {
        0 => Reply::new(503, "slow down"),
        1 => Reply::new(429, "").header("Retry-After", "1"),
        2 => Reply::new(500, ""),
        _ => Reply::object(&served),
    });
    let start = Instant::now();
    assert!(read(&server).unwrap() == *bytes);
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was not respected");
}

#[test]
fn gives_up_after_all_attempts() {
    let server = Server::start(|_| Reply::new(503, ""));
    assert!(matches!(fault(read(&server)), RemoteFault::Status { status: 503, code: None }));
    assert_eq!(server.count(), 4);
    for (status, expected) in [
        (404, "the object does not exist (404)"),
        (403, "access is refused (403); check the URL and whether it needs a signature"),
        (401, "access is refused (401); check the URL and whether it needs a signature"),
        (410, "the server answers 410"),
        (501, "the server answers 501"),
    ] {
        let server = Server::start(move |_| Reply::new(status, "no"));
        assert_eq!(fault(read(&server)).to_string(), expected);
        assert_eq!(server.count(), 1, "{status} is final");
    }
    let nobody = Address::parse("http://127.0.0.1:9/a").unwrap();
    assert!(matches!(fault(remote().reader(&nobody)), RemoteFault::Connection(_)));
}

#[test]
fn never_mixes_two_versions_of_an_object() {
    let bytes = archive();
    let shorter = Arc::new(bytes[..bytes.len() - 1].to_vec());
    type Versions = fn(&Arc<Vec<u8>>, &Arc<Vec<u8>>, usize) -> Reply;
    let reply: [Versions; 4] = [
        |one, _, number| Reply::object(one).etag(&format!("\"{number}\"")),
        |one, two, number| Reply::object(if number == 0 { one } else { two }),
        |one, two, number| Reply::object(if number == 0 { one } else { two }).ignore_range(),
        |one, _, number| {
            Reply::object(one).header("Last-Modified", &format!("Sat, 31 Jan 2026 12:00:0{number} GMT"))
        },
    ];
    for (reply, expected) in reply.into_iter().zip(["ETag", "length", "length", "Last-Modified"]) {
        let (one, two) = (bytes.clone(), shorter.clone());
        let server = Server::start(move |request| reply(&one, &two, request.number).cut_after(200_000));
        match fault(read(&server)) {
            RemoteFault::Changed { what, .. } => assert_eq!(what, expected),
            other => panic!("{expected}: {other}"),
        }
    }
}

#[test]
fn notices_missing_bytes() {
    let bytes = archive();
    // The rest never arrives: each connection promises it and ends.
    let server = Server::start(move |request| match request.range() {
        None => Reply::object(&bytes).cut_after(1000),
        Some(_) => Reply::object(&bytes).cut_after(0),
    });
    assert!(matches!(fault(read(&server)), RemoteFault::Cut(_)));
    assert_eq!(server.count(), 4);
    // One byte per connection does not count as progress.
    let bytes = archive();
    let server = Server::start(move |_| Reply::object(&bytes).cut_after(1));
    assert!(matches!(fault(read(&server)), RemoteFault::Cut(_)));
}

#[test]
fn treats_a_stalled_connection_as_cut() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |request| match request.number {
        0 => Reply::object(&served).stall_after(100_000),
        _ => Reply::object(&served),
    });
    let mut options = options();
    options.idle_ms = 300;
    let mut read = Vec::new();
    Remote::new(options).unwrap().reader(&address(&server)).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == *bytes);
    assert_eq!(server.requests()[1].range(), Some((100_000, Some(bytes.len() - 1))));
}

#[test]
fn feeds_a_decoder_on_any_runtime() {
    let bytes = archive();
    let served = bytes.clone();
    let server = Server::start(move |_| Reply::object(&served).cut_after(200_000));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(async {
        let mut stream = remote().stream(&address(&server)).await.unwrap();
        assert_eq!(stream.version().length, Some(bytes.len() as u64));
        let mut decoder = Decoder::new(Options::default());
        let mut found = 0;
        loop {
            match decoder.next_event().unwrap() {
                Event::NeedInput => stream.feed(&mut decoder).await.unwrap(),
                Event::Record(_) => found += 1,
                Event::End => break found,
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(found, 40);
    // A blocking reader works on a thread of a runtime; it only blocks it.
    let all = runtime.block_on(async { read(&server) });
    assert!(all.unwrap() == *bytes);
}

#[test]
fn reports_the_version_of_an_object() {
    let bytes = archive();
    let length = bytes.len();
    for head in [200, 403, 405] {
        let served = bytes.clone();
        let server = Server::start(move |request| match request.method.as_str() {
            "HEAD" if head != 200 => Reply::new(head, ""),
            _ => Reply::object(&served).etag("\"x\""),
        });
        assert_eq!(remote().version(&address(&server)).unwrap().identity(), format!("{length}:\"x\""));
    }
}

#[test]
fn shows_no_keys_in_errors() {
    let server = Server::start(|_| {
        Reply::new(403, "<Code>AccessDenied</Code><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId>")
    });
    let url = server
        .url("a.warc.gz?X-Amz-Credential=AKIASECRET&X-Amz-Signature=SECRET")
        .replace("//", "//me:SECRET@");
    let error = remote().reader(&Address::parse(&url).unwrap()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("AccessDenied") && !shown.contains("SECRET"), "{shown}");
    let nobody = Address::parse("http://me:SECRET@127.0.0.1:9/a?token=SECRET").unwrap();
    let error = remote().reader(&nobody).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
}

#[test]
fn reads_parts_of_an_object() {
    let bytes = archive();
    let ranges = [10..500, 100_000..100_001, 200_000..400_000, bytes.len() as u64 - 5..bytes.len() as u64];
    let local = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(local.path(), &bytes[..]).unwrap();
    let plain = |_: &Request, bytes: &Arc<Vec<u8>>| Reply::object(bytes).etag("\"x\"");
    let cut = |_: &Request, bytes: &Arc<Vec<u8>>| Reply::object(bytes).cut_after(90_000);
    let whole = |request: &Request, bytes: &Arc<Vec<u8>>| {
        Reply::object(bytes).ignore_range().cut_after(200_000 * (1 + request.number))
    };
    type Behaviour = fn(&Request, &Arc<Vec<u8>>) -> Reply;
    let behaviours: [Behaviour; 3] = [plain, cut, whole];
    let mut addresses = vec![(None, Address::File(local.path().into()))];
    for behaviour in behaviours {
        let served = bytes.clone();
        let server = Server::start(move |request| behaviour(request, &served));
        addresses.push((Some(address(&server)), address(&server)));
    }
    for (_, address) in &addresses {
        let parts: Vec<_> =
            remote().parts(address, ranges.to_vec()).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(parts.len(), ranges.len());
        for (range, part) in parts {
            assert!(part[..] == bytes[range.start as usize..range.end as usize], "{address} {range:?}");
        }
        let beyond = bytes.len() as u64 - 5..bytes.len() as u64 + 5;
        let result = remote().parts(address, vec![0..10, beyond]).unwrap().collect::<Result<Vec<_>, _>>();
        assert!(matches!(fault(result), RemoteFault::OutOfRange { .. }), "{address}");
    }
}

#[test]
fn reads_s3_with_and_without_keys() {
    let bytes = archive();
    let served = bytes.clone();
    let listing = "<?xml version=\"1.0\"?><ListBucketResult><Name>crawl</Name><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>\
        <Contents><Key>p/b.warc.gz</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified><ETag>\"x\"</ETag><Size>5</Size></Contents>\
        <Contents><Key>p/a.warc.gz</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified><ETag>\"y\"</ETag><Size>5</Size></Contents>\
        </ListBucketResult>";
    let server = Server::start(move |request| match request.target.split('?').next().unwrap() {
        "/crawl/a/b%20c.warc.gz" => Reply::object(&served)
            .etag("\"x\"")
            .header("Last-Modified", "Sat, 31 Jan 2026 12:00:00 GMT")
            .cut_after(300_000),
        "/crawl" | "/crawl/" => Reply::new(200, listing),
        "/crawl/elsewhere" => Reply::new(301, "").header("x-amz-bucket-region", "ap-northeast-1"),
        _ => Reply::new(403, "<Error><Code>AccessDenied</Code></Error>"),
    });
    let mut without = options();
    without.s3 = S3Settings::default()
        .with("AWS_ENDPOINT_URL", server.base())
        .with("AWS_EC2_METADATA_DISABLED", "true")
        .with("AWS_ACCESS_KEY_ID", "");
    let mut with = without.clone();
    with.s3 = with.s3.with("AWS_ACCESS_KEY_ID", "AKIA-hidden").with("AWS_SECRET_ACCESS_KEY", "hidden");
    for (options, signed) in [(without, false), (with, true)] {
        assert!(!format!("{options:?}").contains("hidden"));
        let remote = Remote::new(options).unwrap();
        let before = server.count();
        let mut read = Vec::new();
        let address = Address::parse("s3://crawl/a/b c.warc.gz").unwrap();
        remote.reader(&address).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == *bytes);
        for request in &server.requests()[before..] {
            assert_eq!(request.header("authorization").is_some(), signed);
        }
        let listed = remote.list(&Address::parse("s3://crawl/p/").unwrap()).unwrap();
        let names: Vec<_> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["s3://crawl/p/a.warc.gz", "s3://crawl/p/b.warc.gz"]);
        let refused = remote.reader(&Address::parse("s3://crawl/secret").unwrap()).unwrap_err().to_string();
        assert!(refused.contains("AccessDenied") && refused.contains("AWS_ACCESS_KEY_ID"), "{refused}");
        let elsewhere =
            remote.reader(&Address::parse("s3://crawl/elsewhere").unwrap()).unwrap_err().to_string();
        assert!(elsewhere.contains("AWS_REGION=ap-northeast-1"), "{elsewhere}");
    }
}

#[test]
fn reads_lists_of_archives() {
    let mut list = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut list, b"crawl-data/one.warc.gz\n\n# two\nhttps://h.test/two.warc.gz\n")
        .unwrap();
    let list = Arc::new(list.finish().unwrap());
    let server = Server::start(move |_| Reply::object(&list));
    let list = Address::parse(&server.url("lists/warc.paths.gz")).unwrap();
    let names = |base: Option<&Address>| -> Vec<String> {
        remote().path_list(&list, base).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(None)[0], "https://data.commoncrawl.org/crawl-data/one.warc.gz");
    let base = Address::parse("s3://commoncrawl").unwrap();
    assert_eq!(names(Some(&base)), ["s3://commoncrawl/crawl-data/one.warc.gz", "https://h.test/two.warc.gz"]);
}

//! Strict mode, large bodies, random access, bounds on memory.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with the cases")]
#[path = "build/mod.rs"]
mod build;

use std::io::Read;

use build::{gz, http, record, zst};
use tsumugi_warc::{
    ArchiveReader, ArchiveWriter, Compression, NewRecord, Options, PayloadFault, PayloadLimits, Record,
};

#[test]
fn stops_at_the_first_fault_in_strict_mode() {
    let bytes = [record("one"), b"what?\r\n\r\n".to_vec(), record("two")].concat();
    let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default().with_strict(true));
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().unwrap_err().is_damage());
    assert!(reader.next().is_none());
}

#[test]
fn bounds_the_memory_of_payloads() {
    let bomb = gz(vec![0; 4 << 20]);
    let archive = http("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", &bomb);
    let mut reader = ArchiveReader::from_reader(&archive[..], Options::default());
    let record = reader.next().unwrap().unwrap();
    let limits = PayloadLimits::default().with_bytes(1 << 20);
    let payload = record.payload(&limits);
    assert_eq!(payload.fault(), Some(PayloadFault::TooLarge));
    assert!(payload.bytes().len() <= 1 << 20);
    let mut payload = record.into_payload_reader(&limits).unwrap();
    assert_eq!(std::io::copy(&mut payload, &mut std::io::sink()).unwrap(), 1 << 20);
    assert_eq!(payload.fault(), Some(PayloadFault::TooLarge));
}

#[test]
fn streams_large_bodies() {
    let large = "0123456789".repeat(100_000);
    let archive = [record("one"), record(&large), record("three")].concat();
    for compressed in [archive.clone(), gz(&archive), zst(&archive)] {
        let options = Options::default().with_buffer_limit(64 << 10);
        let mut reader = ArchiveReader::from_reader(&compressed[..], options);
        assert_eq!(reader.next().unwrap().unwrap().body(), b"one");
        let record = reader.next().unwrap().unwrap();
        assert!(record.is_streamed());
        let mut body = String::new();
        record.into_reader().read_to_string(&mut body).unwrap();
        assert!(body == large);
        assert_eq!(reader.next().unwrap().unwrap().body(), b"three");
        assert!(reader.next().is_none());
    }
}

/// The payload of the first record, held in memory and streamed.
fn both_ways(archive: &[u8]) -> [(Vec<u8>, Option<u16>); 2] {
    let streamed = |record: Record<'_>| {
        let mut payload = record.into_payload_reader(&PayloadLimits::default()).unwrap();
        let mut bytes = Vec::new();
        payload.read_to_end(&mut bytes).unwrap();
        assert_eq!(payload.fault(), None);
        (bytes, payload.status())
    };
    let held = |record: Record<'_>| {
        let status = record.http().and_then(|http| http.status());
        (record.payload(&PayloadLimits::default()).into_bytes().into_owned(), status)
    };
    let options = Options::default().with_buffer_limit(1000);
    let mut reader = ArchiveReader::from_reader(archive, options);
    let first = reader.next().unwrap().unwrap();
    assert!(first.is_streamed());
    let streamed = streamed(first);
    let mut reader = ArchiveReader::from_reader(archive, Options::default());
    [held(reader.next().unwrap().unwrap()), streamed]
}

#[test]
fn decodes_streamed_payloads_as_held_ones() {
    let text: String = (0..20_000).map(|i| format!("{} ", i * 7919 % 10_007)).collect();
    let mut chunks: Vec<u8> = text
        .as_bytes()
        .chunks(777)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    chunks.extend_from_slice(b"0\r\n\r\n");
    let rows = [
        ("HTTP/1.1 200 OK\r\nA: b", text.as_bytes().to_vec()),
        ("HTTP/1.1 404 No\r\nContent-Encoding: gzip", [gz(&text[..100]), gz(&text[100..])].concat()),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: deflate", build::zlib(&text)),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: deflate", build::deflate(&text)),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: zstd", zst(&text)),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: br", text.as_bytes().to_vec()),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", chunks),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip", text.as_bytes().to_vec()),
    ];
    for (head, body) in rows {
        let [held, streamed] = both_ways(&http(head, body));
        assert_eq!(held.1, streamed.1, "{head}");
        assert!(held.0 == text.as_bytes() && streamed.0 == held.0, "{head}");
    }
}

#[test]
fn opens_records_by_their_location() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let bodies = ["one", "two", "three", "four"];
    let dictionary = record("a dictionary of what the records share");
    let frame = {
        let size = u32::try_from(dictionary.len()).unwrap().to_le_bytes();
        [&[0x5d, 0x2a, 0x4d, 0x18][..], &size, &dictionary].concat()
    };
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    let mut with_dictionary = frame;
    for body in bodies {
        with_dictionary.extend(compressor.compress(&record(body)).unwrap());
    }
    let archives = [
        bodies.map(record).concat(),
        bodies.map(|body| gz(record(body))).concat(),
        gz(bodies.map(record).concat()),
        zst(bodies.map(record).concat()),
        with_dictionary,
    ];
    for archive in archives {
        std::fs::write(&path, archive).unwrap();
        let mut reader = ArchiveReader::open(&path).unwrap();
        let mut places = Vec::new();
        while let Some(record) = reader.next() {
            let record = record.unwrap();
            places.push((record.location(), record.body().to_vec()));
        }
        assert_eq!(places.len(), bodies.len());
        for (place, body) in places.iter().rev() {
            let mut reader = ArchiveReader::open_record(&path, *place, Options::default()).unwrap();
            let record = reader.next().unwrap().unwrap();
            assert_eq!((record.location(), record.body()), (*place, &body[..]));
        }
    }
}

#[test]
fn reads_what_was_written() {
    let http = b"HTTP/1.1 200 OK\r\n\r\nhello";
    let digest = tsumugi_warc::sha1_base32(b"hello");
    let date = "2026-01-31T12:00:00Z";
    for compression in [Compression::Plain, Compression::Gzip(6), Compression::Zstd(3)] {
        let mut writer = ArchiveWriter::new(Vec::new(), compression);
        let records = [
            NewRecord::warcinfo(date, "a.warc", b"software: x\r\n"),
            NewRecord::request(date, "http://a.test/", b"GET / HTTP/1.1\r\n\r\n"),
            NewRecord::response(date, "http://a.test/", http),
            NewRecord::revisit(date, "http://a.test/", date, &digest, b"HTTP/1.1 200 OK\r\n\r\n"),
        ];
        let places: Vec<_> = records.iter().map(|record| writer.write(record).unwrap()).collect();
        let archive = writer.finish().unwrap();
        let mut reader = ArchiveReader::from_reader(&archive[..], Options::default().with_strict(true));
        for place in places {
            let record = reader.next().unwrap().unwrap();
            assert_eq!(record.location(), place);
            assert!(record.check_digests().is_ok() && record.check_digests().block == Some(true));
        }
        assert!(reader.next().is_none());
    }
}

/// Chunks of one byte: a coding is recognised by more than the first of them.
#[test]
fn recognises_codings_by_more_than_a_chunk() {
    let text = "some text that is compressed ".repeat(40);
    let chunk = |byte: u8| [b"1\r\n", &[byte][..], b"\r\n"].concat();
    let cases = [
        ("gzip", gz(&text)),
        ("zstd", zst(&text)),
        ("gzip", zst(&text)),
        ("deflate", gz(&text)),
        ("br", text.clone().into()),
    ];
    for (coding, body) in cases {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: {coding}");
        let chunks: Vec<u8> = body.iter().flat_map(|byte| chunk(*byte)).chain(*b"0\r\n\r\n").collect();
        let archive = http(&head, &chunks);
        let [large, small] = [10, 1 << 20].map(|limit| {
            let mut reader =
                ArchiveReader::from_reader(&archive[..], Options::default().with_buffer_limit(limit));
            let mut payload =
                reader.next().unwrap().unwrap().into_payload_reader(&PayloadLimits::default()).unwrap();
            let mut out = String::new();
            payload.read_to_string(&mut out).unwrap();
            assert_eq!(payload.fault(), None);
            out
        });
        assert_eq!((&large, &small), (&text, &text), "{coding}");
    }
}

#[test]
fn reports_a_damaged_chunk_below_a_coding_as_a_payload_fault() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip";
    let archive = http(head, [b"a\r\n", &gz("hello")[..10], b"\r\nzz\r\n"].concat());
    let mut reader = ArchiveReader::from_reader(&archive[..], Options::default().with_buffer_limit(10));
    let mut payload = reader.next().unwrap().unwrap().into_payload_reader(&PayloadLimits::default()).unwrap();
    std::io::copy(&mut payload, &mut std::io::sink()).unwrap();
    assert_eq!(payload.fault().map(PayloadFault::name), Some("payload_corrupt"));
}

#[test]
fn detects_a_length_that_the_archive_cannot_contain() {
    let lie = "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 999999999999\r\n\r\none\r\n\r\n";
    let plain = [lie.as_bytes(), &record("two"), &record("three")].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    // One member contains all records: only the length tells where the first one ends.
    for bytes in [gz(&plain), zst(&plain), build::lz4(&plain), plain] {
        std::fs::write(&path, &bytes).unwrap();
        let mut reader = ArchiveReader::open(&path).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().body(), b"one");
        let fault = reader.next().unwrap().unwrap_err().to_string();
        assert!(fault.contains("Content-Length is larger than the body"), "{fault}");
        assert_eq!(reader.next().unwrap().unwrap().body(), b"two");
        assert_eq!(reader.next().unwrap().unwrap().body(), b"three");
        assert!(reader.next().is_none());
    }
}

#[test]
fn checks_digests_of_streamed_bodies() {
    let content = "0123456789".repeat(100_000);
    let chunked = format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len());
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let block = format!("{head}{chunked}");
    let digest = |text: &str| tsumugi_warc::sha1_base32(text.as_bytes());
    let wrong = digest("something else");
    let cases = [
        (digest(&block), digest(&chunked), Some(true), Some(true)),
        (digest(&block), digest(&content), Some(true), Some(true)),
        (digest(&block), wrong.clone(), Some(true), Some(false)),
        (wrong, "rot13:x".to_owned(), Some(false), None),
    ];
    for (of_block, of_payload, block_right, payload_right) in cases {
        let record = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Block-Digest: {of_block}\r\n\
             WARC-Payload-Digest: {of_payload}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
            block.len()
        );
        for limit in [16 << 20, 64 << 10] {
            let options = Options::default().with_buffer_limit(limit);
            let mut reader = ArchiveReader::from_reader(record.as_bytes(), options.clone());
            let found = reader.next().unwrap().unwrap();
            assert_eq!(found.is_streamed(), limit < block.len());
            let check = found.into_digest_check().unwrap();
            assert_eq!((check.block, check.payload), (block_right, payload_right));
            // A truncated body cannot be checked.
            let cut = &record.as_bytes()[..record.len() - 1000];
            let mut reader = ArchiveReader::from_reader(cut, options);
            let check = reader.next().unwrap().unwrap().into_digest_check().unwrap();
            assert_eq!((check.block, check.payload), (None, None));
        }
    }
}

//! Odd and damaged archives: what is read from each, and which faults are reported.

#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod build;

use build::{gz, http, record, zst};
use tsumugi_warc::{ArchiveReader, Error, Options, PayloadLimits};

/// Payloads of the records, and names of the faults, in order.
fn read(bytes: &[u8]) -> (Vec<String>, Vec<&'static str>) {
    let (mut payloads, mut faults) = (Vec::new(), Vec::new());
    let mut reader = ArchiveReader::from_reader(bytes, Options::default());
    while let Some(record) = reader.next() {
        match record {
            Ok(record) => {
                let payload = record.payload(&PayloadLimits::default());
                payloads.push(String::from_utf8_lossy(payload.bytes()).into_owned());
            }
            Err(Error::Damage(fault)) => faults.push(fault.kind.name()),
            Err(Error::NotAnArchive { .. }) => faults.push("not_an_archive"),
            Err(_) => faults.push("error"),
        }
    }
    (payloads, faults)
}

fn check(name: &str, bytes: &[u8], payloads: &[&str], faults: &[&str]) {
    let (got, found) = read(bytes);
    assert_eq!(got, payloads, "payloads of {name}");
    assert_eq!(found, faults, "faults of {name}");
}

#[test]
fn reads_all_packings() {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let all = ["one", "two", "three"];
    let plain = [&a[..], &b, &c].concat();
    check("plain", &plain, &all, &[]);
    check("a member a record", &[gz(&a), gz(&b), gz(&c)].concat(), &all, &[]);
    check("one member for all", &gz(&plain), &all, &[]);
    check("two records a member", &[gz(&[&a[..], &b].concat()), gz(&c)].concat(), &all, &[]);
    let (left, right) = plain.split_at(a.len() + 40);
    check("a record over two members", &[gz(left), gz(right)].concat(), &all, &[]);
    check("empty members", &[gz(b""), gz(&a), gz(b""), gz(&b), gz(&c), gz(b"")].concat(), &all, &[]);
    check("zero padding", &[&gz(&plain)[..], &[0; 512]].concat(), &all, &[]);
    check("zeros between members", &[&gz(&a)[..], &[0; 32], &gz(&b), &gz(&c)].concat(), &all, &[]);
    check("zstd by frame", &[zst(&a), zst(&b), zst(&c)].concat(), &all, &[]);
    check("zstd whole", &zst(&plain), &all, &[]);
    let skip = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    check(
        "zstd with skippable frames",
        &[&skip[..], &zst(&a), &skip, &zst(&b), &zst(&c)].concat(),
        &all,
        &[],
    );
}

#[test]
fn reads_odd_records() {
    let lf = b"WARC/1.0\nwarc-type: resource\nCONTENT-LENGTH: 3\n\none\n\n";
    check("LF only, any case", &[&lf[..], &record("two")].concat(), &["one", "two"], &[]);
    let folded = b"WARC/1.0\r\nX: a\r\n b\r\nWARC-Type:\r\n resource\r\nContent-Length: 3\r\n\r\none\r\n\r\n";
    check("folded", folded, &["one"], &[]);
    let later = b"WARC/2.5\r\nWARC-Type: resource\r\nContent-Length: 3\r\n\r\none\r\n\r\n";
    check("a later version", later, &["one"], &[]);
    let raw = b"WARC/0.17\r\nWARC-Type: resource\r\nWARC-Target-URI: <http://a/\xe9>\r\nContent-Length: 3\r\n\r\none\r\n\r\n";
    check("raw bytes", raw, &["one"], &[]);
    let bare = b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 3\r\n\r\none";
    check("no line ends after the body", &[&bare[..], &record("two")].concat(), &["one", "two"], &[]);
    check(
        "blank lines between",
        &[b"\r\n\r\n", &record("one")[..], b"\r\n\r\n\r\n", &record("two")].concat(),
        &["one", "two"],
        &[],
    );
    let arc = b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 4\n1 0\n\nhttp://a/ 1.2.3.4 20080430204825 text/html 22\n\
        HTTP/1.1 200 OK\r\n\r\none\nhttp://b/x y 1.2.3.4 20080430204825 text/plain 200 - - 0 a.arc 3\ntwo\n";
    check("ARC", arc, &["1 0\n", "one", "two"], &[]);
    check("ARC, gzip", &gz(arc), &["1 0\n", "one", "two"], &[]);
}

#[test]
fn goes_on_behind_damage() {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let wrong = |length: &str| {
        format!("WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {length}\r\n\r\ntwo\r\n\r\n").into_bytes()
    };
    let no_length = b"WARC/1.0\r\nWARC-Type: resource\r\n\r\ntwo\r\n\r\n".to_vec();
    let all: &[&str] = &["one", "two", "three"];
    for packed in [false, true] {
        let join = |parts: &[&[u8]]| -> Vec<u8> {
            parts.iter().flat_map(|part| if packed { gz(part) } else { part.to_vec() }).collect()
        };
        check("too small", &join(&[&a, &wrong("1"), &c]), all, &["length_too_small"]);
        check("too large", &join(&[&a, &wrong("90"), &c]), all, &["length_too_large"]);
        check("far too large", &join(&[&a, &wrong("99999999999"), &c]), all, &["length_too_large"]);
        check("no length", &join(&[&a, &no_length, &c]), all, &["missing_length"]);
        check("no number", &join(&[&a, &wrong("-7"), &c]), all, &["invalid_length"]);
        check(
            "words between",
            &join(&[&a, b"What is this?\r\n\r\n", &c]),
            &["one", "three"],
            &["not_a_record"],
        );
        check("words after", &join(&[&a, &b, b"The end.\n"]), &["one", "two"], &["not_a_record"]);
    }
    check("cut body", &[&a[..], &b[..b.len() - 6]].concat(), &["one", "t"], &["truncated_body"]);
    check("cut header", &[&a[..], &b[..20]].concat(), &["one", ""], &["truncated_header"]);
    check("cut in a member", &[&gz(&a)[..], &gz(&b)[..40]].concat(), &["one"], &["truncated_member"]);
    let cut = [&gz(&a)[..], &gz(&b)[..gz(&b).len() - 4]].concat();
    check("cut in a member's trailer", &cut, &["one", "two"], &["truncated_member"]);
    check("garbage after", &[&gz(&a)[..], b"garbage"].concat(), &["one"], &["garbage"]);
    check("garbage between", &[&gz(&a)[..], b"garbage", &gz(&b)].concat(), &["one", "two"], &["garbage"]);
    check("garbage before", &[b"garbage", &gz(&a)[..], &gz(&b)].concat(), &["one", "two"], &["garbage"]);
    check("nothing", b"", &[], &[]);
    check("a text", b"Dear reader,\nthis is a letter.\n", &[], &["not_an_archive"]);
    check("a packed text", &gz(b"Dear reader"), &[], &["not_an_archive"]);
}

#[test]
fn reports_corrupt_members_and_keeps_the_others() {
    let long = "0123456789abcdef".repeat(4000);
    let [a, b, c] = ["one", &long, "three"].map(record);
    let (first, damaged, last) = (gz(&a), gz(&b), gz(&c));
    for at in [12, damaged.len() / 2, damaged.len() - 6] {
        let mut damaged = damaged.clone();
        damaged[at] ^= 0x55;
        let (payloads, faults) = read(&[&first[..], &damaged, &last].concat());
        assert_eq!(
            (payloads.first().unwrap().as_str(), payloads.last().unwrap().as_str()),
            ("one", "three"),
            "byte {at}"
        );
        assert!(!faults.is_empty() && faults.len() <= 2, "byte {at}: {faults:?}");
    }
    let mut offsets = Vec::new();
    let bytes = [&first[..], &damaged[..damaged.len() / 2], &last].concat();
    let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default());
    while let Some(record) = reader.next() {
        if let Err(Error::Damage(fault)) = record {
            offsets.push(fault.offset);
        }
    }
    assert_eq!(offsets.first(), Some(&(first.len() as u64)));
}

#[test]
fn stops_at_the_first_fault_in_strict_mode() {
    let bytes = [record("one"), b"what?\r\n\r\n".to_vec(), record("two")].concat();
    let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default().with_strict(true));
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().unwrap_err().is_damage());
    assert!(reader.next().is_none());
}

#[test]
fn takes_codings_off() {
    let check = |name: &str, head: &str, body: &[u8], payload: &str| {
        check(name, &http(head, body), &[payload], &[]);
    };
    check("plain", "HTTP/1.1 200 OK", b"hello", "hello");
    check(
        "chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        b"5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n",
        "hello",
    );
    check("chunked lie", "HTTP/1.1 200\r\nTransfer-Encoding: chunked", b"hello", "hello");
    check("gzip", "HTTP/2 200\r\ncontent-encoding: gzip", &gz(b"hello"), "hello");
    check("gzip lie", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip", b"hello", "hello");
    check("gzip twice", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip", &gz(&gz(b"hello")), "hello");
    check("zstd", "HTTP/1.1 200 OK\r\nContent-Encoding: zstd", &zst(b"hello"), "hello");
    check("identity", "HTTP/1.1 200 OK\r\nContent-Encoding: identity", b"hello", "hello");
    check("unknown", "HTTP/1.1 200 OK\r\nContent-Encoding: utf-8", b"hello", "hello");
    let both = [b"1a\r\n", &gz(b"hello!")[..], b"\r\n0\r\n\r\n"].concat();
    check(
        "gzip in chunks",
        "HTTP/1.1 200 OK\nContent-Encoding: x-gzip\nTransfer-Encoding: chunked",
        &both,
        "hello!",
    );
    check("continue first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b", b"hello", "hello");
}

#[test]
fn bounds_the_memory_of_payloads() {
    let bomb = gz(&vec![0; 4 << 20]);
    let archive = http("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", &bomb);
    let mut reader = ArchiveReader::from_reader(&archive[..], Options::default());
    let record = reader.next().unwrap().unwrap();
    let payload = record.payload(&PayloadLimits::default().with_bytes(1 << 20));
    assert_eq!(payload.fault().unwrap().to_string(), "payload is larger than the limit");
    assert!(payload.bytes().len() <= 1 << 20);
}

#[test]
fn reads_large_bodies_in_pieces() {
    let large = "0123456789".repeat(100_000);
    let archive = [record("one"), record(&large), record("three")].concat();
    for packed in [archive.clone(), gz(&archive), zst(&archive)] {
        let options = Options::default().with_buffer_limit(64 << 10);
        let mut reader = ArchiveReader::from_reader(&packed[..], options);
        assert_eq!(reader.next().unwrap().unwrap().body(), b"one");
        let record = reader.next().unwrap().unwrap();
        assert!(record.is_streamed());
        let mut body = String::new();
        std::io::Read::read_to_string(&mut record.into_reader(), &mut body).unwrap();
        assert!(body == large);
        assert_eq!(reader.next().unwrap().unwrap().body(), b"three");
        assert!(reader.next().is_none());
    }
}

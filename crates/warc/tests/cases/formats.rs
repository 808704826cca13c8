//! Versions and kinds of archives, and their compression.

use crate::build::{Case, case, gz, lz4, record, with, zst};

const ALL: [&str; 3] = ["resource - one", "resource - two", "resource - three"];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = versions();
    cases.extend(kinds());
    cases.extend(arc());
    cases.extend(compressions());
    cases.extend(zstd());
    cases.extend(mixed());
    cases
}

fn versions() -> Vec<Case> {
    let version = |version: &str| {
        let lines = format!("{version}\r\nWARC-Type: resource\r\nContent-Length: 3\r\n\r\none\r\n\r\n");
        case(format!("version {version}"), lines, &ALL[..1])
    };
    ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1", "WARC/1.2", "WARC/2.0", "WARC/12.34", "warc/1.0"]
        .map(version)
        .into()
}

fn kinds() -> Vec<Case> {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>";
    let dns = with(
        "WARC-Type: response\r\nWARC-Target-URI: dns:a.test\r\nContent-Type: text/dns",
        "a.test 1.2.3.4",
    );
    let wat = with("WARC-Type: metadata\r\nContent-Type: application/json", "{\"Container\":{}}");
    let untyped = with("Content-Type: application/http; msgtype=response", ok);
    vec![
        case("warcinfo", with("WARC-Type: warcinfo", "format: WARC\r\n"), &["warcinfo - format: WARC\\r\\n"]),
        case("response", with("WARC-Type: response", ok), &["response 200 <p>"]),
        case("request", with("WARC-Type: request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &["request - "]),
        case(
            "request with a body",
            with("WARC-Type: request", "POST / HTTP/1.1\r\nHost: a\r\n\r\na=b"),
            &["request - a=b"],
        ),
        case(
            "metadata",
            with("WARC-Type: metadata", "fetchTimeMs: 1\r\n"),
            &["metadata - fetchTimeMs: 1\\r\\n"],
        ),
        case("revisit", with("WARC-Type: revisit", "HTTP/1.1 304 Not Modified\r\n\r\n"), &["revisit 304 "]),
        case("revisit without header", with("WARC-Type: revisit", ""), &["revisit - "]),
        case(
            "WET",
            with("WARC-Type: conversion\r\nContent-Type: text/plain", "text"),
            &["conversion - text"],
        ),
        case("WAT", wat, &["metadata - {\\\"Container\\\":{}}"]),
        case(
            "continuation",
            with("WARC-Type: continuation\r\nWARC-Segment-Number: 2", "more"),
            &["continuation - more"],
        ),
        case("a type of its own", with("WARC-Type: screenshot", "x"), &["screenshot - x"]),
        case("no type", with("X: y", "x"), &["- - x"]),
        case("no type, but a message", untyped, &["- 200 <p>"]),
        case("DNS", dns, &["response - a.test 1.2.3.4"]),
        case("response that is not HTTP", with("WARC-Type: response", "220 ftp"), &["response - 220 ftp"]),
        case("an empty file", "", &[]),
        case("a text", "Dear reader,\nthis is a letter.\n", &["!not_an_archive"]),
        case("a compressed text", gz("Dear reader"), &["!not_an_archive"]),
    ]
}

fn arc() -> Vec<Case> {
    let one = "filedesc://a.arc 0.0.0.0 20080430204825 text/plain 4\n1 0\n\n\
        http://a/ 1.2.3.4 20080430204825 text/html 22\nHTTP/1.1 200 OK\r\n\r\none\n\
        http://b/x y 1.2.3.4 20080430204825 text/plain 3\ntwo\n";
    let two = "filedesc://a.arc 0.0.0.0 20080430204825 text/plain 200 - - 0 a.arc 4\n2 0\n\n\
        http://a/ 1.2.3.4 20080430204825 text/html 200 - - 77 a.arc 22\nHTTP/1.1 200 OK\r\n\r\none\n\
        http://b/ 1.2.3.4 20080430204825 text/plain 200 - - 99 a.arc 3\ntwo\n";
    let odd = "filedesc://a.arc 0.0.0.0 20080430204825 text/plain 4\n1 0\n\n\
        http://a/ 1.2.3.4 20080430204825 text/html; charset=utf-8 3\none\n\
        http://b/ 1.2.3.4 20080430204825 text/plain -1\ntwo\n\
        dns:c 1.2.3.4 20080430204825 text/dns 5\nthree\n";
    let read = |first| vec![first, "response 200 one", "response - two"];
    let at = |text: &str, part: &str| text.find(part).unwrap_or(usize::MAX);
    let parts: Vec<u8> = one.split_inclusive("\n\n").flat_map(gz).collect();
    let long = one.replace("plain 3\ntwo", "plain 9\ntwo");
    vec![
        case("ARC 1", one, &read("warcinfo - 1 0\\n")),
        case("ARC 2", two, &read("warcinfo - 2 0\\n")),
        case("ARC 1, CRLF", one.replace(" 22\n", " 22\r\n"), &read("warcinfo - 1 0\\n")),
        case("ARC, one gzip member", gz(one), &read("warcinfo - 1 0\\n")),
        case("ARC, gzip members", parts, &read("warcinfo - 1 0\\n")),
        case("ARC, zstd", zst(two), &read("warcinfo - 2 0\\n")),
        case(
            "ARC with odd lines",
            odd,
            &[
                "warcinfo - 1 0\\n",
                "response - one",
                "response - two",
                &format!("!invalid_length @{}", at(odd, "http://b/")),
                "response - three",
            ],
        ),
        case(
            "ARC, cut in a body",
            long.clone(),
            &[
                "warcinfo - 1 0\\n",
                "response 200 one",
                "response - two\\n cut",
                &format!("!truncated_body @{}", at(&long, "http://b/")),
            ],
        ),
        case("ARC without its first record", &one[at(one, "http://a/")..], &read("warcinfo - 1 0\\n")[1..]),
    ]
}

fn compressions() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let plain = [&a[..], &b, &c].concat();
    let (left, right) = plain.split_at(a.len() + 40);
    let thirds: Vec<u8> = plain.chunks(plain.len() / 9).flat_map(gz).collect();
    let named = {
        let mut encoder = flate2::GzBuilder::new()
            .filename("a.warc")
            .comment("c")
            .extra("sl\x08\0abcdefgh")
            .buf_read(&plain[..], flate2::Compression::best());
        let mut out = Vec::new();
        std::io::Read::read_to_end(&mut encoder, &mut out).map(|_| out).unwrap_or_default()
    };
    let stored = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        std::io::Write::write_all(&mut encoder, &plain).and_then(|()| encoder.finish()).unwrap_or_default()
    };
    vec![
        case("plain", plain.clone(), &ALL),
        case("gzip by record", [gz(&a), gz(&b), gz(&c)].concat(), &ALL),
        case("one gzip member", gz(&plain), &ALL),
        case("gzip, stored blocks", stored, &ALL),
        case("gzip, all header fields", named, &ALL),
        case("gzip, two records a member", [gz([&a[..], &b].concat()), gz(&c)].concat(), &ALL),
        case("gzip, a record over two members", [gz(left), gz(right)].concat(), &ALL),
        case("gzip, a record over many members", thirds, &ALL),
        case("gzip, header and body apart", [gz(&a[..50]), gz(&a[50..]), gz(&b), gz(&c)].concat(), &ALL),
        case("gzip, empty members", [gz(""), gz(&a), gz(""), gz(""), gz(&b), gz(&c), gz("")].concat(), &ALL),
        case("gzip, nothing but an empty member", gz(""), &[]),
        case("gzip, zeros behind", [&gz(&plain)[..], &[0; 512]].concat(), &ALL),
        case("gzip, zeros between", [&gz(&a)[..], &[0; 32], &gz(&b), &gz(&c)].concat(), &ALL),
        case(
            "gzip, line ends around",
            [b"\r\n", &gz(&a)[..], b"\n", &gz(&b), &gz(&c), b"\r\n\r\n"].concat(),
            &ALL,
        ),
        case(
            "zstd, line ends around",
            [b"\n", &zst(&a)[..], b"\n", &zst(&b), &zst(&c), b"\r\n"].concat(),
            &ALL,
        ),
        case("gzip, zeros inside a member", gz([&a[..], &[0; 99], &b, &c].concat()), &ALL),
        case("plain, zeros behind", [&plain[..], &[0; 4096]].concat(), &ALL),
        case("zstd by record", [zst(&a), zst(&b), zst(&c)].concat(), &ALL),
        case("one zstd frame", zst(&plain), &ALL),
        case("lz4 by record", [lz4(&a), lz4(&b), lz4(&c)].concat(), &ALL),
        case("one lz4 frame", lz4(&plain), &ALL),
        case("lz4, a record over two frames", [lz4(left), lz4(right)].concat(), &ALL),
        case(
            "lz4, skippable frames",
            [skippable(0x50), lz4(&a), skippable(0x5f), lz4(&b), lz4(&c)].concat(),
            &ALL,
        ),
    ]
}

/// A skippable frame (zstd and LZ4 have the same).
fn skippable(first: u8) -> Vec<u8> {
    [&[first, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat()
}

/// Concatenated archives of several forms.
fn mixed() -> Vec<Case> {
    type Compress = fn(&[u8]) -> Vec<u8>;
    let [a, b, c] = ["one", "two", "three"].map(record);
    let compressions: [(&str, Compress); 4] = [
        ("plain", |bytes| bytes.to_vec()),
        ("gzip", |bytes| gz(bytes)),
        ("zstd", |bytes| zst(bytes)),
        ("lz4", |bytes| lz4(bytes)),
    ];
    let mut cases = Vec::new();
    for (first, one) in compressions {
        for (second, two) in compressions.iter().filter(|(second, _)| *second != first) {
            cases.push(case(
                format!("{first}, {second}, {first}"),
                [one(&a), two(&b), one(&c)].concat(),
                &ALL,
            ));
            let fault =
                format!("!{} @{}", if first == "plain" { "not_a_record" } else { "garbage" }, one(&a).len());
            cases.push(case(
                format!("{first}, words, {second}"),
                [one(&a), b"some words\n".to_vec(), two(&b), two(&c)].concat(),
                &[ALL[0], &fault, ALL[1], ALL[2]],
            ));
        }
    }
    cases
}

fn zstd() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let dictionary = record("a body that all records share in part, so that a dictionary helps");
    let with_dictionary = |bytes: &[u8]| {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap_or_default();
        compressor.compress(bytes).unwrap_or_default()
    };
    let frame = |content: &[u8]| {
        let size = u32::try_from(content.len()).unwrap_or(0).to_le_bytes();
        [&[0x5d, 0x2a, 0x4d, 0x18][..], &size, content].concat()
    };
    let second = record("another body, and in this file all records share a part of this one");
    let of_second = |bytes: &[u8]| {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &second).unwrap_or_default();
        compressor.compress(bytes).unwrap_or_default()
    };
    let frames = [with_dictionary(&a), with_dictionary(&b), with_dictionary(&c)].concat();
    vec![
        case(
            "zstd, skippable frames",
            [skippable(0x50), zst(&a), skippable(0x53), zst(&b), zst(&c)].concat(),
            &ALL,
        ),
        case("zstd, dictionary", [frame(&dictionary), frames.clone()].concat(), &ALL),
        case("zstd, compressed dictionary", [frame(&zst(&dictionary)), frames].concat(), &ALL),
        case(
            "zstd, two dictionaries",
            [frame(&dictionary), with_dictionary(&a), frame(&second), of_second(&b), of_second(&c)].concat(),
            &ALL,
        ),
        case("zstd, empty frames", [zst(""), zst(&a), zst(""), zst(&b), zst(&c)].concat(), &ALL),
    ]
}

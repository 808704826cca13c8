//! Odd record headers, and lengths that are wrong.

use crate::build::{Case, case, gz, head, lz4, record, with, zst};

const ONE: &[&str] = &["resource - one"];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = odd();
    cases.extend(separators());
    cases.extend(lengths());
    cases
}

fn odd() -> Vec<Case> {
    let raw = b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: <http://a/\xe9 \xff>\r\nContent-Length: 3\r\n\r\none";
    let long = format!("WARC-Type: resource\r\nWARC-Target-URI: http://a/{}", "x".repeat(100_000));
    let endless = format!("WARC-Type: resource\r\nX: {}", "x".repeat(300_000));
    vec![
        case("LF only", "WARC/1.0\nWARC-Type: resource\nContent-Length: 3\n\none\n\n", ONE),
        case("LF and CRLF mixed", "WARC/1.0\r\nWARC-Type: resource\nContent-Length: 3\r\n\none\r\n\n", ONE),
        case("lower case", "WARC/1.0\r\nwarc-type: resource\r\ncontent-length: 3\r\n\r\none\r\n\r\n", ONE),
        case("upper case", "WARC/1.0\r\nWARC-TYPE: RESOURCE\r\nCONTENT-LENGTH: 3\r\n\r\none\r\n\r\n", ONE),
        case(
            "no space behind colons",
            "WARC/1.0\r\nWARC-Type:resource\r\nContent-Length:3\r\n\r\none\r\n\r\n",
            ONE,
        ),
        case(
            "spaces around",
            "WARC/1.0 \r\nWARC-Type  :  resource \r\nContent-Length\t: 3 \r\n\r\none\r\n\r\n",
            ONE,
        ),
        case(
            "folded",
            head("X: a\r\n b\r\n\tc\r\nWARC-Type:\r\n resource\r\nContent-Length:\r\n 3", "one"),
            ONE,
        ),
        case("angle brackets", with("WARC-Type: resource\r\nWARC-Target-URI: <http://a/>", "one"), ONE),
        case("raw bytes in the URI", raw, ONE),
        case("a long URI", with(&long, "one"), ONE),
        case("an empty body", [record(""), record("one")].concat(), &["resource - ", "resource - one"]),
        case("the same field twice", with("WARC-Type: resource\r\nWARC-Type: resource", "one"), ONE),
        case(
            "a line that is not a field",
            [with("WARC-Type: resource\r\nwhat?", "one"), record("one")].concat(),
            &["resource - one", "!malformed_header @0", "resource - one"],
        ),
        case(
            "a line that is not a field, a long body",
            [with("WARC-Type: resource\r\nwhat?", "long ".repeat(100)), record("one")].concat(),
            &["resource - 500 bytes", "!malformed_header @0", "resource - one"],
        ),
        case(
            "a header without end",
            [record("one"), with(&endless, "two"), record("three")].concat(),
            &["resource - one", "!header_too_long @59", "resource - three"],
        ),
        case(
            "byte order mark",
            [b"\xef\xbb\xbf", &record("one")[..]].concat(),
            &["!not_a_record @0", "resource - one"],
        ),
    ]
}

fn separators() -> Vec<Case> {
    let bare = |body: &str| head_without_end(body);
    let all = &["resource - one", "resource - two", "resource - three"];
    let join = |separator: &str| ["one", "two", "three"].map(|body| bare(body) + separator).concat();
    vec![
        case("no blank lines", join(""), all),
        case("one line end", join("\r\n"), all),
        case("one LF", join("\n"), all),
        case("five line ends", join("\r\n\r\n\r\n\r\n\r\n"), all),
        case("no blank line at the end", join("\r\n\r\n").trim_end().to_owned(), all),
        case("blank lines before", format!("\r\n\r\n{}", join("\r\n\r\n")), all),
        case("no blank lines, gzip", ["one", "two", "three"].map(|body| gz(bare(body))).concat(), all),
    ]
}

fn head_without_end(body: &str) -> String {
    format!("WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn lengths() -> Vec<Case> {
    let (a, c) = (record("one"), record("three"));
    let wrong = |length: &str| head(&format!("WARC-Type: resource\r\nContent-Length: {length}"), "two");
    let missing = head("WARC-Type: resource", "two");
    let twice = head("WARC-Type: resource\r\nContent-Length: 3\r\nContent-Length: 9", "two");
    let lies: [(&str, Vec<u8>, &str); 16] = [
        ("one too small", wrong("2"), "length_too_small"),
        ("zero", wrong("0"), "length_too_small"),
        ("four too large", wrong("7"), "length_too_large"),
        ("three too large", wrong("6"), "length_too_large"),
        ("five too large", wrong("8"), "length_too_large"),
        ("nine too large", wrong("12"), "length_too_large"),
        ("far too large", wrong("100"), "length_too_large"),
        ("larger than the file", wrong("99999"), "length_too_large"),
        ("larger than memory", wrong("99999999999999"), "length_too_large"),
        ("larger than a number", wrong("99999999999999999999999"), "invalid_length"),
        ("negative", wrong("-7"), "invalid_length"),
        ("words", wrong("three"), "invalid_length"),
        ("empty", wrong(""), "invalid_length"),
        ("a fraction", wrong("3.0"), "invalid_length"),
        ("missing", missing, "missing_length"),
        ("two that differ", twice, "invalid_length"),
    ];
    let mut cases = Vec::new();
    for (name, two, kind) in lies {
        type Compress = fn(&[u8]) -> Vec<u8>;
        let compressions: [(&str, Compress); 4] = [
            ("plain", |bytes| bytes.to_vec()),
            ("gzip", |bytes| gz(bytes)),
            ("zstd", |bytes| zst(bytes)),
            ("lz4", |bytes| lz4(bytes)),
        ];
        for (compression, compress) in compressions {
            let fault = format!("!{kind} @{}", compress(&a).len());
            let expected = ["resource - one", "resource - two", &fault, "resource - three"];
            let bytes = [compress(&a), compress(&two), compress(&c)].concat();
            cases.push(case(format!("length {name}, {compression}"), bytes, &expected));
        }
        let last = format!("!{kind} @59");
        if kind != "length_too_large" {
            let bytes = [&a[..], &two].concat();
            cases.push(case(
                format!("length {name}, last"),
                bytes,
                &["resource - one", "resource - two", &last],
            ));
        }
    }
    let fields = record("a: b\r\n\r\n\r\n\r\n");
    cases.push(case(
        "a body that ends in blank lines, no others",
        [&fields[..fields.len() - 4], &record("one")].concat(),
        &["resource - a: b\\r\\n\\r\\n\\r\\n\\r\\n", "resource - one"],
    ));
    let same = head("WARC-Type: resource\r\nContent-Length: 3\r\nContent-Length: 3", "two");
    cases.push(case("length twice the same", [same, c].concat(), &["resource - two", "resource - three"]));
    let whole = "WARC/1.0\r\nWARC-Type: x\r\nContent-Length: 1\r\n\r\nx\r\n\r\n";
    cases.push(case(
        "an archive in a body",
        [record(whole), record("one")].concat(),
        &[
            "resource - WARC/1.0\\r\\nWARC-Type: x\\r\\nContent-Length: 1\\r\\n\\r\\nx\\r\\n\\r\\n",
            "resource - one",
        ],
    ));
    cases
}

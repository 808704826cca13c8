//! HTTP messages and their codings.

use crate::build::{BROTLI, Case, HELLOS, case, deflate, gz, http, message, record, zlib, zst};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(chunked());
    cases.extend(content());
    cases.extend(lies());
    cases.extend(damaged());
    // The payload of a record does not affect what follows the record.
    for case in &mut cases {
        case.bytes.extend(record("end"));
        case.expected.push("resource - end".into());
    }
    cases
}

fn heads() -> Vec<Case> {
    let hello = |name: &str, message_bytes: &[u8], status: &str| {
        case(format!("HTTP, {name}"), message(message_bytes), &[&format!("response {status} hello")])
    };
    let empty = |name: &str, message_bytes: &[u8], status: &str| {
        case(format!("HTTP, {name}"), message(message_bytes), &[&format!("response {status} ")])
    };
    vec![
        hello("plain", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200"),
        hello("version 1.0", b"HTTP/1.0 404 Not Found\r\n\r\nhello", "404"),
        hello("version 2", b"HTTP/2 200\r\ncontent-type: text/plain\r\n\r\nhello", "200"),
        hello("version 3", b"HTTP/3 200 \r\n\r\nhello", "200"),
        hello("lower case", b"http/1.1 200 ok\r\n\r\nhello", "200"),
        hello("another name", b"HTTPX/1.1 200 OK\r\nA: b\r\n\r\nhello", "200"),
        hello("ICY", b"ICY 200 OK\r\nicy-name: b\r\n\r\nhello", "200"),
        hello("no reason phrase", b"HTTP/1.1 200\r\nA: b\r\n\r\nhello", "200"),
        hello("spaces before the status", b"HTTP/1.1   503  Busy\r\n\r\nhello", "503"),
        hello("no status", b"HTTP/1.1\r\nA: b\r\n\r\nhello", "-"),
        hello("a word for a status", b"HTTP/1.1 OK\r\nA: b\r\n\r\nhello", "-"),
        hello("LF only", b"HTTP/1.1 200 OK\nA: b\n\nhello", "200"),
        hello("line ends before", b"\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nhello", "200"),
        hello("continue first", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nhello", "200"),
        hello(
            "hints first",
            b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 201 OK\r\n\r\nhello",
            "201",
        ),
        hello("Latin-1 header", b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\n\r\nhello", "200"),
        hello("folded header", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\n\r\nhello", "200"),
        hello("a line that is not a field", b"HTTP/1.1 200 OK\r\njunk\r\nX: a\r\n\r\nhello", "200"),
        hello("length too small", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", "200"),
        hello("length too large", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello", "200"),
        hello("no status line", b"Content-Type: text/plain\r\nServer: a\r\n\r\nhello", "-"),
        hello("no fields", b"HTTP/1.1 200 OK\r\n\r\nhello", "200"),
        case(
            "HTTP, blank line missing",
            message("HTTP/1.1 200 OK\r\nA: b\r\n<p>hello</p>\r\n\r\nx"),
            &["response 200 <p>hello</p>\\r\\n\\r\\nx"],
        ),
        empty("no body", b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", "204"),
        empty(
            "no body, not modified",
            b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n",
            "304",
        ),
        empty("cut in the header", b"HTTP/1.1 200 OK\r\nContent-Type: text/ht", "200"),
        empty("cut in the status line", b"HTTP/1.1 20", "-"),
        empty("no body, chunked", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200"),
    ]
}

fn chunked() -> Vec<Case> {
    let row = |name: &str, body: &[u8], payload: &str| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";
        case(format!("chunked, {name}"), http(head, body), &[&format!("response 200 {payload}")])
    };
    vec![
        row("one chunk", b"5\r\nhello\r\n0\r\n\r\n", "hello"),
        row("two chunks", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
        row("extension", b"5;name=\"a b\"\r\nhello\r\n0\r\n\r\n", "hello"),
        row("trailers", b"5\r\nhello\r\n0\r\nX: y\r\nZ: w\r\n\r\n", "hello"),
        row("upper-case size with zeros", b"0000A\r\nhellohello\r\n0\r\n\r\n", "hellohello"),
        row("spaces behind the size", b"5   \r\nhello\r\n0\r\n\r\n", "hello"),
        row("LF only", b"5\nhello\n0\n\n", "hello"),
        row("no end behind the last chunk", b"5\r\nhello\r\n0", "hello"),
        row("bytes behind the last chunk", b"5\r\nhello\r\n0\r\n\r\nmore", "hello"),
        row("nothing but the last chunk", b"0\r\n\r\n", ""),
        row("a lie", b"hello there", "hello there"),
        row("a lie of several lines", b"<p>\r\nhello\r\n", "<p>\\r\\nhello\\r\\n"),
        row("a lie that looks like a size", b"face\nthe truth", "face\\nthe truth"),
        row("a lie whose size does not fit", b"3\r\nfour more\r\n", "3\\r\\nfour more\\r\\n"),
        row("a negative size", b"-5\r\nhello\r\n0\r\n\r\n", "-5\\r\\nhello\\r\\n0\\r\\n\\r\\n"),
        row("cut in a chunk", b"5\r\nhello\r\nff\r\nthere", "hellothere !payload_truncated"),
        row("cut in the first chunk", b"ff\r\nhello", "hello !payload_truncated"),
        row("the last chunk is missing", b"5\r\nhello\r\n", "hello !payload_truncated"),
        row("cut in a size", b"5\r\nhello\r\n1", "hello !payload_truncated"),
        row(
            "a broken size",
            b"5\r\nhello\r\nzz\r\nthere\r\n0\r\n\r\n",
            "hellozz\\r\\nthere\\r\\n0\\r\\n\\r\\n !payload_corrupt",
        ),
        row(
            "a wrong size",
            b"5\r\nhello\r\n2\r\nthere\r\n0\r\n\r\n",
            "hello2\\r\\nthere\\r\\n0\\r\\n\\r\\n !payload_corrupt",
        ),
        case(
            "chunked twice in the header",
            http(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: Chunked",
                "5\r\nhello\r\n0\r\n\r\n",
            ),
            &["response 200 hello"],
        ),
    ]
}

fn coded(name: &str, coding: &str, body: impl AsRef<[u8]>, payload: &str) -> Case {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}");
    case(format!("coding, {name}"), http(&head, body), &[&format!("response 200 {payload}")])
}

fn content() -> Vec<Case> {
    let in_chunks =
        |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    let both = "HTTP/1.1 200 OK\nContent-Encoding: gzip\nTransfer-Encoding: chunked";
    let transfer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked";
    let hellos = HELLOS.replace('\n', "\\n");
    vec![
        coded("gzip", "gzip", gz("hello"), "hello"),
        coded("x-gzip", "x-gzip", gz("hello"), "hello"),
        coded("upper case", "GZIP", gz("hello"), "hello"),
        coded("several gzip members", "gzip", [gz("hel"), gz(""), gz("lo")].concat(), "hello"),
        coded("bytes behind gzip", "gzip", [&gz("hello")[..], b"\0\0garbage"].concat(), "hello"),
        coded("deflate", "deflate", zlib("hello"), "hello"),
        coded("raw deflate", "deflate", deflate("hello"), "hello"),
        coded("brotli", "br", BROTLI, &hellos),
        coded("zstd", "zstd", zst("hello"), "hello"),
        coded("several zstd frames", "zstd", [zst("hel"), zst("lo")].concat(), "hello"),
        coded("identity", "identity", "hello", "hello"),
        coded("an empty name", "", "hello", "hello"),
        coded("an unknown name", "utf-8", "hello", "hello"),
        coded("parameters", "gzip;q=1.0", gz("hello"), "hello"),
        coded("gzip twice", "gzip, gzip", gz(gz("hello")), "hello"),
        coded("gzip of zstd", "zstd, gzip", gz(zst("hello")), "hello"),
        coded("gzip of brotli of deflate", "deflate, identity, gzip", gz(zlib("hello")), "hello"),
        case("coding, gzip in chunks", http(both, in_chunks(&gz("hello"))), &["response 200 hello"]),
        case("coding, gzip as transfer", http(transfer, in_chunks(&gz("hello"))), &["response 200 hello"]),
        case(
            "coding, gzip as transfer and as content",
            http(&format!("{transfer}\r\nContent-Encoding: gzip"), in_chunks(&gz(gz("hello")))),
            &["response 200 hello"],
        ),
        case(
            "coding, brotli in chunks",
            http("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: br", in_chunks(BROTLI)),
            &[&format!("response 200 {hellos}")],
        ),
    ]
}

fn lies() -> Vec<Case> {
    let text = "<html>plain text of some length, as it is found on any page</html>";
    let mut cases: Vec<Case> = ["gzip", "deflate", "br", "zstd", "gzip, br", "x-gzip, deflate", "br, gzip"]
        .map(|coding| coded(&format!("{coding}, a lie"), coding, text, text))
        .into();
    let image = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[7; 60]].concat();
    let shown = image.escape_ascii().to_string();
    cases.extend(
        ["gzip", "deflate", "br", "zstd"]
            .map(|coding| coded(&format!("{coding}, a lie about an image"), coding, &image, &shown)),
    );
    cases.extend([
        coded("says brotli, is gzip", "br", gz("hello"), "hello"),
        coded("says deflate, is gzip", "deflate", gz("hello"), "hello"),
        coded("says zstd, is gzip", "zstd", gz("hello"), "hello"),
        coded("says gzip, is zstd", "gzip", zst("hello"), "hello"),
        coded("says gzip, is zlib", "gzip", zlib("hello"), "hello"),
        coded("says zstd, is zlib", "zstd", zlib("hello"), "hello"),
        coded("in quotes", "\"gzip\"", gz("hello"), "hello"),
        coded("says gzip twice, is once", "gzip, gzip", gz("hello"), "hello"),
        case(
            "chunked and gzip, both lies",
            http("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked", text),
            &[&format!("response 200 {text}")],
        ),
    ]);
    cases
}

fn damaged() -> Vec<Case> {
    let text: String = (0..40).map(|i| format!("{i}:{};", i * 7919 % 1000)).collect();
    let shown = format!("{} bytes", text.len());
    let (gzip, zlib, raw, zstd) = (gz(&text), zlib(&text), deflate(&text), zst(&text));
    let wrong = |bytes: &[u8], from_end: usize| {
        let mut wrong = bytes.to_vec();
        let at = wrong.len() - from_end;
        wrong[at] ^= 0xff;
        wrong
    };
    vec![
        coded(
            "gzip, cut in the trailer",
            "gzip",
            &gzip[..gzip.len() - 3],
            &format!("{shown} !payload_truncated"),
        ),
        coded(
            "gzip, cut before the trailer",
            "gzip",
            &gzip[..gzip.len() - 8],
            &format!("{shown} !payload_truncated"),
        ),
        coded("gzip, cut in the header", "gzip", &gzip[..7], " !payload_truncated"),
        coded("gzip, wrong CRC", "gzip", wrong(&gzip, 6), &format!("{shown} !payload_corrupt")),
        coded("gzip, wrong size", "gzip", wrong(&gzip, 1), &format!("{shown} !payload_corrupt")),
        coded(
            "deflate, cut in the checksum",
            "deflate",
            &zlib[..zlib.len() - 2],
            &format!("{shown} !payload_truncated"),
        ),
        coded(
            "raw deflate, cut",
            "deflate",
            &raw[..raw.len() - 1],
            &format!("{} bytes !payload_truncated", text.len() - 1),
        ),
        coded("zstd, cut", "zstd", &zstd[..zstd.len() - 2], " !payload_truncated"),
        coded("brotli, cut", "br", &BROTLI[..15], " !payload_truncated"),
        case(
            "coding, cut gzip in cut chunks",
            http(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked",
                [b"fff\r\n", &gzip[..gzip.len() - 8]].concat(),
            ),
            &[&format!("response 200 {shown} !payload_truncated")],
        ),
    ]
}

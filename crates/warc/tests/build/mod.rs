//! Builds small archives, and lists the events of reading them.

use tsumugi_warc::{Decoder, Error, Event, Options, PayloadLimits, Record};

/// A case: its name, an archive, and the expected events.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Vec<String>,
}

/// A case. `expected` has one event per entry, as [`line`] and [`fault`] write them.
pub(crate) fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expected: &[&str]) -> Case {
    let expected = expected.iter().map(|line| (*line).to_owned()).collect();
    Case { name: name.into(), bytes: bytes.into(), expected }
}

/// A resource record with this body.
pub(crate) fn record(body: &str) -> Vec<u8> {
    with("WARC-Type: resource", body)
}

/// A record with these header lines, `Content-Length` added.
pub(crate) fn with(lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    head(&format!("{lines}\r\nContent-Length: {}", body.len()), body)
}

/// A record with exactly these header lines.
pub(crate) fn head(lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [format!("WARC/1.0\r\n{lines}\r\n\r\n").as_bytes(), body.as_ref(), b"\r\n\r\n"].concat()
}

/// A response record with this HTTP header (without its blank line) and body.
pub(crate) fn http(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let end = if head.contains('\r') || !head.contains('\n') { "\r\n\r\n" } else { "\n\n" };
    message([head.as_bytes(), end.as_bytes(), body.as_ref()].concat())
}

/// A response record with this HTTP message.
pub(crate) fn message(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let lines = "WARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Type: application/http; msgtype=response";
    with(lines, bytes)
}

/// One gzip member.
pub(crate) fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A zlib stream.
pub(crate) fn zlib(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A raw deflate stream.
pub(crate) fn deflate(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame.
pub(crate) fn zst(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::bulk::compress(bytes.as_ref(), 3).unwrap()
}

/// One zstd frame with a checksum.
pub(crate) fn summed(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// One LZ4 frame with all checksums.
pub(crate) fn lz4(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().block_checksums(true).content_checksum(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    std::io::Write::write_all(&mut encoder, bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// The content of [`BROTLI`].
pub(crate) const HELLOS: &str = "hello hello hello hello hello hello\n";
/// [`HELLOS`] compressed at quality 11 by the Python package brotli 1.2.
pub(crate) const BROTLI: &[u8] = &[
    27, 35, 0, 248, 141, 148, 110, 222, 68, 85, 134, 214, 10, 32, 108, 111, 74, 17, 122, 226, 128, 94, 45, 0,
];

/// One event for a record: type, status, payload, and what is wrong with it.
pub(crate) fn line(record: &Record<'_>) -> String {
    let payload = record.payload(&PayloadLimits::default());
    let kind = record.header("WARC-Type").map_or("-".to_owned(), |kind| kind.to_ascii_lowercase());
    let status =
        record.http().and_then(|http| http.status()).map_or("-".to_owned(), |status| status.to_string());
    let bytes = payload.bytes();
    let shown =
        if bytes.len() > 100 { format!("{} bytes", bytes.len()) } else { bytes.escape_ascii().to_string() };
    let fault = payload.fault().map(|fault| format!(" !{}", fault.name())).unwrap_or_default();
    let cut = if record.is_complete() { "" } else { " cut" };
    format!("{kind} {status} {shown}{fault}{cut}")
}

/// One event for a fault or another error.
pub(crate) fn fault(error: &Error) -> String {
    match error {
        Error::Damage(fault) => format!("!{} @{}", fault.kind.name(), fault.offset),
        Error::NotAnArchive { .. } => "!not_an_archive".into(),
        other => format!("!{other}"),
    }
}

/// The events of a decoder that is fed with pieces of this many bytes.
pub(crate) fn pushed(bytes: &[u8], piece: usize, options: Options) -> Vec<String> {
    let mut pieces = bytes.chunks(piece);
    let mut decoder = Decoder::new(options);
    let mut events = Vec::new();
    loop {
        match decoder.next_event() {
            Ok(Event::NeedInput) => match pieces.next() {
                Some(piece) => decoder.feed(piece),
                None => decoder.finish(),
            },
            Ok(Event::Record(record)) => events.push(line(&record)),
            Ok(Event::Damage(damage)) => events.push(fault(&damage.into())),
            Ok(Event::End) => return events,
            Ok(_) => {}
            Err(error) => {
                events.push(fault(&error));
                return events;
            }
        }
    }
}

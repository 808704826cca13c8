//! Builds small archives.

use tsumugi_warc::{ArchiveWriter, NewRecord, Packing};

/// A resource record, not packed.
pub(crate) fn record(body: &str) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), Packing::Plain);
    writer
        .write(&NewRecord::resource("2026-01-31T12:00:00Z", "http://a.test/", "text/plain", body.as_bytes()))
        .unwrap();
    writer.finish().unwrap()
}

/// A response record with one HTTP message, not packed.
pub(crate) fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let end = if head.contains('\r') || !head.contains('\n') { "\r\n\r\n" } else { "\n\n" };
    let message = [head.as_bytes(), end.as_bytes(), body].concat();
    let mut writer = ArchiveWriter::new(Vec::new(), Packing::Plain);
    writer.write(&NewRecord::response("2026-01-31T12:00:00Z", "http://a.test/", &message)).unwrap();
    writer.finish().unwrap()
}

/// One gzip member.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame.
pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

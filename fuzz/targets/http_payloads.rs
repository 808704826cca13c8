//! HTTP messages: headers, transfer and content codings, held in memory and streamed.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use tsumugi_warc::{ArchiveReader, Options, PayloadLimits};

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let head = format!("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {}\r\n\r\n", data.len());
    let archive = [head.as_bytes(), data, b"\r\n\r\n"].concat();
    let limits = PayloadLimits::default().with_bytes(LIMIT);
    let mut reader = ArchiveReader::from_reader(&archive[..], Options::default());
    let Some(Ok(record)) = reader.next() else { panic!("the record is sound") };
    let message = record.http();
    for (name, value) in message.iter().flat_map(|message| message.headers()) {
        assert!(name.len() + value.len() <= 3 * data.len());
    }
    let held = record.payload(&limits);
    assert!(held.bytes().len() <= LIMIT.max(data.len()));
    let mut streamed = Vec::new();
    let Ok(mut payload) = record.into_payload_reader(&limits) else { return };
    if payload.read_to_end(&mut streamed).is_err() {
        return;
    }
    // A payload held in memory exposes wrong codings later, and keeps what follows damage.
    if held.fault().is_none()
        && payload.fault().is_none()
        && held.notes().is_empty()
        && payload.notes().is_empty()
    {
        assert!(held.bytes() == streamed, "held {} bytes, streamed {}", held.bytes().len(), streamed.len());
    }
});

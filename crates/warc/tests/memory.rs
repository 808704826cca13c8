//! Peak memory of a process that reads archives with decompression bombs, as the system reports it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tsumugi_warc::{ArchiveReader, PayloadFault, PayloadLimits};

const BOMB: u64 = 256 << 20;
/// The file that the child reads.
const VARIABLE: &str = "TSUMUGI_TEST_BOMB";

fn zeros(sink: &mut impl Write) {
    let piece = vec![0; 1 << 20];
    for _ in 0..BOMB >> 20 {
        sink.write_all(&piece).unwrap();
    }
}

fn zeros_gz() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut encoder);
    encoder.finish().unwrap()
}

fn head(length: u64) -> String {
    format!("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {length}\r\n\r\n")
}

/// A valid record, a bomb and a valid record, each in its own member.
fn write(path: &Path, bomb: &[u8]) {
    let mut small = GzEncoder::new(Vec::new(), Compression::fast());
    write!(small, "{}hello\r\n\r\n", head(5)).unwrap();
    let small = small.finish().unwrap();
    std::fs::write(path, [&small[..], bomb, &small].concat()).unwrap();
}

/// Run by the tests below in its own process.
#[test]
#[ignore = "the child of the other tests"]
fn child() {
    let mut reader = ArchiveReader::open(std::env::var_os(VARIABLE).unwrap()).unwrap();
    let mut lengths = Vec::new();
    while let Some(record) = reader.next() {
        let record = record.unwrap();
        let limits = PayloadLimits::default();
        if record.is_streamed() {
            let mut payload = record.into_payload_reader(&limits).unwrap();
            lengths.push(std::io::copy(&mut payload, &mut std::io::sink()).unwrap());
        } else {
            let payload = record.payload(&limits);
            let too_large = payload.fault() == Some(PayloadFault::TooLarge);
            lengths.push(if too_large { u64::MAX } else { payload.bytes().len() as u64 });
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("lengths {lengths:?}, peak {} kB", peak.trim().trim_end_matches(" kB"));
}

fn check(name: &str, bomb: &[u8], length: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, bomb);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(VARIABLE, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("lengths [5, {length}, 5]")), "{name}: {said}");
    let peak = said.split("peak ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let peak: u64 = peak.parse().unwrap();
    println!("{name}: {peak} kB");
    assert!(peak < 64 << 10, "{name}: {peak} kB");
}

#[test]
fn skips_bombs_in_bounded_memory() {
    let bomb = zeros_gz();
    let http = |coding: &str, body: &[u8]| {
        let message =
            [format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n").as_bytes(), body].concat();
        let mut member = GzEncoder::new(Vec::new(), Compression::fast());
        member.write_all(head(message.len() as u64).as_bytes()).unwrap();
        member.write_all(&message).unwrap();
        member.write_all(b"\r\n\r\n").unwrap();
        member.finish().unwrap()
    };
    check("a compressed payload", &http("gzip", &bomb), u64::MAX);
    let mut twice = GzEncoder::new(Vec::new(), Compression::fast());
    twice.write_all(&bomb).unwrap();
    check("a payload compressed twice", &http("gzip, gzip", &twice.finish().unwrap()), u64::MAX);
    let frame = {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        zeros(&mut encoder);
        encoder.finish().unwrap()
    };
    check("a payload compressed with zstd", &http("zstd", &frame), u64::MAX);
    let mut member = GzEncoder::new(Vec::new(), Compression::fast());
    member.write_all(head(BOMB).as_bytes()).unwrap();
    zeros(&mut member);
    member.write_all(b"\r\n\r\n").unwrap();
    check("a compressed record", &member.finish().unwrap(), BOMB);
}

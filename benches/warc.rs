//! Speed of reading and writing archives, on a made-up one of 2,000 pages.
#![expect(clippy::unwrap_used, reason = "a bench")]
#![allow(missing_docs, reason = "criterion's macros make functions without")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tsumugi_warc::{ArchiveReader, ArchiveWriter, Compression, NewRecord, Options, PayloadLimits};

fn page(number: u32) -> Vec<u8> {
    let mut page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>".to_vec();
    let mut state = number;
    for _ in 0..400 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        page.extend(
            format!("<p class=\"c{}\">word{} and {}</p>\n", state >> 28, state >> 20, state >> 24).bytes(),
        );
    }
    page
}

fn archive(pages: &[Vec<u8>], compression: Compression) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), compression);
    for page in pages {
        writer.write(&NewRecord::response("2026-01-31T12:00:00Z", "http://a.test/", page)).unwrap();
    }
    writer.finish().unwrap()
}

fn read(archive: &[u8], verify: bool) -> usize {
    let mut reader = ArchiveReader::from_reader(archive, Options::default());
    let (limits, mut sum) = (PayloadLimits::default(), 0);
    while let Some(record) = reader.next() {
        let record = record.unwrap();
        sum += if verify {
            usize::from(record.check_digests().is_ok())
        } else {
            record.payload(&limits).bytes().len()
        };
    }
    sum
}

fn warc(criterion: &mut Criterion) {
    let pages: Vec<Vec<u8>> = (0..2000).map(page).collect();
    let mut group = criterion.benchmark_group("warc");
    group.sample_size(10).throughput(Throughput::Bytes(pages.iter().map(|page| page.len() as u64).sum()));
    for (name, compression) in
        [("plain", Compression::Plain), ("gzip", Compression::Gzip(6)), ("zstd", Compression::Zstd(3))]
    {
        let compressed = archive(&pages, compression);
        group.bench_function(format!("read {name}"), |bencher| bencher.iter(|| read(&compressed, false)));
        group.bench_function(format!("verify {name}"), |bencher| bencher.iter(|| read(&compressed, true)));
        group
            .bench_function(format!("write {name}"), |bencher| bencher.iter(|| archive(&pages, compression)));
    }
    group.finish();
}

criterion_group!(benches, warc);
criterion_main!(benches);

//! Odd and damaged archives, one row each: what is read from it, and which faults are reported at which offset. Every row
//! is read by pulling, by pushing in pieces of several sizes, and by several threads.

#[expect(clippy::unwrap_used, reason = "helpers of tests")]
#[path = "../build/mod.rs"]
mod build;

mod damage;
mod formats;
mod headers;
mod payloads;

use build::{Case, fault, line, pushed};
use tsumugi_warc::{ArchiveReader, Options, ParallelReader};

fn cases() -> Vec<Case> {
    [formats::cases(), headers::cases(), damage::cases(), payloads::cases()].into_iter().flatten().collect()
}

fn pulled(bytes: &[u8]) -> Vec<String> {
    let mut reader = ArchiveReader::from_reader(bytes, Options::default());
    let mut events = Vec::new();
    while let Some(item) = reader.next() {
        events.push(match item {
            Ok(record) => line(&record),
            Err(error) => fault(&error),
        });
    }
    events
}

#[test]
fn reads_every_case() {
    let cases = cases();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let got = pulled(&case.bytes);
            (got != case.expected)
                .then(|| format!("{}\n  expected {:#?}\n  got      {:#?}\n", case.name, case.expected, got))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.concat());
}

#[test]
fn reads_the_same_however_it_is_fed() {
    for case in cases() {
        for piece in [1, 7, 64, 1000] {
            let got = pushed(&case.bytes, piece, Options::default());
            assert_eq!(got, case.expected, "{} in pieces of {piece}", case.name);
        }
    }
}

#[test]
fn reads_the_same_with_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    for case in cases() {
        std::fs::write(&path, &case.bytes).unwrap();
        for part in [64, 250] {
            let mut got = Vec::new();
            ParallelReader::new(&path, Options::default(), 2)
                .with_part(part)
                .for_each(
                    |item| item.as_ref().map_or_else(fault, line),
                    |event| {
                        got.push(event);
                        std::ops::ControlFlow::Continue(())
                    },
                )
                .unwrap();
            assert_eq!(got, case.expected, "{} in parts of {part}", case.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Writes the cases into the folder `TSUMUGI_CASES`, for other readers (`benches/peers/warc_cases.py`).
#[test]
#[ignore = "writes files"]
fn write_cases() {
    let folder = std::path::PathBuf::from(std::env::var_os("TSUMUGI_CASES").unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    for (index, case) in cases().iter().enumerate() {
        let file = |ending: &str| folder.join(format!("{index:03}.{ending}"));
        std::fs::write(file("bin"), &case.bytes).unwrap();
        let text = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let expected: Vec<String> = case.expected.iter().map(|event| text(event)).collect();
        let json = format!("{{\"name\": {}, \"expected\": [{}]}}", text(&case.name), expected.join(", "));
        std::fs::write(file("json"), json).unwrap();
    }
}

/// Writes the cases as seeds of the fuzz targets.
#[test]
#[ignore = "writes into the repository"]
fn write_seeds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let write = |target: &str, case: &Case, bytes: &[u8]| {
        let slug: String = case
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        std::fs::create_dir_all(folder.join(target)).unwrap();
        std::fs::write(folder.join(target).join(slug), bytes).unwrap();
    };
    let small = |case: &Case| case.bytes.len() <= 8 << 10;
    for case in [formats::cases(), damage::cases()].iter().flatten().filter(|case| small(case)) {
        write("warc_members", case, &[&[6], &case.bytes[..]].concat());
    }
    for case in headers::cases().iter().filter(|case| small(case)) {
        let rest = case.bytes.strip_prefix(b"WARC/1.0\r\n").unwrap_or(&case.bytes);
        write("warc_headers", case, &[&[6], rest].concat());
    }
    for case in payloads::cases() {
        let start = case.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0) + 4;
        let end = case.bytes.len() - build::record("end").len() - 4;
        write("http_payloads", &case, &case.bytes[start..end]);
    }
}

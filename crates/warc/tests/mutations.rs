//! Archives damaged at random: what is read does not depend on how the bytes come, and nothing panics or hangs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with the cases")]
#[path = "build/mod.rs"]
mod build;

use std::ops::ControlFlow;

use build::{fault, gz, http, line, lz4, pushed, record, zst};
use proptest::prelude::*;
use tsumugi_warc::{ArchiveReader, Options, ParallelReader};

#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
    Cut(usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len().max(1);
        let range = |at: usize, count: usize| at % len..(at % len + count).min(bytes.len());
        match self {
            Self::Flip(at, mask) => {
                if let Some(byte) = bytes.get_mut(at % len) {
                    *byte ^= mask;
                }
            }
            Self::Remove(at, count) => drop(bytes.drain(range(*at, *count))),
            Self::Insert(at, new) => drop(bytes.splice(range(*at, 0), new.iter().copied())),
            Self::Repeat(at, count) => {
                let again = bytes[range(*at, *count)].to_vec();
                bytes.splice(range(*at, 0), again);
            }
            Self::Cut(at) => bytes.truncate(at % len),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 1..=255_u8).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        (any::<usize>(), 1..200_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(at, new)| Damage::Insert(at, new)),
        (any::<usize>(), 1..400_usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn archive() -> impl Strategy<Value = Vec<u8>> {
    let records = prop::collection::vec(("[ -~\r\n]{0,300}", any::<bool>()), 1..8);
    (records, 0..6_u8, 1..400_usize).prop_map(|(records, packing, split)| {
        let records: Vec<Vec<u8>> = records
            .iter()
            .map(
                |(body, message)| if *message { http("HTTP/1.1 200 OK\r\nA: b", body) } else { record(body) },
            )
            .collect();
        match packing {
            0 => records.concat(),
            1 => records.iter().flat_map(gz).collect(),
            2 => records.iter().flat_map(zst).collect(),
            3 => records.iter().flat_map(lz4).collect(),
            4 => gz(records.concat()),
            _ => records.concat().chunks(split).flat_map(gz).collect(),
        }
    })
}

proptest! {
    #[test]
    fn reads_damaged_archives_the_same_in_all_ways(
        mut bytes in archive(),
        damages in prop::collection::vec(damage(), 0..4),
        piece in 1..500_usize,
        part in 40..400_u64,
        small in any::<bool>(),
    ) {
        for damage in damages {
            damage.apply(&mut bytes);
        }
        let options = if small { Options::default().with_buffer_limit(100) } else { Options::default() };
        let mut pulled = Vec::new();
        let mut reader = ArchiveReader::from_reader(&bytes[..], options.clone());
        while let Some(item) = reader.next() {
            pulled.push(item.as_ref().map_or_else(fault, line));
        }
        prop_assert_eq!(&pulled, &pushed(&bytes, piece, options.clone()));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        std::fs::write(&path, &bytes).unwrap();
        // A file tells its length, which shows large lengths as lies at once: compared with a file.
        let mut whole = Vec::new();
        let mut reader = ArchiveReader::open_with(&path, options.clone()).unwrap();
        while let Some(item) = reader.next() {
            whole.push(item.as_ref().map_or_else(fault, line));
        }
        let mut parallel = Vec::new();
        ParallelReader::new(&path, options, 3).with_part(part).for_each(
            |item| item.as_ref().map_or_else(fault, line),
            |event| {
                parallel.push(event);
                ControlFlow::Continue(())
            },
        ).unwrap();
        prop_assert_eq!(whole, parallel);
    }
}

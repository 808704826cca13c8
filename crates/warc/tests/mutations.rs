//! Randomly damaged archives: the results do not depend on how the bytes arrive, and nothing panics or hangs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with the cases")]
#[path = "build/mod.rs"]
mod build;
#[expect(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
#[path = "../../../fuzz/src/lib.rs"]
mod events;

use std::ops::ControlFlow;
use std::path::Path;

use build::{fault, gz, http, line, lz4, pushed, record, zst};
use proptest::prelude::*;
use tsumugi_warc::{ArchiveReader, Options, ParallelReader};

#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
    Swap(usize, usize, usize),
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
            Self::Swap(at, other, count) => {
                for (a, b) in range(*at, *count).zip(range(*other, *count)) {
                    bytes.swap(a, b);
                }
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
        (any::<usize>(), any::<usize>(), 1..50_usize)
            .prop_map(|(at, other, count)| Damage::Swap(at, other, count)),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn archive() -> impl Strategy<Value = Vec<u8>> {
    let records = prop::collection::vec(("[ -~\r\n]{0,300}", any::<bool>()), 1..8);
    (records, 0..6_u8, 1..400_usize).prop_map(|(records, compression, split)| {
        let records: Vec<Vec<u8>> = records
            .iter()
            .map(
                |(body, message)| if *message { http("HTTP/1.1 200 OK\r\nA: b", body) } else { record(body) },
            )
            .collect();
        match compression {
            0 => records.concat(),
            1 => records.iter().flat_map(gz).collect(),
            2 => records.iter().flat_map(zst).collect(),
            3 => records.iter().flat_map(lz4).collect(),
            4 => gz(records.concat()),
            _ => records.concat().chunks(split).flat_map(gz).collect(),
        }
    })
}

/// The results of reading a file with one thread, and with three threads in parts. The length of a file exposes lengths
/// that are too large at once, so parts are compared with a file.
fn of_file(bytes: &[u8], path: &Path, options: &Options, part: u64) -> (Vec<String>, Vec<String>) {
    std::fs::write(path, bytes).unwrap();
    let mut whole = Vec::new();
    let mut reader = ArchiveReader::open_with(path, options.clone()).unwrap();
    while let Some(item) = reader.next() {
        whole.push(item.as_ref().map_or_else(fault, line));
    }
    let mut parallel = Vec::new();
    ParallelReader::new(path, options.clone(), 3)
        .with_part(part)
        .for_each(
            |item| item.as_ref().map_or_else(fault, line),
            |event| {
                parallel.push(event);
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    (whole, parallel)
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
        let (whole, parallel) = of_file(&bytes, &folder.path().join("archive"), &options, part);
        prop_assert_eq!(whole, parallel);
    }
}

/// Pseudo-random numbers, the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }

    fn damage(&mut self) -> Damage {
        let (at, other, count) = (self.next(), self.next(), self.next());
        match self.next() % 8 {
            0 => Damage::Cut(at),
            1 => Damage::Swap(at, other, 1 + count % 50),
            2 => Damage::Remove(at, 1 + count % 200),
            3 => Damage::Repeat(at, 1 + count % 400),
            4 => Damage::Flip(at, u8::try_from(1 + count % 255).unwrap()),
            _ => Damage::Flip(at, 1 << (count % 8)),
        }
    }
}

/// The seeds of the fuzz targets, by name.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let mut seeds = Vec::new();
    for (target, start) in [("warc_members", ""), ("warc_headers", "WARC/1.0\r\n")] {
        for file in std::fs::read_dir(root.join(target)).unwrap() {
            let path = file.unwrap().path();
            // The fuzz target takes the size of pieces from the first byte.
            let bytes = std::fs::read(&path).unwrap();
            seeds.push((path.display().to_string(), [start.as_bytes(), &bytes[1..]].concat()));
        }
    }
    seeds.sort();
    seeds
}

/// `TSUMUGI_MUTATIONS` is the number of mutations per seed, `TSUMUGI_MUTATIONS_SEED` the start of the random numbers.
#[test]
fn reads_damaged_seeds_the_same_in_all_ways() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let rounds = number("TSUMUGI_MUTATIONS").unwrap_or(8);
    let mut random = Random(number("TSUMUGI_MUTATIONS_SEED").unwrap_or(1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, seed) in seeds() {
        for round in 0..=rounds {
            let damages: Vec<Damage> = (0..round.min(1 + round % 3)).map(|_| random.damage()).collect();
            let mut bytes = seed.clone();
            damages.iter().for_each(|damage| damage.apply(&mut bytes));
            count += 1;
            for options in [Options::default(), Options::default().with_buffer_limit(300)] {
                let pulled = events::pull(&bytes, &options);
                let (whole, parallel) = of_file(&bytes, &path, &options, 40 + random.next() as u64 % 360);
                let pushed = [1, 7, 64, 1000].map(|piece| (piece, events::push(&bytes, piece, &options)));
                let odd = pushed.into_iter().find(|(_, pushed)| *pushed != pulled);
                let limit = options.buffer_limit;
                if let Some((piece, pushed)) = odd {
                    wrong.push(format!(
                        "{name}, limit {limit}, {damages:?}:\npulled {pulled:#?}\nin pieces of {piece} {pushed:#?}\n"
                    ));
                } else if whole != parallel {
                    wrong.push(format!(
                        "{name}, limit {limit}, {damages:?}:\nby one {whole:#?}\nin parallel {parallel:#?}\n"
                    ));
                }
            }
        }
    }
    let some = wrong[..wrong.len().min(8)].concat();
    assert!(wrong.is_empty(), "{} of {count} archives are read in different ways:\n{some}", wrong.len());
}
